"""Drivers as processes: what the suite makes of those that die, are mute, talk nonsense, or never connect."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from iptc_conformance.cases import Case, load_cases
from iptc_conformance.driving.caller.driver import Answers, Command, DriverError
from iptc_conformance.driving.caller.suite import Suite
from iptc_conformance.driving.session import Settings

if TYPE_CHECKING:
    from iptc_conformance.driving.result import Result

SCRATCH = Path(__file__).with_name("scratch_driver.py")
CASES = {case.id: case for case in load_cases() if case.role == "caller"}
UNARY = [CASES[name] for name in ("caller-opn-unary", "caller-cid-fail-one", "caller-cid-out-of-order")]
BOUND = 60


def scratch(how: str, *, start_seconds: float = 20.0) -> Command:
    return Command([sys.executable, str(SCRATCH), how], "iptc_testee", start_seconds=start_seconds)


def judged(how: str, cases: list[Case], *, timeout: float = 0.4, start_seconds: float = 20.0) -> list[Result]:
    async def run() -> list[Result]:
        settings = Settings("iptc_testee", timeout)
        driver = scratch(how, start_seconds=start_seconds)
        with trio.fail_after(BOUND):
            return await Suite(driver, cases, settings, lambda _result: None).run()

    return trio.run(run)


def test_an_honest_driver_of_a_few_lines_passes() -> None:
    assert [result.verdict for result in judged("honest", UNARY, timeout=5)] == ["pass"] * len(UNARY)


def test_a_driver_that_dies_has_crashed_and_its_last_words_are_told() -> None:
    (result,) = judged("dies", [CASES["caller-cid-out-of-order"]], timeout=5)
    assert result.verdict == "crash"
    assert "ended with 3" in result.detail
    assert "no idea how to go on" in result.detail


def test_a_death_is_of_one_case_and_the_others_get_a_driver_of_their_own() -> None:
    results = {result.case.id: result.verdict for result in judged("dies", UNARY, timeout=5)}
    assert set(results.values()) == {"crash"}
    assert len(results) == len(UNARY)


def test_a_mute_driver_fails_in_bounded_time() -> None:
    results = judged("mute", UNARY)
    assert {result.verdict for result in results} <= {"fail", "hang"}
    assert all("nothing came" in result.detail for result in results)


def test_a_mute_driver_is_not_asked_for_ever() -> None:
    cases = [case for case in CASES.values() if not case.hostile and case.hello is None][:60]
    results = judged("mute", cases, timeout=0.1)
    assert len(results) == len(cases)
    assert sum(result.verdict == "untestable" for result in results) > len(cases) // 2


def test_what_is_no_answer_on_stdout_is_said_to_be_none() -> None:
    results = judged("garbage", UNARY, timeout=5)
    assert {result.verdict for result in results} == {"untestable"}
    assert all("'ready to go!'" in result.detail for result in results)


def test_an_op_that_is_answered_twice_is_nonsense() -> None:
    (result,) = judged("twice", [CASES["caller-opn-unary"]], timeout=5)
    assert result.verdict == "untestable"
    assert "second time" in result.detail


def test_an_op_that_is_not_known_leaves_its_cases_unsupported() -> None:
    (result,) = judged("honest", [CASES["caller-frm-byte-by-byte"]], timeout=5)
    assert result.verdict == "unsupported"
    assert "stream count: calls alone" in result.detail


def test_a_caller_without_a_hello_fails_for_it() -> None:
    (result,) = judged("no-hello", [CASES["caller-opn-unary"]])
    assert result.verdict == "fail"
    assert "HSK-01s" in result.failed


def test_a_wrong_uid_is_seen_in_passing() -> None:
    (result,) = judged("uid", [CASES["caller-cid-out-of-order"]], timeout=5)
    assert result.verdict == "fail"
    assert "OPN-08s" in result.failed


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([sys.executable, str(SCRATCH), "exits"], "ended with 1.*there is nothing to do"),
        (["/no/such/driver"], "No such file"),
    ],
)
def test_a_driver_that_does_not_start_leaves_nothing_to_judge(command: list[str], said: str) -> None:
    async def run() -> None:
        driver = Command(command, "iptc_testee")
        with trio.fail_after(BOUND):
            await Suite(driver, UNARY, Settings(), lambda _result: None).run()

    with pytest.raises(DriverError, match=f"(?s){said}"):
        trio.run(run)


def test_a_driver_that_never_connects_is_given_up() -> None:
    with pytest.raises(DriverError, match="has not connected"):
        judged("stays-away", UNARY, start_seconds=0.5)


def children_of(pid: int) -> set[int]:
    """The processes whose parent this is."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.add(int(stat.parent.name))
    return found


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_no_driver_stays_behind_when_the_run_is_ended(ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "iptc_conformance", "conform", "caller", "--timeout", "30", "--"]
    run = subprocess.Popen(
        [*command, sys.executable, str(SCRATCH), "mute"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    drivers: set[int] = set()
    deadline = time.monotonic() + BOUND
    while len(drivers) < 2 and time.monotonic() < deadline:
        drivers = children_of(run.pid)
        time.sleep(0.02)
    run.send_signal(ending)
    _, stderr = run.communicate(timeout=BOUND)
    assert run.returncode == 130
    assert b"interrupted" in stderr
    assert not [pid for pid in drivers if Path(f"/proc/{pid}").exists()]


def test_answers_are_lines_however_they_come() -> None:
    answers = Answers(lambda: None)
    answers.asked = 2
    for byte in b'{"id": 1, "outcome": "return", "value": 2}\n\n{"id": 2, "outcome": "closed"}':
        answers.feed(bytes([byte]))
    assert answers.by_id == {1: {"id": 1, "outcome": "return", "value": 2}}
    answers.feed(os.linesep.encode())
    assert answers.by_id[2]["outcome"] == "closed"
    assert answers.nonsense is None


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b"7\n",
        b'{"id": "1", "outcome": "x"}\n',
        b'{"id": true, "outcome": "x"}\n',
        b'{"id": 1}\n',
        b'{"id": 0, "outcome": "x"}\n',
        b'{"id": 8, "outcome": "of nothing that was asked"}\n',
        b"\xff\n",
        b"[" * 9999 + b"\n",
    ],
)
def test_what_is_no_answer_is_told_apart(line: bytes) -> None:
    answers = Answers(lambda: None)
    answers.asked = 7
    answers.feed(line)
    assert answers.by_id == {}
    assert answers.nonsense is not None
