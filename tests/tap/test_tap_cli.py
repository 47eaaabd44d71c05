"""`iptc tap` as a user runs it: over TCP, with its output, its trace and its exit codes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance.__main__ import main
from tests.tap.tap_support import frame, hello, opens

if TYPE_CHECKING:
    from collections.abc import Iterator


SECONDS = 20


class Run:
    """A tap process, told to print lines for programs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        (where,) = self.next("listening")["on"]
        self.port = int(where.rpartition(":")[2])

    def next(self, name: str) -> Any:
        """The next line, which has to be of this name."""
        assert self.process.stdout is not None
        line = json.loads(self.process.stdout.readline())
        assert list(line) == [name], line
        return line[name]

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def code(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(SECONDS)


@contextmanager
def running(to: int, *options: str) -> Iterator[Run]:
    """A tap in front of a port."""
    command = [sys.executable, "-m", "iptc_conformance", "tap", "--listen", "127.0.0.1:0", "--json", *options]
    with subprocess.Popen(
        [*command, "--to", f"127.0.0.1:{to}"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Run(process)
        finally:
            process.kill()


@pytest.fixture
def target() -> Iterator[socket.socket]:
    """Something that listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


def accept(target: socket.socket) -> socket.socket:
    """The connection that the tap makes."""
    end, _ = target.accept()
    end.settimeout(SECONDS)
    return end


def read(end: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    data = b""
    while len(data) < size:
        data += end.recv(size - len(data)) or pytest.fail("the stream ended")
    return data


def test_a_violation_is_told_while_the_connection_goes_on(target: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    talk = hello("initiator") + opens("c1") + frame({"yield": 1, "cid": "c1"})
    with running(target.getsockname()[1], "--once", "--trace", str(path)) as tap:
        with tap.connect() as left, accept(target) as right:
            left.sendall(talk)
            assert read(right, len(talk)) == talk
            assert tap.next("opened")["conn"] == "1"
            finding = tap.next("finding")
            assert (finding["clause"], finding["side"], finding["cid"]) == ("CTX-04s", "initiator", "c1")
            right.sendall(hello("acceptor"))
            assert read(left, len(hello("acceptor"))) == hello("acceptor")
        assert tap.next("ended") == {"conn": "1", "how": "ended"}
        summary = tap.next("summary")
        assert (summary["findings"], summary["judged"], summary["exit"]) == (1, 4, 1)
        assert summary["sides"]["initiator"]["CTX-04s"] == "fail"
        assert tap.code() == 1
    assert main(["check", str(path)]) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary(target: socket.socket, how: signal.Signals) -> None:
    with running(target.getsockname()[1]) as tap, tap.connect() as left, accept(target) as right:
        left.sendall(hello("initiator"))
        assert read(right, len(hello("initiator"))) == hello("initiator")
        tap.next("opened")
        tap.process.send_signal(how)
        assert tap.next("summary")["judged"] == 1
        assert tap.code() == 0
        assert right.recv(1) == b""


def test_a_full_disk_under_the_trace_is_told_at_the_end_too(target: socket.socket) -> None:
    with running(target.getsockname()[1], "--once", "--trace", "/dev/full") as tap:
        with tap.connect() as left, accept(target) as right:
            left.sendall(hello("initiator"))
            assert read(right, len(hello("initiator"))) == hello("initiator")
        tap.next("opened")
        assert tap.next("trouble")["text"] == "the trace ends here: No space left on device"
        tap.next("ended")
        assert tap.next("summary")["exit"] == 3
        assert tap.code() == 3


def test_nothing_judged_is_told_apart(target: socket.socket) -> None:
    with running(target.getsockname()[1]) as tap:
        tap.process.send_signal(signal.SIGTERM)
        assert tap.next("summary")["exit"] == 2
        assert tap.code() == 2


def test_a_reset_and_a_half_close_get_through(target: socket.socket) -> None:
    with running(target.getsockname()[1], "--connections", "2") as tap:
        with tap.connect() as left, accept(target) as right:
            left.sendall(hello("initiator"))
            left.shutdown(socket.SHUT_WR)
            assert read(right, len(hello("initiator"))) == hello("initiator")
            assert right.recv(1) == b""
            right.sendall(hello("acceptor"))
            assert read(left, len(hello("acceptor"))) == hello("acceptor")
        tap.next("opened")
        assert tap.next("ended") == {"conn": "1", "how": "ended"}
        with tap.connect() as left, accept(target) as right:
            left.sendall(hello("initiator"))
            read(right, len(hello("initiator")))
            right.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            right.close()
            with pytest.raises(ConnectionResetError):
                left.recv(1)
        tap.next("opened")
        assert tap.next("ended") == {"conn": "2", "how": "reset by the acceptor"}
        assert tap.next("summary")["connections"] == 2
        assert tap.code() == 0


def test_a_slow_reader_stops_the_writer(target: socket.socket) -> None:
    with running(target.getsockname()[1]) as tap:
        with tap.connect() as left, accept(target):
            left.setblocking(False)  # noqa: FBT003
            body = hello("initiator") + frame({"cmd": ["m", "f", {"x": bytes(1000)}, ["anna", "u-1"], "c"]})
            sent = fill(left, body)
        assert sent < 60_000_000


def fill(end: socket.socket, first: bytes) -> int:
    """Write until nothing more is taken for a second; how much was."""
    sent = end.send(first)
    end.settimeout(1)
    try:
        while sent < 100_000_000:
            sent += end.send(bytes(1 << 16))
    except TimeoutError:
        pass
    return sent


def test_a_target_that_is_not_there(unused_port: int) -> None:
    with running(unused_port, "--once") as tap:
        with (
            pytest.raises(ConnectionResetError),
            tap.connect() as left,
        ):  # it may be over before connect knows
            left.recv(1)
        tap.next("opened")
        assert "Connection refused" in tap.next("ended")["how"]
        assert tap.next("summary")["unreachable"] == 1
        assert tap.code() == 2


@pytest.fixture
def unused_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "words",
    [
        ["--listen", "nowhere", "--to", "127.0.0.1:1"],
        ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--connections", "0"],
        ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--trace", "/nowhere/at/all"],
        ["--listen", "192.0.2.1:1", "--to", "127.0.0.1:1"],
    ],
)
def test_bad_invocations(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tap", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_lines_for_people(target: socket.socket, tmp_path: Path) -> None:
    out, aside = tmp_path / "out", tmp_path / "err"
    command = [sys.executable, "-m", "iptc_conformance", "tap", "--listen", "127.0.0.1:0", "--once"]
    with (
        out.open("w") as stdout,
        subprocess.Popen(
            [*command, "--to", f"127.0.0.1:{target.getsockname()[1]}"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        first = process.stderr.readline()
        port = int(first.split(",")[0].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as left, accept(target) as right:
            talk = hello("initiator") + frame({"yield": 1, "cid": "\x1b[31m"})
            left.sendall(talk)
            read(right, len(talk))
        aside.write_text(process.stderr.read())
        assert process.wait(SECONDS) == 1
    found, sentence, last = out.read_text().splitlines()
    assert found.startswith("seq 0  conn 1  initiator  call \\x1b[31m  CID-04s MUST  ")
    assert "reaction drop" in sentence
    assert last.startswith("findings: 1 finding (1 of a MUST) in 2 frames of 1 connection; of ")
    assert "opened by 127.0.0.1:" in aside.read_text()


@pytest.mark.parametrize(("expected", "code"), [([], 0), (["--expect", "STR-03s"], 1)])
def test_the_reference_peer_is_clean_in_the_talk_that_shows_what_tractor_does(
    expected: list[str], code: int
) -> None:
    script = Path(__file__).parents[2] / "conformance/peers/tapped.py"
    command = [sys.executable, str(script), *expected, "--", sys.executable, "-m", "iptc_codec.peer.testee"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == code
    assert "frames of 2 connections went through the tap" in result.stdout
