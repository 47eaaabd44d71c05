"""Workers that share a Redis: what one finds the other tries first.  Run by `make redis-tests`."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies

from faults.data import faults
from iptc_conformance.driving.callee.embedded import Embedded
from iptc_conformance.driving.session import Settings
from iptc_fuzz import sharing
from iptc_fuzz.live import hunting
from tests.fuzz.fuzz_worker import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iptc_fuzz.live.game import Game

SECONDS = 10
ROOT = Path(__file__).resolve().parents[2]
FAULT = "callee-nan-as-nil"
KEY, VALUE = b"key", b"value"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[str]:
    """A Redis of its own that writes nothing to disk; its URL."""
    path = shutil.which("redis-server")
    assert path is not None, "redis-server is needed: make redis-tests installs it where it may"
    options = f"--bind 127.0.0.1 --port {port} --dir {folder} --appendonly no --daemonize no".split()
    with subprocess.Popen([path, *options, "--save", ""], stdout=subprocess.DEVNULL) as process:
        try:
            await_listening(port, process)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def await_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(SECONDS)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"redis-server does not listen: exit code {process.poll()}")


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path, free_port()) as url:
        yield url


def worker(folder: Path, seed: int, *more: str) -> bytes:
    """Run a worker in a folder of its own, where nothing is known yet: a mark for each execution."""
    folder.mkdir()
    log = folder / "log"
    command = [sys.executable, "-m", "tests.fuzz.fuzz_worker", str(log), "fuzz", "codec", "--target", TARGET]
    command += ["--seed", str(seed), "--findings", str(folder / "findings"), *more]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=12 * SECONDS)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "1 finding\n" in ran.stdout
    return log.read_bytes()


def test_what_one_worker_finds_another_tries_first(redis_url: str, tmp_path: Path) -> None:
    """The other has seen no file of the first, and its dice would have shown it nothing so soon."""
    first = worker(tmp_path / "first", 1, "--database", redis_url)
    other = worker(tmp_path / "other", 5, "--database", redis_url)
    alone = worker(tmp_path / "alone", 5)
    assert first.index(b"F") > 20
    assert alone.index(b"F") > 20
    assert other.index(b"F") == 0


def hunt(url: str, folder: Path, game: Game = hunting.CALLEE, executions: int = 2000) -> list[hunting.Caught]:
    peer = next(fault.type for fault in faults() if fault.id == FAULT)
    limits = hunting.Limits(12 * SECONDS, executions, findings=1)
    database = sharing.database(url, folder)
    settings = Settings(talk=False)
    return hunting.Hunt(Embedded(peer), settings, limits, seed=5, database=database, game=game).run()


def test_what_one_hunt_for_a_live_peer_finds_another_begins_with(redis_url: str, tmp_path: Path) -> None:
    """The other draws nothing itself but conversations of no words."""
    dumb = replace(hunting.CALLEE, first=tuple, draw=lambda: strategies.just([]))
    assert hunt(redis_url, tmp_path, dumb, 20) == []
    (first,) = hunt(redis_url, tmp_path)
    (other,) = hunt(redis_url, tmp_path, dumb)
    assert other.key == first.key


def test_a_worker_whose_redis_goes_away_says_so_once_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with redis_server(tmp_path, free_port()) as url:
        database = sharing.database(url, tmp_path)
        database.save(KEY, VALUE)
        database.save(KEY, b"v")
        assert list(database.fetch(KEY)) == [b"v", VALUE]
        database.delete(KEY, b"v")
        assert list(database.fetch(KEY)) == [VALUE]
    database.save(KEY, VALUE)
    assert list(database.fetch(KEY)) == [VALUE]
    database.delete(KEY, VALUE)
    assert list(database.fetch(KEY)) == []
    assert capsys.readouterr().err.count("going on without it") == 1
