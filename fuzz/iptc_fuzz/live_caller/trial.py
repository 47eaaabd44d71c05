"""One conversation put to a driver: the case that it is, and what was found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.model import Case
from iptc_fuzz.live.trial import Key, Shown, every_duty
from iptc_fuzz.live_caller.table import script_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.result import Result
    from iptc_fuzz.live.drawing import Action

_OWN = "ROB-01r"
_LIKELY = (_OWN, "OPN-02s", "OPN-10s", "STR-06s", "TRM-01s")
"""What a step that names no clause may be about: the first unless the engine knows better."""
_CLOSED = "ROB-04r"
BAD = frozenset({"fail", "crash", "hang"})
"""The verdicts that are findings."""
CHECKS = frozenset({"barrier", "silent", "alive", "outcome", "closed", "left", "noticed", "hello_of"})
"""Steps that only look: without one of them the others are as sound as before."""


def case_of(actions: Sequence[Action]) -> Case:
    """The case that a list of actions makes."""
    script = script_of(actions)
    steps = tuple(_plain(step, heavy=script.heavy) for step in script.steps)
    text = json.dumps([script.hello, steps], sort_keys=True)
    ops = {step["op"] for step in steps if "do" in step and step["op"] != "close"}
    return Case(
        id=f"caller-fuzz-{hashlib.sha256(text.encode()).hexdigest()[:12]}",
        area="ROB",
        title="A conversation that a fuzzer has found",
        clauses=_LIKELY,
        level="MUST",
        role="caller",
        needs=tuple(sorted(ops)),
        steps=steps,
        hint="found by `iptc fuzz caller`, and shrunk",
        hostile=script.ended,
        violates=every_duty() if script.broken else (),
        hello=script.hello,
    )


def _plain(step: Step, *, heavy: bool) -> dict[str, Any]:
    """A step without what goes without saying."""
    return {key: value for key, value in step.items() if heavy or key != "within"}


def sound(case: Case, _verdict: str) -> bool:
    """Whether a case that was cut short still waits for all that the driver says of its own accord."""
    talking = {step["do"] for step in case.steps if "do" in step and ("send" in step or "take" in step)}
    owed: set[str] = set()
    of = {step["opened"]: step["of"] for step in case.steps if "opened" in step}
    for step in _flat(case.steps):
        if "started" in step and of.get(step["started"]) in talking:
            owed.add(step["started"])
        elif "expect" in step:
            owed.discard(step["expect"])
        elif "allow" in step:
            owed -= set(step["allow"])
    return bool(case.steps) and (not owed or case.hostile)


def _flat(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield from step.get("together", (step,))


def shown(case: Case, result: Result) -> Shown:
    """What a result says."""
    by_judge = [finding for finding in result.findings if finding.side == "initiator"]
    shoulds = [*result.warned, *(finding.clause for finding in by_judge if finding.level == "SHOULD")]
    warned = tuple(Key(clause, "caller", "warn") for clause in dict.fromkeys(shoulds))
    if result.verdict not in BAD:
        return Shown(case, result, (), warned)
    clauses = list(result.failed) or [_OWN]
    if result.verdict == "fail" and _CLOSED in result.warned:
        seen = {finding.clause for finding in by_judge}
        clauses = [clause for clause in clauses if clause in seen]
    return Shown(case, result, tuple(Key(clause, "caller", result.verdict) for clause in clauses), warned)


def told(found: Shown, key: Key) -> Case:
    """The case of a finding as it is written: about its clause.

    It may break whatever it likes: how far it gets, and so what it breaks, depends on the driver.
    """
    clauses = (key.clause, *(clause for clause in _LIKELY if clause != key.clause))
    detail = found.result.detail.splitlines()[0][:200]
    return replace(
        found.case,
        area=key.clause[:3],
        id=f"caller-fuzz-{key.clause.lower()}-{found.case.id.split('-')[-1]}",
        title=f"{key}: {detail}",
        clauses=clauses,
        level="SHOULD" if key.verdict == "warn" else "MUST",
    )
