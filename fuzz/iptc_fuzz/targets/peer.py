"""Target `peer`: reference peers that call each other in bad weather, under a clock of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from iptc_fuzz.simulation import world
from iptc_fuzz.simulation.pipe import CUTS
from iptc_fuzz.simulation.work import KINDS, PATIENCE

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

INVARIANTS = """Every call ends once; no function, task, call, item or frame is left, and no error is logged.
The judge at either end finds nothing, whatever is split, delayed, cut or stalled, and at whatever byte.
A connection in fair weather is not touched, and no exception comes but those that the peer documents."""


def inputs() -> SearchStrategy[bytes]:
    """Plans, as JSON (`iptc_fuzz.simulation.world`)."""
    operation = st.tuples(
        st.integers(0, len(KINDS) - 1),
        st.integers(0, 5) | st.integers(0, 40),
        st.sampled_from([0, 0, *range(len(PATIENCE))]),
    )
    workers = st.lists(st.lists(operation, min_size=1, max_size=3), max_size=2)
    fair = {
        # Tiny pieces are dear: a step of trio each.
        "piece": st.sampled_from((*[1 << 16] * 4, *[1000] * 2, 50, 50, 7, 1)),
        "capacity": st.sampled_from((*[1 << 16] * 4, 300, 300, 8)),
        "delay": st.sampled_from((0, 0, 0, 0.001, 0.001, 0.5)),
    }
    foul = st.fixed_dictionaries({**fair, "cut_at": st.integers(0, 600), "cut": st.sampled_from(CUTS)})
    some = st.fixed_dictionaries(fair)
    good = st.fixed_dictionaries(
        {
            "left": workers,
            "right": workers,
            "left_weather": some,
            "right_weather": some,
            "socket": st.booleans(),
        }
    )
    stay = st.sampled_from((0, 0.01, 1, 20, 500))
    bad = st.fixed_dictionaries(
        {
            "left": workers,
            "right": workers,
            "left_weather": foul | some,
            "right_weather": foul | some,
            "socket": st.booleans(),
        },
        optional={"stay": stay},
    )
    plans = st.builds(lambda one, more: [one, *more], good | bad, st.lists(bad, max_size=1))
    return st.builds(_packed, st.integers(0, 1 << 16), plans)


def _packed(seed: int, plans: list[dict[str, Any]]) -> bytes:
    return json.dumps({"seed": seed, "connections": plans}).encode()


def check(data: bytes) -> None:
    """Raise where a peer has broken an invariant, an exception group among what is raised."""
    try:
        seed, plans = world.read_plans(json.loads(data))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return  # no plan
    world.run(seed, plans)


def show(data: bytes) -> str:
    """Return a plan as people read it."""
    return data.decode("utf-8", "replace")
