"""The reference peer: trio actors that call each other over IPTC.

Structured concurrency across the wire::

    async with open_peer("tcp://host:port") as peer:
        value = await peer.call("ns", "func", x=1)

A call that fails while the block of its stream or context runs does not interrupt the block: the error is
raised by the next use, or else where the block is left. None is lost, but one that comes after that.

Needs trio: `pip install iptc-codec[peer]`. The codec itself does not.
"""

from __future__ import annotations

from ._contexts import Context, ServedContext
from ._duplex import Duplex
from ._errors import (
    CallKindError,
    Disconnected,
    PeerError,
    RemoteCancelled,
    RemoteError,
    StreamOverrunError,
    TooManyCallsError,
)
from ._exports import Exports, Kind
from ._listen import open_peer, open_stream_peer, serve, serve_stream
from ._peer import Peer, current_peer
from ._settings import Settings
from ._streams import CallerStream, ContextStream, ItemStream

__all__ = [
    "CallKindError",
    "CallerStream",
    "Context",
    "ContextStream",
    "Disconnected",
    "Duplex",
    "Exports",
    "ItemStream",
    "Kind",
    "Peer",
    "PeerError",
    "RemoteCancelled",
    "RemoteError",
    "ServedContext",
    "Settings",
    "StreamOverrunError",
    "TooManyCallsError",
    "current_peer",
    "open_peer",
    "open_stream_peer",
    "serve",
    "serve_stream",
]
