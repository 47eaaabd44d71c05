"""One-bug peers as processes, over sockets: what a user would see who has that bug."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def conform(folder: Path, role: str, peer: str, *cases: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run cases against a peer as a process: the exit code, and the results by case."""
    jsonl = folder / "results.jsonl"
    only = [word for case in cases for word in ("--only", case)]
    command = ["--jsonl", str(jsonl), *only, "--", sys.executable, "-m", "faults", peer]
    code = main(["conform", role, *command])
    lines = [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]
    return code, {line["case"]: line for line in lines if "case" in line}


@pytest.mark.parametrize(
    ("role", "cases"),
    [
        ("callee", ("opn-unary", "str-echo", "dsc-reset-unary", "hsk-second-hello")),
        ("caller", ("caller-opn-unary", "caller-str-echo", "caller-dsc-leaves", "caller-rob-int")),
    ],
)
def test_an_honest_process_passes(tmp_path: Path, role: str, cases: tuple[str, ...]) -> None:
    code, results = conform(tmp_path, role, f"honest-{role}", *cases)
    assert {name: line["verdict"] for name, line in results.items()} == dict.fromkeys(cases, "pass")
    assert code == 0


@pytest.mark.parametrize(
    ("role", "peer", "case", "verdict", "clause"),
    [
        ("callee", "callee-end-twice", "str-echo", "fail", "STR-03s"),
        ("callee", "callee-reset-ends-process", "frm-truncated-body-reset", "crash", "ROB-01r"),
        ("callee", "callee-wrong-object-ends-process", "rob-int", "crash", "ROB-01r"),
        ("caller", "caller-stop-is-nil", "caller-str-echo", "fail", "STR-05s"),
        ("caller", "caller-fatal-ends-process", "caller-err-fatal", "crash", "ROB-01r"),
    ],
)
def test_a_fault_shows_over_sockets_too(
    tmp_path: Path, role: str, peer: str, case: str, verdict: str, clause: str
) -> None:
    code, results = conform(tmp_path, role, peer, case)
    assert code == 1
    assert results[case]["verdict"] == verdict, results[case]
    assert clause in results[case]["failed"]


def test_an_unknown_peer_is_no_peer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "callee", "--", sys.executable, "-m", "faults", "callee-of-no-such-name"]) == 2
    assert "no such peer" in capsys.readouterr().err
