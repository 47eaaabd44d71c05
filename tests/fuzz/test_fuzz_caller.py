"""The live fuzzer of callers: honest drivers are left in peace, faulty ones are found out by a small case."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from faults.data import faults, honest
from iptc_conformance.__main__ import main
from iptc_conformance.cases.load import load_files
from iptc_conformance.driving.caller.embedded import Embedded, judge_embedded
from iptc_conformance.driving.session import Settings
from iptc_fuzz.live import commands, hunting
from iptc_fuzz.live_caller.drawing import VERBS, sayable, sweep
from iptc_fuzz.live_caller.floods import FLOODS, QUICK
from iptc_fuzz.live_caller.game import CALLER
from iptc_fuzz.live_caller.table import ACTS
from iptc_fuzz.live_caller.trial import case_of, shown, sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.caller.embedded import Peer

SECONDS = 240
DRIVERS = [one.id for one in honest() if one.role == "caller"]


def peer(name: str) -> Callable[[], Peer]:
    return next(one.type for one in [*faults(), *honest()] if one.id == name)


def hunt(name: str, executions: int, findings: int = 1) -> hunting.Hunt:
    limits = hunting.Limits(SECONDS, executions, findings)
    return hunting.Hunt(Embedded(peer(name)), Settings(talk=False), limits, seed=5, game=CALLER)


def test_every_verb_that_is_drawn_does_something_and_the_sweep_visits_it() -> None:
    assert VERBS.keys() == ACTS.keys()
    visited = {action[0] for conversation in sweep() for action in conversation}
    assert ACTS.keys() - visited == {"item", "barrier", "garbage"}  # they are drawn alone
    assert len(FLOODS) > QUICK
    assert not sayable({"$nest": 3})
    assert not sayable([{"$map": [[1, {"$raw": "c0"}]]}])


@pytest.mark.parametrize(
    "name", ["honest-caller", "honest-caller-second-cancel", "honest-caller-closes-for-all"]
)
def test_an_honest_caller_is_left_in_peace(name: str) -> None:
    """What is drawn, and a part of the sweep."""
    hunted = hunt(name, 60)
    assert hunted.run() == []
    assert hunted.faults == []
    assert hunted.executions >= 60
    assert {"OPN-01s", "STR-06s", "CXL-01s"} <= hunted.clauses


@pytest.mark.parametrize("name", DRIVERS)
def test_what_is_drawn_finds_nothing_in_honest_callers(name: str) -> None:
    drawn = hunt(name, 0)._drawn(3)  # without the sweep before it
    results = judge_embedded([case_of(one) for one in drawn if one], peer(name))
    assert [shown(result.case, result).keys for result in results if shown(result.case, result).keys] == []
    assert [result.detail for result in results if result.verdict == "harness-fault"] == []


@pytest.mark.parametrize(
    ("fault", "clause"),
    [
        ("caller-end-doubled", "TRM-03s"),
        ("caller-nan-as-nil", "ENC-11r"),
        ("caller-second-started-taken", "CTX-02r"),
        ("caller-pending-outlive-reset", "DSC-04r"),
        ("caller-violation-fails-siblings", "ENC-11r"),
    ],
)
def test_a_fault_is_found_shrunk_and_replayed_without_hypothesis(
    fault: str, clause: str, tmp_path: Path
) -> None:
    out = io.StringIO()
    code = commands.hunt(hunt(fault, 2000), tmp_path, "iptc conform caller --cases FILE", out)
    assert code == commands.EXIT_FINDINGS
    found = {case.clauses[0]: case for path in tmp_path.iterdir() for case in load_files([path])}
    case = found[clause]
    assert len(case.steps) <= 9
    (result,) = judge_embedded([case], peer(fault))
    assert result.verdict == "fail"
    assert clause in result.failed
    (result,) = judge_embedded([case], peer("honest-caller"))
    assert result.verdict == "pass"
    assert f"--cases {tmp_path}" in out.getvalue()


def test_a_case_that_is_cut_short_owes_nothing() -> None:
    case = case_of([["ask", 0, 0, 3, 1]])
    started = next(at for at, step in enumerate(case.steps) if "started" in step)
    assert sound(case, "fail")
    assert not sound(_cut(case, started + 1), "fail")
    assert sound(_cut(case, started + 2), "fail")
    # What the suite says by itself is no step of the driver's.
    assert sound(replace(case, steps=(*case.steps, {"send": 5})), "fail")


def _cut(case: Case, steps: int) -> Case:
    return replace(case, steps=case.steps[:steps])


def test_a_driver_as_a_process_is_found_out_and_its_case_replays(tmp_path: Path) -> None:
    command = ["--", sys.executable, "-m", "faults", "caller-stop-is-nil"]
    options = ["--minutes", "0.2", "--seed", "1", "--findings", str(tmp_path)]
    assert main(["fuzz", "caller", *options, *command]) == 1
    (path, *_) = sorted(tmp_path.glob("*str-05s*.json"))
    assert main(["conform", "caller", "--cases", str(path), *command]) == 1


def test_a_command_line_that_makes_no_sense_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "caller"]) == 2
    assert "the command that starts the driver" in capsys.readouterr().err
    assert main(["fuzz", "caller", "--minutes", "0", "--", "true"]) == 2
    assert "above 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "told"),
    [(["/no/such/driver"], "No such file"), ([sys.executable, "-c", "print('bye')"], "ended with 0")],
)
def test_a_driver_that_does_not_start_is_no_finding(
    command: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "caller", "--minutes", "0.1", "--", *command]) == 2
    assert told in capsys.readouterr().err
