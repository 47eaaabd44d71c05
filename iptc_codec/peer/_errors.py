"""What a call over a peer can raise, besides the codec's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptc_codec import Fail

CANCELLED_TYPE = "ContextCancelled"
"""The `type_str` with which a cancelled call ends (CXL-04s)."""

VIOLATION_TYPE = "ProtocolError"
"""The `type_str` of what ends for a violation (ERR-06s)."""


class PeerError(Exception):
    """Base of what the peer itself raises."""


class Disconnected(PeerError):  # noqa: N818 - a state of the world, not a mistake
    """The connection has ended, or is ending: nothing more can be asked of it."""


class CallKindError(PeerError):
    """The remote function is of another kind than the one it was called as."""


class TooManyCallsError(PeerError):
    """So many calls are open on the connection that one more would break OPN-12s."""


class StreamOverrunError(PeerError):
    """Items were lost: the consumer took none for `stall_seconds` while the bound was reached.

    `lost` is how many were dropped up to now (FLW-02s). All items before them were delivered.
    """

    def __init__(self, lost: int) -> None:
        super().__init__(f"the consumer was too slow: {lost} items were dropped")
        self.lost = lost


class RemoteError(PeerError):
    """The remote function failed, or the other side refused the call.

    `type_str` names the type of what was raised there, `tb_str` is its traceback, empty if it was kept at
    home.
    """

    def __init__(self, type_str: str, tb_str: str) -> None:
        super().__init__(f"{type_str}\n{tb_str}" if tb_str else type_str)
        self.type_str = type_str
        self.tb_str = tb_str


class RemoteCancelled(RemoteError):  # noqa: N818 - named after `trio.Cancelled`
    """The remote task was cancelled, by somebody else or by itself."""


def remote_error(message: Fail) -> RemoteError:
    """The error that a FAIL stands for."""
    kind = RemoteCancelled if message.error.type_str == CANCELLED_TYPE else RemoteError
    return kind(message.error.type_str, message.error.tb_str)
