"""`iptc fuzz` by its command line: exit codes, what is said, testees that are there, die, or never were."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iptc_conformance.__main__ import main
from iptc_conformance.cases.load import load_files
from iptc_fuzz import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30
ROOT = Path(__file__).resolve().parents[2]
HONEST, FAULTY, MORTAL = "honest-callee", "callee-old-functype", "callee-error-ends-process"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(peer: str) -> Iterator[str]:
    """A peer of `conformance/faults` that somebody else has started: its HOST:PORT."""
    port = free_port()
    environment = {**os.environ, "IPTC_PORT": str(port), "PYTHONPATH": f"{ROOT}:{ROOT / 'conformance'}"}
    command = [sys.executable, "-m", "faults", peer]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            await_listening(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def await_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(SECONDS)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"it does not listen: exit code {process.poll()}")


def attached(where: str, folder: Path, minutes: str = "0.05") -> int:
    arguments = ["--attach", where, "--seed", "3", "--minutes", minutes, "--findings", str(folder)]
    return main(["fuzz", "callee", *arguments])


@pytest.fixture(autouse=True)
def _no_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another run has found is there: examples are kept in the current folder."""
    monkeypatch.chdir(tmp_path)


def test_an_attached_testee_with_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(FAULTY) as where:
        assert attached(where, tmp_path / "findings") == 1
        out = capsys.readouterr().out
        assert out.startswith("seed 3\n")
        assert "but not each time" not in out
        path = next(path for path in (tmp_path / "findings").iterdir() if "opn-05s" in path.name)
        assert f"again: iptc conform callee --attach {where} --cases {path}\n" in out
        assert load_files([path])[0].clauses[0] == "OPN-05s"
        again = ["conform", "callee", "--attach", where, "--cases", str(path)]
        assert main(again) == 1


def test_an_attached_testee_that_is_honest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(HONEST) as where:
        assert attached(where, tmp_path / "findings") == 0
    assert " 0 findings" in capsys.readouterr().out
    assert not (tmp_path / "findings").exists()


def test_an_attached_testee_that_dies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it died of is a finding; nobody here can start it again, so the hunt ends before its time."""
    began = time.monotonic()
    with running(MORTAL) as where:
        assert attached(where, tmp_path / "findings", "5") == 1
    assert time.monotonic() - began < 240
    out = capsys.readouterr().out
    assert re.search(r"^crash \S+ by the callee", out, re.MULTILINE)  # which clause: what it died in
    assert f"ended early: nothing listens at {where} any more" in out
    assert list((tmp_path / "findings").glob("*.json")) != []


def test_nothing_listens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"127.0.0.1:{free_port()}"
    assert attached(where, tmp_path / "findings") == 2
    assert capsys.readouterr().err == f"iptc: nothing listens at {where}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["callee"], "say either --attach HOST:PORT or"),
        (["callee", "--attach", "127.0.0.1:1", "--", "true"], "say either --attach HOST:PORT or"),
        (["callee", "--attach", "nowhere"], "is no HOST:PORT"),
        (["callee", "--attach", "127.0.0.1:1", "--minutes", "0"], "--minutes"),
        (["callee", "--attach", "127.0.0.1:1", "--minutes", "nan"], "--minutes"),
        (["callee", "--attach", "127.0.0.1:1", "--minutes", "soon"], "--minutes"),
        (["callee", "--attach", "127.0.0.1:1", "--seed", "x"], "--seed"),
        (["callee", "--", "/no/such/command"], "/no/such/command"),
        (["codec", "--minutes", "0"], "--minutes"),
        (["codec", "--minutes", "-1"], "--minutes"),
        (["codec", "--seed", "x"], "--seed"),
        (["codec", "--jobs", "0"], "--jobs"),
        (["codec", "--target", "nothing"], "no target nothing"),
        (["peer", "--profile", "never"], "--profile"),
        (["--replay", "/no/such/file"], "/no/such/file"),
        (["codec", "--database", "http://127.0.0.1:1"], "no URL of a Redis"),
        (["codec", "--database", "redis://127.0.0.1:port"], "no URL of a Redis"),
        (["codec", "--database", "redis://127.0.0.1:1"], "no Redis answers"),
        (["callee", "--database", "redis://127.0.0.1:1", "--", "true"], "no Redis answers"),
    ],
)
def test_bad_invocations(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err + said.out
    assert "Traceback" not in said.err + said.out


def test_a_shared_database_needs_its_client(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    assert main(["fuzz", "codec", "--database", "redis://127.0.0.1:1"]) == 2
    assert "pip install 'iptc-codec[fuzz-redis]'" in capsys.readouterr().err


def test_targets_side_by_side_do_what_they_do_alone(tmp_path: Path) -> None:
    names = ("roundtrip", "pair")
    command = [sys.executable, "-m", "iptc_conformance", "fuzz", "--jobs", "2", "--findings", str(tmp_path)]
    command += [word for name in names for word in ("--target", name)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=8 * SECONDS)
    assert (ran.returncode, ran.stderr) == (0, "")
    told = [line.split()[:3] for line in ran.stdout.splitlines()]
    assert told == [["seed", "0"], *([name, str(TARGETS[name].ci), "executions"] for name in names)]
