"""The live fuzzer: an honest testee is left in peace, a faulty one is found out by a small case."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis.database import InMemoryExampleDatabase

from faults.data import faults, honest
from iptc_conformance.cases.load import load_files
from iptc_conformance.driving.callee.embedded import Embedded, judge_embedded
from iptc_conformance.driving.session import Settings
from iptc_fuzz.live import commands, hunting
from iptc_fuzz.live.drawing import HEAVY, VALUED, VERBS
from iptc_fuzz.live.on_calls import picked
from iptc_fuzz.live.on_names import PAIRS
from iptc_fuzz.live.sweep import sweep
from iptc_fuzz.live.table import ACTS
from iptc_fuzz.live.trial import case_of, document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from iptc_conformance.driving.callee.embedded import Serve

SECONDS = 120


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
    code = commands.hunt(hunt(fault, 2000), tmp_path, "iptc conform callee --cases FILE", out)
    assert code == commands.EXIT_FINDINGS
    (path,) = tmp_path.iterdir()
    (case,) = load_files([path])
    assert len(case.steps) <= 8
    assert case.clauses[0] == clause
    (result,) = judge_embedded([case], peer(fault))
    assert (result.verdict, result.failed[0]) == ("fail", clause)
    (result,) = judge_embedded([case], peer("honest-callee"))
    assert result.verdict == "pass"
    assert f"--cases {path}" in out.getvalue()


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
