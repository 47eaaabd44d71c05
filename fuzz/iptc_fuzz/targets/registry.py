"""The targets by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptc_fuzz import examples, traffic
from iptc_fuzz.targets import chunks, dialogues, frames, pair, peer, roundtrip, schema, seats

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Target:
    """What is fuzzed: `check` takes any bytes and raises where an invariant does not hold.

    `inputs` are bytes worth trying, `show` writes a finding for people, `ci` is how many executions the
    profile of that name gives it: together about a minute. `seeds` are run first.
    """

    name: str
    check: Callable[[bytes], None]
    inputs: Callable[[], SearchStrategy[bytes]]
    invariants: str
    ci: int
    show: Callable[[bytes], str] = bytes.hex
    seeds: Callable[[], list[bytes]] = list


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("frames", frames.check, frames.inputs, frames.INVARIANTS, 3000, seeds=examples.bodies),
        Target("schema", schema.check, schema.inputs, schema.INVARIANTS, 1500, bytes.decode),
        Target("roundtrip", roundtrip.check, roundtrip.inputs, roundtrip.INVARIANTS, 700),
        Target(
            "chunks", chunks.check, chunks.inputs, chunks.INVARIANTS, 1200, traffic.show, examples.streams
        ),
        Target(
            "dialogues",
            dialogues.check,
            dialogues.inputs,
            dialogues.INVARIANTS,
            4000,
            traffic.show,
            examples.dialogues,
        ),
        Target("seats", seats.check, seats.inputs, seats.INVARIANTS, 2500, traffic.show, examples.dialogues),
        Target("pair", pair.check, pair.inputs, pair.INVARIANTS, 400),
        Target("peer", peer.check, peer.inputs, peer.INVARIANTS, 400, peer.show),
    )
}
