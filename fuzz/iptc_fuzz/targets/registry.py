"""The targets by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptc_fuzz import traffic
from iptc_fuzz.targets import chunks, dialogues, frames, pair, peer, roundtrip, schema, seats

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Target:
    """What is fuzzed: `check` takes any bytes and raises where an invariant does not hold.

    `inputs` are bytes worth trying, `show` writes a finding for people, `share` is the part of a run's time.
    """

    name: str
    check: Callable[[bytes], None]
    inputs: Callable[[], SearchStrategy[bytes]]
    invariants: str
    show: Callable[[bytes], str] = bytes.hex
    share: float = 1.0


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("frames", frames.check, frames.inputs, frames.INVARIANTS),
        Target("schema", schema.check, schema.inputs, schema.INVARIANTS, bytes.decode),
        Target("roundtrip", roundtrip.check, roundtrip.inputs, roundtrip.INVARIANTS),
        Target("chunks", chunks.check, chunks.inputs, chunks.INVARIANTS, traffic.show),
        Target("dialogues", dialogues.check, dialogues.inputs, dialogues.INVARIANTS, traffic.show, 2.0),
        Target("seats", seats.check, seats.inputs, seats.INVARIANTS, traffic.show),
        Target("pair", pair.check, pair.inputs, pair.INVARIANTS),
        Target("peer", peer.check, peer.inputs, peer.INVARIANTS, peer.show, 2.0),
    )
}
