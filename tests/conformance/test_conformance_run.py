"""The runner against honest, odd, faulty, dying, frozen and absent peers: each verdict for its own reason."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

PEER = Path(__file__).with_name("honest_peer.py")
QUICK = (
    "opn-unary",
    "str-count",
    "ctx-return",
    "str-echo",
    "cxl-unary",
    "cxl-finished",
    "hsk-second-hello",
    "rob-int",
)
Lines = dict[str, dict[str, Any]]


class Run:
    """One run of the suite by its command line: the exit code, and the lines of its report by case."""

    def __init__(self, folder: Path, *arguments: str, timeout: float = 1.0) -> None:
        self.jsonl = folder / "results.jsonl"
        self.jsonl.unlink(missing_ok=True)
        self.code = main(
            ["conform", "callee", "--timeout", str(timeout), "--jsonl", str(self.jsonl), *arguments]
        )
        text = self.jsonl.read_text(encoding="utf-8") if self.jsonl.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        self.cases: Lines = {line["case"]: line for line in lines if "case" in line}
        self.summary: dict[str, Any] = lines[-1]["summary"] if lines else {}

    def verdict(self, case: str) -> str:
        """The verdict of one case."""
        return str(self.cases[case]["verdict"])


def only(*cases: str) -> list[str]:
    """The options that select these cases."""
    return [word for case in cases for word in ("--only", case)]


def peer(variant: str) -> list[str]:
    """The command of a variant of the honest peer."""
    return ["--", sys.executable, str(PEER), variant]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which something listens that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_an_honest_peer_passes(tmp_path: Path) -> None:
    run = Run(tmp_path, *only(*QUICK, "dsc-close-unary", "flw-64-unread", "enc-ints"), *peer("honest"))
    assert run.code == 0, run.cases
    assert set(run.summary["verdicts"]) == {"pass"}
    assert run.summary["judged"] == run.summary["cases"] == len(run.cases) == len(QUICK) + 3
    line = run.cases["opn-unary"]
    assert {"case", "clauses", "level", "verdict", "detail"} <= line.keys()
    assert run.summary["clauses"]["TRM-01s"] == "pass"


def test_an_odd_but_honest_peer_has_no_must_broken(tmp_path: Path) -> None:
    run = Run(
        tmp_path, *only(*QUICK, "hsk-*", "ext-hello-any"), "--area", "CXL", "--area", "STR", *peer("whims")
    )
    assert run.code == 0, [line for line in run.cases.values() if line["verdict"] not in {"pass", "warn"}]
    assert run.cases["cxl-finished"]["warned"] == ["CXL-03s"]


@pytest.mark.parametrize(
    ("variant", "case", "clause"),
    [
        ("doubled-stop", "str-echo", "STR-03s"),
        ("no-terminal-on-cancel", "cxl-unary", "TRM-01s"),
        ("no-terminal-on-cancel", "cxl-unary", "CXL-02s"),
        ("leaky", "dsc-close-unary", "DSC-03r"),
        ("silent-drop", "rob-int", "ROB-02r"),
        ("wrong-kind", "str-count", "OPN-10s"),
    ],
)
def test_a_fault_fails_its_case_by_its_clause(tmp_path: Path, variant: str, case: str, clause: str) -> None:
    run = Run(tmp_path, *only(case, "opn-unary"), *peer(variant), timeout=0.5)
    assert run.code == 1
    assert run.verdict(case) == "fail"
    assert clause in run.cases[case]["clauses"]
    assert clause in run.cases[case]["failed"]
    assert run.summary["clauses"][clause] == "fail"
    assert run.verdict("opn-unary") == "pass"


def test_a_death_is_a_crash_and_the_run_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path, *only("rob-int", "rob-str", "cid-list", "opn-unary"), *peer("dies"))
    assert run.code == 1
    assert [run.verdict(case) for case in ("rob-int", "rob-str", "cid-list", "opn-unary")] == [
        "crash",
        "crash",
        "crash",
        "pass",
    ]
    assert "ROB-01r" in run.cases["rob-int"]["failed"]


def test_a_frozen_peer_is_a_hang(tmp_path: Path) -> None:
    run = Run(tmp_path, *only("rob-int", "hsk-second-hello"), *peer("freezes"), timeout=0.5)
    assert run.code == 1
    assert run.verdict("rob-int") == "hang"


def test_functions_that_are_not_served_are_unsupported(tmp_path: Path) -> None:
    """A part that was not judged is not green; a baseline can expect it."""
    run = Run(tmp_path, *only("ctx-return", "opn-unary"), *peer("partial"))
    assert run.code == 1
    assert run.verdict("ctx-return") == "unsupported"
    assert "ctx_return" in run.summary["missing_functions"]
    assert Run(tmp_path, *only("ctx-return"), *peer("partial")).code == 2
    baseline = str(tmp_path / "baseline.json")
    written = Run(tmp_path, "--write-baseline", baseline, *only("ctx-return", "opn-unary"), *peer("partial"))
    assert written.code == 0
    assert Run(tmp_path, "--expect", baseline, *only("ctx-return", "opn-unary"), *peer("partial")).code == 0


def test_another_namespace(tmp_path: Path) -> None:
    assert Run(tmp_path, "--namespace", "elsewhere", *only("opn-unary"), *peer("honest")).code == 2


def test_an_interrupted_run_says_so_in_its_last_line(tmp_path: Path) -> None:
    """Who reads the lines as they come is not left waiting for a summary."""
    jsonl = tmp_path / "results.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        where = ["--attach", f"127.0.0.1:{listener.getsockname()[1]}", "--timeout", "60"]
        command = [sys.executable, "-m", "iptc_conformance", "conform", "callee", *where]
        with subprocess.Popen([*command, "--jsonl", str(jsonl), *only("opn-unary")]) as process:
            listener.accept()[0].close()  # it runs
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 130
    (line,) = map(json.loads, jsonl.read_text(encoding="utf-8").splitlines())
    assert (line["summary"]["interrupted"], line["summary"]["exit"]) == (True, 130)


def test_nothing_listens(tmp_path: Path, silent_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert Run(tmp_path, "--attach", f"127.0.0.1:{port}").code == 2
    assert "nothing listens" in capsys.readouterr().err


def test_a_peer_that_says_nothing(tmp_path: Path, silent_port: int) -> None:
    run = Run(tmp_path, "--attach", f"127.0.0.1:{silent_port}", *only("opn-unary"), timeout=0.2)
    assert run.code == 1
    assert run.verdict("opn-unary") == "hang"
    assert run.cases["opn-unary"]["failed"] == ["HSK-01s"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--attach", "no-port"],
        ["--attach", "127.0.0.1:0"],
        ["--attach", "127.0.0.1:1616", "--", "true"],
        [],
        ["--only", "no-such-case", "--attach", "127.0.0.1:1"],
        ["--timeout", "0", "--attach", "127.0.0.1:1"],
        ["--expect", "/no/such/file", "--attach", "127.0.0.1:1"],
        ["--bogus"],
        ["--", "/no/such/command"],
        ["--", sys.executable, "-c", "raise SystemExit(3)"],
    ],
)
def test_bad_invocations(tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "callee", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_baseline_is_written_then_kept_then_stale(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    cases = only("str-echo", "opn-unary")
    assert Run(tmp_path, "--write-baseline", str(baseline), *cases, *peer("doubled-stop")).code == 0
    written = json.loads(baseline.read_text())
    assert list(written["cases"]) == ["str-echo"]
    written["cases"]["str-echo"].update(reason="the stop is doubled", ref="D7", detail="STR-03s")
    baseline.write_text(json.dumps(written))
    run = Run(tmp_path, "--expect", str(baseline), *cases, *peer("doubled-stop"))
    assert (run.code, run.summary["known"], run.summary["new"]) == (0, ["str-echo"], [])
    assert Run(tmp_path, "--write-baseline", str(baseline), *cases, *peer("doubled-stop")).code == 0
    assert json.loads(baseline.read_text())["cases"]["str-echo"]["reason"] == "the stop is doubled"
    stale = Run(tmp_path, "--expect", str(baseline), *cases, *peer("honest"))
    assert (stale.code, stale.summary["stale"]) == (1, ["str-echo"])


def test_a_case_that_wavers_is_never_stale(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    entry = {"verdict": ["fail", "pass"], "reason": "a race inside the peer"}
    baseline.write_text(json.dumps({"version": 1, "peer": "x", "cases": {"str-echo": entry}}))
    for variant in ("doubled-stop", "honest"):
        assert Run(tmp_path, "--expect", str(baseline), *only("str-echo"), *peer(variant)).code == 0


def test_a_baseline_that_expects_another_reason_does_not_cover(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    entry = {"verdict": "fail", "reason": "another", "detail": "TRM-02s"}
    baseline.write_text(json.dumps({"version": 1, "peer": "x", "cases": {"str-echo": entry}}))
    run = Run(tmp_path, "--expect", str(baseline), *only("str-echo"), *peer("doubled-stop"))
    assert (run.code, run.summary["new"]) == (1, ["str-echo"])


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 1, "peer": "x", "cases": {"a": {"verdict": "pass", "reason": "x"}}}']
)
def test_faulty_baselines(tmp_path: Path, text: str) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text(text)
    assert Run(tmp_path, "--expect", str(baseline), *only("opn-unary"), *peer("honest")).code == 2
