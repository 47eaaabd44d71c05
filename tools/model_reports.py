"""What a verification has found, as data for the specification and as tables for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.generation.markdown import table
from tools.model_runs import NOBODY, checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tools.model_mutations import Mutation
    from tools.model_runs import Outcome

Cells = dict[str, Any]

PLACES = {"call": ("caller", "observer", "callee"), "half": ("sender", "observer", "receiver")}
NO_CALLER = "no call, no caller: whoever sends in idle is looked up as the caller"


class ReachError(Exception):
    """A cell that nothing reaches has no reason why."""


def reachability(call: Any, connection: Any, outcomes: Iterable[Outcome]) -> Cells:
    """Say for each cell which places see it between conforming peers, else that it takes a violator.

    A cell that neither reaches must say why in its table; the row of the callee in idle is the reason of
    `idle callee`. Raises ReachError for any other.
    """
    honest: set[tuple[str, ...]] = set()
    faulty: set[tuple[str, ...]] = set()
    for outcome in outcomes:
        conforming = outcome.configuration.defines["FAULTY"] == NOBODY
        (honest if conforming else faulty).update(outcome.reached)

    def who(table: str, cell: Mapping[str, Any], *where: str) -> str:
        places = [place for place in PLACES[table] if (table, place, *where) in honest]
        if places:
            return " ".join(places)
        if any((table, place, *where) in faulty for place in PLACES[table]):
            return "violator"
        if "unreachable" in cell or where[:2] == ("idle", "callee"):
            return "unreachable"
        raise ReachError(f"nothing reaches the cell {' '.join(where)}, and it does not say why")

    return {
        "version": call["version"],
        "about": "Derived by tools/verify_model.py. Which places on the path see a cell between conforming "
        "peers; violator: only if one of the peers breaks a rule; unreachable: the cell says why.",
        "reasons": {"idle callee": NO_CALLER},
        "call": {
            state: {
                sender: {event: who("call", cell, state, sender, event) for event, cell in row.items()}
                for sender, row in senders.items()
            }
            for state, senders in call["cells"].items()
        },
        "half": {
            state: {event: who("half", cell, state, event) for event, cell in row.items()}
            for state, row in connection["cells"].items()
        },
    }


def as_json(found: Cells) -> str:
    """Write the reachability with one row a line."""
    rows = [
        f'    "{state}": {{\n'
        + ",\n".join(f'      "{sender}": {json.dumps(row)}' for sender, row in senders.items())
        + "\n    }"
        for state, senders in found["call"].items()
    ]
    halves = [f'    "{state}": {json.dumps(row)}' for state, row in found["half"].items()]
    head = [f'  "{name}": {json.dumps(found[name])}' for name in ("version", "about", "reasons")]
    tables = ['  "call": {\n' + ",\n".join(rows) + "\n  }", '  "half": {\n' + ",\n".join(halves) + "\n  }"]
    return "{\n" + ",\n".join([*head, *tables]) + "\n}\n"


def mingled(outcomes: Mapping[str, Outcome]) -> list[str]:
    """Name the runs of several calls in which a call is seen as it never is when it is alone.

    The second half of isolation: what the three places see of call 0 at once, with others beside it, they
    see of a call that is alone.
    """
    alone = outcomes["one-call"].views | outcomes["one-call-deep"].views | {("idle",) * 3}
    return [
        name
        for name, outcome in outcomes.items()
        if name.startswith(("crossing", "cancel")) and not outcome.views <= alone
    ]


def verdicts(
    properties: Mapping[str, Sequence[str]], outcomes: Iterable[Outcome]
) -> list[tuple[str, bool, int]]:
    """Say of each property whether it holds, and over how many states of the runs that check it."""
    found = []
    for name, names in properties.items():
        runs = [outcome for outcome in outcomes if not checks(outcome.configuration).isdisjoint(names)]
        holds = bool(runs) and all(outcome.broken not in names for outcome in runs)
        found.append((name, holds, sum(outcome.states for outcome in runs)))
    return found


def blocks(outcomes: Iterable[Outcome], found: Iterable[tuple[Mutation, str | None]]) -> dict[str, str]:
    """Write the tables of `docs/model.md`."""
    runs = (
        [
            f"`{o.configuration.name}`",
            o.configuration.about,
            f"{o.configuration.defines['CAP']}",
            f"{o.states}",
        ]
        for o in outcomes
    )
    kills = ([f"`{m.name}`", m.about, f"`{m.configuration}`", f"`{by}`"] for m, by in found)
    return {
        "runs": table(["Configuration", "What it explores", "Messages on a stretch", "States"], runs),
        "mutations": table(["Break", "What is wrong", "Configuration", "Found by"], kills),
    }
