"""Benchmarks: what the codec and the reference peer cost, beside others and beside the limit.

Each module that has a command line runs alone: `python -m bench.rpc --help`. `make bench` runs them all.
"""
