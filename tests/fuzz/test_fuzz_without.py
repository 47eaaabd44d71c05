"""Calls are taken out of a case with all that speaks of them, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iptc_fuzz.live.hunting import CALLEE
from iptc_fuzz.live.shrinking import Shrinker
from iptc_fuzz.live.trial import case_of, waits
from iptc_fuzz.live.without import calls, without

CASE = replace(
    case_of([]),
    steps=(
        {
            "together": [
                {"open": "c1", "func": "hang", "kwargs": {"tag": {"$tag": "tc1"}}},
                {"open": "c2", "func": "echo", "kwargs": {"value": "x"}},
                {"cancel": "k3", "target": "c1"},
            ],
            "on": "b",
        },
        {"expect": "c2", "events": [{"ack": "asyncfunc"}, {"result": "x"}], "on": "b"},
        {"terminal": "k3", "be": {"result": {"$any": True}}, "on": "b"},
        {"poll": "tc1", "clause": "DSC-03r"},
        {"send": {"yield": 1, "cid": {"$cid": "c1"}}, "on": "b"},
    ),
)


def test_a_call_goes_with_its_cancel_its_task_and_its_messages() -> None:
    left = without(CASE, {"c1"})
    assert left.steps == (
        {"open": "c2", "func": "echo", "kwargs": {"value": "x"}, "on": "b"},
        {"expect": "c2", "events": [{"ack": "asyncfunc"}, {"result": "x"}], "on": "b"},
    )
    assert calls(CASE) == ["c1", "c2"]
    assert calls(left) == ["c2"]


def test_the_rest_of_what_is_together_stays_together() -> None:
    first, *rest = without(CASE, {"c2"}).steps
    assert [*first["together"]] == [CASE.steps[0]["together"][0], CASE.steps[0]["together"][2]]
    assert rest == [*CASE.steps[2:]]
    assert without(CASE, {"c1", "c2"}).steps == ()
    assert without(CASE, {"another"}).steps == CASE.steps


def test_a_finding_in_one_of_many_calls_is_shrunk_to_that_call() -> None:
    many = case_of([["crowd", 0, 0, 6]])
    last = calls(many)[-1]
    assert len(calls(many)) > 5
    shrinker = Shrinker(lambda case: last in calls(case), 60, CALLEE, "fail")
    _, small = shrinker.shrink([["crowd", 0, 0, 6]])
    assert calls(small) == [last]


def test_a_case_that_is_cut_short_waits_for_what_it_has_asked() -> None:
    """Whether an answer is seen that nobody waits for is a race, and the finding need not show again."""
    shrinker = Shrinker(lambda case: bool(calls(case)), 60, CALLEE, "fail")
    _, small = shrinker.shrink([["burst", 0, 1, 0, 1]])
    assert len(calls(small)) == 1
    assert [next(iter(step)) for step in small.steps] == ["open", "expect"]


@pytest.mark.parametrize(
    ("steps", "waited"),
    [
        ([{"open": "c1"}], False),
        ([{"open": "c1"}, {"expect": "c1"}], True),
        ([{"terminal": "c1"}, {"cancel": "k1", "target": "c1"}], False),
        ([{"cancel": "k1", "target": "c1"}, {"order": ["c1", "k1"]}], False),
        ([{"open": "c1"}, {"close": "a", "how": "reset"}], False),
        ([{"fence": True}, {"close": "a", "how": "reset"}], True),
        ([{"terminal": "k1"}, {"order": ["c1", "k1"]}], True),
        ([{"repeat": 3, "steps": [{"open": "c1"}]}], False),
        ([{"repeat": 3, "steps": [{"open": "c1"}, {"expect": "c1"}]}], True),
        ([{"repeat": 3, "steps": [{"open": "c1"}, {"order": ["c1", "k1"]}]}], False),
        ([{"repeat": 3, "steps": [{"expect": "c1"}, {"close": "a", "how": "close"}]}], True),
        ([{"connect": "a2"}], True),
        ([{"connect": "a2", "hello": 1}], False),
        ([{"connect": "a2", "hello": 1, "await": True}], True),
        ([{"fence": True}], True),
        ([], False),
    ],
)
def test_what_waits(steps: list[dict[str, Any]], waited: bool) -> None:
    case = replace(CASE, steps=tuple(steps))
    assert waits(case, "fail") is waited
    assert waits(case, "crash")  # whether it lives is asked behind every case
    assert waits(replace(case, hostile=True), "fail")  # which has an exchange behind it


def test_a_death_behind_a_case_that_waits_for_nothing_is_shrunk_all_the_same() -> None:
    shrinker = Shrinker(lambda case: any("close" in step for step in case.steps), 60, CALLEE, "crash")
    actions, _ = shrinker.shrink([["open", 0, 1, 0, 1], ["barrier", 0, 0, 1], ["close", 0, 0, 4]])
    assert actions == [["close", 0, 0, 0]]
