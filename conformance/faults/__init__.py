"""Peers with exactly one bug each, in both roles, and the matrix of which case catches which.

`faults.json` names each fault and the clause that has to catch it; `honest` is the peer without a bug.
"""
