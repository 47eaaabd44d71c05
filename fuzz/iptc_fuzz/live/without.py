"""A case without some of its calls, and without whatever else speaks of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iptc_conformance.cases.model import Case, Step

_MAKES = ("open", "cancel", "bind")
"""Steps of these verbs give a call its name."""


def calls(case: Case) -> list[str]:
    """Return the names of the calls that a case opens, in their order."""
    return [part["open"] for step in case.steps for part in _parts(step) if isinstance(part.get("open"), str)]


def without(case: Case, gone: set[str]) -> Case:
    """Return the case without these calls: no step names one, waits for one, or asks for one's task.

    What is dropped takes with it what it has named itself, as a cancel of a call that is no longer there.
    """
    steps = list(case.steps)
    while True:
        named = set(gone)
        steps = [kept for step in steps if (kept := _step(step, named)) is not None]
        if named == gone:
            return replace(case, steps=tuple(steps))
        gone = named


def _step(step: Step, gone: set[str]) -> Step | None:
    """The step, the rest of it, or None; `gone` takes in the names that go with it."""
    if "together" not in step:
        return step if _stays(step, gone) else None
    parts = [part for part in step["together"] if _stays(part, gone)]
    if len(parts) == len(step["together"]):
        return step
    if len(parts) > 1:
        return {**step, "together": parts}
    beside = {key: value for key, value in step.items() if key == "on" and value != "a"}
    return {**parts[0], **beside} if parts else None


def _stays(step: Step, gone: set[str]) -> bool:
    if gone.isdisjoint(_strings(step)):
        return True
    gone.update(step[verb] for verb in _MAKES if isinstance(step.get(verb), str))
    gone.update(_tags(step))
    return False


def _parts(step: Step) -> list[Step]:
    parts: list[Step] = step.get("together", [step])
    return parts


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)


def _tags(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$tag"), str):
            yield value["$tag"]
        for part in value.values():
            yield from _tags(part)
    elif isinstance(value, list):
        for part in value:
            yield from _tags(part)
