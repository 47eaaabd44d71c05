"""Breaks the tables, or the rules of the model, one at a time: each break has to be found.

A model that finds nothing wrong proves little unless it is known to find what is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.generation.promela import TotalityError, tables
from tools.model_runs import Configuration, ModelError, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Break = Callable[[Any, Any], None]
"""Changes the call table, the connection table, or both, in place."""


@dataclass(frozen=True)
class Mutation:
    """One break: of the tables, or of a rule (`rule`: the model's text, and what takes its place)."""

    name: str
    about: str
    configuration: str
    tables: Break | None = None
    rule: tuple[str, str] | None = None


def _cell(where: str, **cell: object) -> Break:
    """Replace a cell of the call table, `state sender event`; no `cell`: take it away."""
    state, sender, event = where.split()

    def change(call: Any, _connection: Any) -> None:
        if cell:
            call["cells"][state][sender][event] = cell
        else:
            del call["cells"][state][sender][event]

    return change


def _legal(where: str, to: str) -> Break:
    return _cell(where, next=to, keeps=[])


def _late(where: str) -> Break:
    return _cell(where, violates="TRM-03s", reaction="drop", next=where.split(maxsplit=1)[0])


def _renamed(old: str, new: str) -> Break:
    """Lead every move to a state to another one."""

    def change(call: Any, _connection: Any) -> None:
        for senders in call["cells"].values():
            for row in senders.values():
                for cell in row.values():
                    if cell.get("next") == old:
                        cell["next"] = new

    return change


def _no_effect(state: str, event: str) -> Break:
    def change(_call: Any, connection: Any) -> None:
        del connection["cells"][state][event]["calls"]

    return change


def _without_terminal(call: Any, connection: Any) -> None:
    for event in ("RESULT", "FAIL"):
        _late(f"unary callee {event}")(call, connection)


_END_OF_ALL = """watch();
		if
		:: e == FAIL && r == CALLEE -> i = 0;
			do :: i < CALLS -> VIEW(place, i) = AT_DONE; i++ :: else -> break od
		:: else
		fi;
"""

MUTATIONS = (
    Mutation("missing-cell", "no cell for a late item", "one-call", _cell("draining caller ITEM")),
    Mutation("no-draining", "a terminal leads to `done` at once", "one-call", _renamed("draining", "done")),
    Mutation(
        "draining-stays",
        "the END that crosses a terminal is forgotten",
        "one-call",
        _cell("draining caller END", ignore="crossed"),
    ),
    Mutation(
        "late-item",
        "an item that crosses the terminal is a violation",
        "one-call",
        _late("draining caller ITEM"),
    ),
    Mutation(
        "late-overrun",
        "an overrun notice after both ENDs is a violation",
        "one-call",
        _late("done caller OVERRUN"),
    ),
    Mutation(
        "stop-twice",
        "the caller may send END twice",
        "one-call",
        _legal("caller-stopped caller END", "caller-stopped"),
    ),
    Mutation(
        "terminal-before-ack",
        "RESULT may come in place of ACK",
        "one-call",
        _legal("requested callee RESULT", "done"),
    ),
    Mutation(
        "second-terminal", "a FAIL may follow the terminal", "one-call", _legal("done callee FAIL", "done")
    ),
    Mutation(
        "wrong-terminal",
        "a generator may end with RESULT",
        "one-call",
        _legal("generator callee RESULT", "done"),
    ),
    Mutation(
        "stop-ends", "the callee's END ends a context", "one-call", _legal("open callee END", "draining")
    ),
    Mutation("fail-ends", "the caller's FAIL ends a context", "one-call", _legal("open caller FAIL", "done")),
    Mutation("no-last-word", "a unary call has no terminal", "one-call-deep", _without_terminal),
    Mutation(
        "live-cid",
        "a cid is opened again while its call runs",
        "one-call",
        _legal("unary caller OPEN", "requested"),
    ),
    Mutation(
        "early-answer",
        "a CANCEL is answered before its target has ended",
        "cancel",
        rule=("#define ANSWERING(c) (", "#define ANSWERING(c) (1 || "),
    ),
    Mutation(
        "aim-at-heir",
        "a CANCEL aims at whatever call has the cid of its target now",
        "cancel",
        rule=(":: TARGET(i) == c -> AIM(place, i) = 0", ":: 0"),
    ),
    Mutation(
        "deaf-to-cancel",
        "a CANCEL obliges its callee to nothing",
        "fair-cancel",
        rule=("(CANCELLED(c) || ", "("),
    ),
    Mutation(
        "deaf-to-goodbye",
        "a GOODBYE obliges the callees of its sender to nothing",
        "fair-end",
        rule=("(CANCELLED(c) || HALF(me, OTHER(me)) == LEFT)", "CANCELLED(c)"),
    ),
    Mutation(
        "cancel-waits",
        "a CANCEL is never answered if it has hit",
        "fair-answer",
        rule=("|| !LIVE_HERE(TARGET(c) % CALLS))", ")"),
    ),
    Mutation(
        "fail-fails-all", "the FAIL of one call ends the others", "crossing", rule=("watch();\n", _END_OF_ALL)
    ),
    Mutation(
        "goodbye-in-debt",
        "GOODBYE may come before the terminals",
        "leaving",
        rule=("HALF_CELL(GOODBYE) && !OWING", "HALF_CELL(GOODBYE)"),
    ),
    Mutation(
        "goodbye-ends-own",
        "GOODBYE ends the calls of its sender too",
        "leaving",
        rule=("LIVE(place, i) -> VIEW(place, i) = AT_DONE", "1 -> VIEW(place, 0) = AT_DONE"),
    ),
    Mutation(
        "crossing-open",
        "an OPEN that crosses the GOODBYE of its callee stays open",
        "leaving",
        rule=("e == OPEN && HALF(place, OTHER(side)) == LEFT", "0"),
    ),
    Mutation(
        "end-before-hello",
        "an EOF before the hello leaves the calls as they are",
        "breaking",
        _no_effect("silent", "EOF"),
    ),
    Mutation(
        "harmless-fatal", "FATAL leaves the calls as they are", "breaking", _no_effect("talking", "FATAL")
    ),
    Mutation("no-failed", "a call that was failed is `done`", "blame-callee", _renamed("failed", "done")),
)


def hunt(
    mutation: Mutation,
    files: Mapping[str, Any],
    known: Mapping[str, Configuration],
    folder: Path,
) -> str | None:
    """Say what finds a mutation: `totality`, the name of an assertion or formula, or None if nothing does.

    `files`: the two tables under `call` and `connection`, the text of the model under `peers`.
    """
    call, connection = copy.deepcopy(files["call"]), copy.deepcopy(files["connection"])
    peers: str = files["peers"]
    if mutation.tables:
        mutation.tables(call, connection)
    if mutation.rule:
        old, new = mutation.rule
        if peers.count(old) != 1:
            raise ModelError(f"{mutation.name}: the model has {peers.count(old)} times: {old}")
        peers = peers.replace(old, new)
    try:
        broken_tables = tables(call, connection)
    except TotalityError:
        return "totality"
    return run(known[mutation.configuration], peers, broken_tables, folder).broken
