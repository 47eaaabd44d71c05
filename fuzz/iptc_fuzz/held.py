"""What our own codec and peer hold in memory: the one place that looks behind their public names."""

# ruff: noqa: SLF001
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from iptc_codec import Connection
    from iptc_codec.peer import Peer


class Held(NamedTuple):
    """What a connection holds: bytes of an unfinished frame, calls in all, ended ones among them."""

    frame: int
    calls: int
    ended: int


def held(connection: Connection) -> Held:
    """Return what a connection holds."""
    calls = connection._said.calls
    return Held(len(connection._deframer._held), len(calls._calls), len(calls._ended))


def left_over(peer: Peer) -> dict[str, int]:
    """Return what a peer that has ended still holds, by name; nothing, if all is well."""
    link, serving = peer._link, peer._serving
    found = {
        "calls": len(peer._calls.live),
        "served": len(serving.live),
        "cancels": len(serving._cancels),
        "workers": len(serving.workers._resting),
        "gate": int(link.gate.shut),
        "unwritten": len(link.writer._parts),
    }
    return {name: count for name, count in found.items() if count}
