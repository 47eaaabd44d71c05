"""Runs with what users and implementations do wrong: exit codes, no traceback, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iptc_conformance.__main__ import main

FULL = Path("/dev/full")
ONE = ["--only", "codec-ack-asyncfunc"]
BABBLE = "import sys\nwhile True: sys.stdout.buffer.write(b'x' * (1 << 20))"
BYE = r"import sys; sys.exit('\x1b[31mred\x07')"
OWN_ORPHAN = """
import pathlib, subprocess, sys
orphan = subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
pathlib.Path(sys.argv[1]).write_text(str(orphan.pid))
from iptc_codec.verdicts import main
main()
"""
BOUND = 20.0


def test_a_codec_that_babbles_without_end_is_at_fault_and_not_the_suite(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["conform", "codec", *ONE, "--", sys.executable, "-c", BABBLE]) == 1
    out, err = capsys.readouterr()
    assert "the answer is longer than any frame" in out
    assert "Traceback" not in err


@pytest.mark.parametrize("option", ["--jsonl", "--html", "--junit", "--write-baseline"])
def test_a_full_disk_ends_no_run_and_is_told(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "codec", *ONE, option, str(FULL)]) == 2
    out, err = capsys.readouterr()
    assert "1 pass" in out
    assert err == f"iptc: {FULL}: No space left on device\n"


def test_a_full_disk_under_the_standard_output_is_told_in_a_line() -> None:
    command = [sys.executable, "-m", "iptc_conformance", "list"]
    with FULL.open("w") as full:
        run = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=BOUND, check=False
        )
    assert "iptc: the output can't be written: No space left on device" in run.stderr
    assert "Traceback" not in run.stderr
    assert run.returncode == 2


def test_a_baseline_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no" / "file"
    assert main(["conform", "codec", *ONE, "--write-baseline", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"iptc: {path}: No such file or directory\n")


def test_a_baseline_replaces_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.touch()
    assert main(["conform", "codec", *ONE, "--write-baseline", str(path)]) == 0
    assert json.loads(path.read_text())["cases"] == {}


def test_last_words_of_a_driver_leave_the_terminal_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "caller", "--", sys.executable, "-c", BYE]) == 2
    err = capsys.readouterr().err
    assert r"\x1b[31mred\x07" in err
    assert "\x1b" not in err


def test_what_a_wrapper_has_started_does_not_outlive_the_run(tmp_path: Path) -> None:
    """Not even if it takes no notice of SIGTERM."""
    told = tmp_path / "pid"
    assert main(["conform", "codec", *ONE, "--", sys.executable, "-c", OWN_ORPHAN, str(told)]) == 0
    deadline = time.monotonic() + BOUND
    while _runs(int(told.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
