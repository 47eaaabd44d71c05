"""The live fuzzer: an honest testee is left in peace, a faulty one is found out by a small case."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis.database import InMemoryExampleDatabase

from faults.data import faults, honest
from iptc_conformance.cases.load import load_files
from iptc_conformance.driving.callee.embedded import Embedded, judge_embedded
from iptc_conformance.driving.result import Result
from iptc_conformance.driving.session import Settings
from iptc_fuzz.live import commands, hunting
from iptc_fuzz.live.calls import FUNCTIONS
from iptc_fuzz.live.drawing import HEAVY, VALUED, VERBS
from iptc_fuzz.live.on_calls import picked
from iptc_fuzz.live.on_names import PAIRS
from iptc_fuzz.live.sweep import sweep
from iptc_fuzz.live.table import ACTS
from iptc_fuzz.live.trial import Key, Shown, case_of, document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.callee.embedded import Serve
    from iptc_fuzz.live.drawing import Action

SECONDS = 120
GOES = 3
"""Which of two tasks runs first is cast by trio: a fault may need it to be the one, an alarm the other."""


def peer(name: str) -> Callable[[], Serve]:
    return next(one.type for one in [*faults(), *honest()] if one.id == name)


def hunt(name: str, executions: int, findings: int = 1) -> hunting.Hunt:
    limits = hunting.Limits(SECONDS, executions, findings)
    return hunting.Hunt(Embedded(peer(name)), Settings(talk=False), limits, seed=5)


def test_every_verb_that_is_drawn_does_something() -> None:
    assert {*VERBS, *HEAVY} == ACTS.keys()
    assert {action[0] for conversation in sweep() for action in conversation} >= ACTS.keys() - {
        "await",
        "garbage",
    }
    assert picked([], 3) is None


def test_an_honest_testee_is_left_in_peace() -> None:
    hunted = hunt("honest-callee", 100)
    assert hunted.run() == []
    assert hunted.faults == []
    assert hunted.executions >= 100
    assert hunted.warned == {}
    assert {"TRM-01s", "CTX-02s"} <= hunted.clauses


@pytest.mark.parametrize(
    ("fault", "clause"),
    [
        ("callee-unknown-cid-answered", "TRM-02s"),
        ("callee-goodbye-before-terminals", "DSC-02s"),
        ("callee-cid-without-case", "OPN-02s"),
        ("callee-cancel-across-connections", "CXL-10r"),
        ("callee-rest-of-hello-chunk-lost", "OPN-02s"),
    ],
)
def test_a_fault_is_found_shrunk_and_replayed_without_hypothesis(
    fault: str, clause: str, tmp_path: Path
) -> None:
    out = io.StringIO()
    hunted = hunt(fault, 2000)
    code = commands.hunt(hunted, tmp_path, "iptc conform callee --cases FILE", out)
    assert code == commands.EXIT_FINDINGS
    (caught,) = [one for one in hunted.caught.values() if not one.flaky]
    path = tmp_path / f"{caught.case.id}.json"
    (case,) = load_files([path])
    assert len(case.steps) <= 8
    assert case.clauses[0] == clause
    shown = [judge_embedded([case], peer(fault))[0] for _ in range(GOES)]
    assert ("fail", clause) in {(result.verdict, *result.failed[:1]) for result in shown}
    left_in_peace = [judge_embedded([case], peer("honest-callee"))[0].verdict for _ in range(GOES)]
    assert {*left_in_peace} == {"pass"}
    assert f"--cases {path}" in out.getvalue()


class Wavering:
    """A bench whose testee is at fault with some cases each time, and with others when the dice say so."""

    def __init__(self, dice: int, sure: Callable[[Case], bool]) -> None:
        self._dice = random.Random(dice)  # noqa: S311 - dice, not secrets
        self._sure = sure

    def start(self) -> None:
        """It is there."""

    stop = fresh = start

    def put(self, case: Case, patience: float = 1) -> Shown:
        del patience
        if self._sure(case) or self._dice.random() < 0.6:
            return Shown(case, Result(case, "fail", failed=("DSC-02s",)), (Key("DSC-02s", "callee", "fail"),))
        return Shown(case, Result(case, "pass"), ())


def functions(case: Case) -> set[str]:
    return {step["func"] for step in case.steps if "func" in step}


def caught_by(bench: Wavering, talk: list[Action]) -> hunting.Caught:
    game = replace(hunting.CALLEE, bench=lambda *_: bench, first=lambda: [talk], tiny=tuple)
    limits = hunting.Limits(SECONDS, 1)
    (caught,) = hunting.Hunt(Embedded(peer("honest-callee")), Settings(), limits, game=game).run()
    assert not caught.flaky
    return caught


@pytest.mark.parametrize("dice", [4, 7, 8])
def test_what_shows_only_at_times_is_no_smaller_case(dice: int) -> None:
    """Dice by which a wavering case shows often enough to be taken for a sound one at first."""
    talk: list[Action] = [["open", 0, 0, choice] for choice in range(len(FUNCTIONS))]
    assert {"hang"} < functions(case_of(talk))
    caught = caught_by(Wavering(dice, lambda case: "hang" in functions(case)), talk)
    assert functions(caught.case) == {"hang"}


@pytest.mark.parametrize("dice", range(4))
def test_where_nothing_smaller_shows_each_time_the_whole_is_handed_on(dice: int) -> None:
    talk: list[Action] = [["open", 0, 0, choice] for choice in range(3)]
    whole = case_of(talk).steps
    caught = caught_by(Wavering(dice, lambda case: case.steps == whole), talk)
    assert caught.case.steps == whole


def test_a_death_is_found_by_the_conversation_that_has_caused_it() -> None:
    (caught,) = hunt("callee-false-hello-ends-process", 2000).run()
    assert caught.key.verdict == "crash"
    assert len(caught.case.steps) <= 3
    assert not caught.flaky


def test_a_should_that_is_not_kept_is_told_and_is_no_fault(tmp_path: Path) -> None:
    out = io.StringIO()
    hunted = hunt("honest-callee-nil-from-cancel", 150)
    assert commands.hunt(hunted, tmp_path, "iptc conform callee --cases FILE", out) == commands.EXIT_CLEAN
    assert [key[0] for key in hunted.warned] == ["CXL-03s"]
    (path,) = tmp_path.iterdir()
    (case,) = load_files([path])
    assert case.level == "SHOULD"
    (result,) = judge_embedded([case], peer("honest-callee-nil-from-cancel"))
    assert (result.verdict, result.warned) == ("warn", ("CXL-03s",))


def test_what_one_worker_has_found_another_begins_with() -> None:
    database = InMemoryExampleDatabase()
    first, second = hunt("callee-unknown-cid-answered", 2000), hunt("callee-unknown-cid-answered", 1)
    first.database = second.database = database
    assert first.run() != []
    (caught,) = second.run()
    assert caught.key.clause == "TRM-02s"


def test_a_case_of_actions_keeps_to_the_schema(tmp_path: Path) -> None:
    drawn = [
        [verb, number % 3, number, 9, *(["00"] if verb == "garbage" else [1] if verb in VALUED else [])]
        for number, verb in enumerate((*VERBS, *HEAVY))
    ]
    path = tmp_path / "case.json"
    path.write_text(json.dumps(document(case_of(drawn))), encoding="utf-8")
    (case,) = load_files([path])
    assert case.violates != ()


def test_no_two_calls_of_a_connection_get_the_same_cid_of_the_fuzzers_own_choice() -> None:
    """Both might live, and the connection would be lost to the fuzzer's own fault (CID-02s)."""
    drawn = [["named", 0, 0, 1], ["talk", 0, 0, 1, 2], ["named", 0, 1, 1], ["named", 1, 0, 1]]
    case = case_of([*drawn, ["garbage", 0, 0, 0, b"\x82\xa5yield\x01\xa3cid\xa3Abc".hex()]])
    bound = [step["cid"] for step in case.steps if "bind" in step]
    assert bound.count("Abc") == 2  # one on either connection
    assert not any("frame" in step for step in case.steps)
    (result,) = judge_embedded([case], peer("honest-callee"))
    assert result.verdict == "pass"
    many = case_of([["talk", 0, 0, choice, 1] for choice in range(30)])
    bound = [step["cid"] for step in many.steps if "bind" in step]
    assert PAIRS / 2 < len(bound) == len({*bound})
