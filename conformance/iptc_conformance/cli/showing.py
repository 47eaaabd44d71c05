"""`iptc show`: a case with its clauses, steps and bytes; or a clause with its rationale and cases."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from iptc_conformance import _specdata
from iptc_conformance.cases import Case, Step, load_cases
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.cli.listing import case_summary
from iptc_conformance.driving.sending import conn_of, frames_of, is_sending
from iptc_conformance.driving.session import Settings, Talk
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.wire import frame

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES_SHOWN = 96


def show_name(name: str, *, as_json: bool) -> int:
    """Print a case or a clause.  Raises UsageError for an unknown id."""
    cases = {case.id: case for case in load_cases()}
    if name in cases:
        return _show_case(cases[name], as_json=as_json)
    clause = _specdata.clauses().get(_clause_id(name))
    if clause is not None:
        return _show_clause(clause, list(cases.values()), as_json=as_json)
    close = difflib.get_close_matches(name, [*cases, *_specdata.clauses()], n=3)
    raise UsageError(
        f"no case and no clause is called {name!r}" + (f"; {' or '.join(close)}?" if close else "")
    )


def steps_with_bytes(case: Case) -> Iterator[tuple[Step, list[bytes]]]:
    """Each step with the frames that it sends; cids, uids and tags are samples, fresh in every run."""
    session = Talk(Settings())
    for step in case.steps:
        yield step, _frames(step, session)


def _frames(step: Step, session: Talk) -> list[bytes]:
    if "bind" in step:
        session.bindings.bind_cid(step["bind"], session.bindings.value(step["cid"]))
    if is_sending(step):
        return frames_of(step, session)
    made: list[bytes] = []
    if "connect" in step and "hello" not in step:
        made.append(session.hello(step["connect"]))
    elif "connect" in step and step["hello"] is not False:
        made.append(frame(encode(session.bindings.value(step["hello"]))))
    for part in (*step.get("together", ()), *step.get("with", ())):
        conn_of(part, session, step.get("connect"))
        made.extend(frames_of(part, session))
    return made


def _clause_id(name: str) -> str:
    return name[:-1].upper() + name[-1:].lower()


def _show_case(case: Case, *, as_json: bool) -> int:
    if as_json:
        print(
            json.dumps({**case_summary(case), "connections": case.connections, "steps": case.steps}, indent=2)
        )
        return 0
    console = Console(highlight=False)
    console.print(Text.assemble((case.id, "bold"), f"  {case.level} {case.role}"))
    console.print(Text(case.title))
    facts = {
        "needs": " ".join(case.needs),
        "usually": case.hint,
        "twin": case.twin or "",
        "breaks": f"{' '.join(case.violates)} (on purpose, by the suite)" if case.violates else "",
        "runs": "alone: it may take the testee down" if case.hostile else "",
    }
    for key, fact in facts.items():
        if fact:
            console.print(Text.assemble((f"{key:<8} ", "bold"), fact))
    console.print()
    for clause in case.clauses:
        _print_clause(console, _specdata.clauses()[clause])
    console.print(Text("steps", style="bold"))
    for number, (step, frames) in enumerate(steps_with_bytes(case), 1):
        console.print(Text(f"{number:>3}  {json.dumps(step, ensure_ascii=False)}"))
        for data in frames[:3]:
            console.print(Padding(Text(_hex(data), style="dim"), (0, 0, 0, 7)))
        if len(frames) > 3:
            console.print(Padding(Text(f"… {len(frames)} frames", style="dim"), (0, 0, 0, 7)))
    return 0


def _show_clause(clause: dict[str, Any], cases: list[Case], *, as_json: bool) -> int:
    having = [case for case in cases if clause["id"] in case.clauses]
    if as_json:
        print(json.dumps({**clause, "cases": [case.id for case in having]}, indent=2))
        return 0
    console = Console(highlight=False)
    _print_clause(console, clause)
    if clause.get("exclusion"):
        console.print(Text.assemble(("no case  ", "bold"), str(clause["exclusion"])))
    for case in having:
        console.print(Text.assemble((f"{case.id}  ", "bold"), case.title))
    return 0


def _print_clause(console: Console, clause: dict[str, Any]) -> None:
    console.print(Text.assemble((clause["id"], "bold"), f"  {clause['level']} {clause['role']}"))
    lines = [str(clause["text"])]
    if clause.get("rationale"):
        lines.append(f"Why: {clause['rationale']}")
    if clause.get("answers"):
        lines.append(f"Answers: {', '.join(clause['answers'])}")
    console.print(Padding(Text("\n".join(lines)), (0, 0, 1, 4)))


def _hex(data: bytes) -> str:
    head = data[:_BYTES_SHOWN].hex(" ")
    return head if len(data) <= _BYTES_SHOWN else f"{head} … ({len(data)} bytes)"
