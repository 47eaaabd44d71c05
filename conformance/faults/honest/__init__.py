"""A small honest peer in both roles, written from the specification and its tables, clear and easy to break.

Each duty is one method of `Peer`, `Callee` or `Caller`. A fault overrides one of them.
"""

from __future__ import annotations

from faults.honest.callee import Call, Callee
from faults.honest.caller import Caller, OutCall
from faults.honest.conn import Conn, ConnectionOver
from faults.honest.peer import Peer

__all__ = ["Call", "Callee", "Caller", "Conn", "ConnectionOver", "OutCall", "Peer"]
