"""Trace files and `iptc check`: what it prints, and how it exits."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance import _specdata, check, trace
from iptc_conformance.trace import TraceError, TraceEvent

if TYPE_CHECKING:
    from pathlib import Path

    from iptc_conformance.trace import Side
    from tests.judge.conftest import Talk

STREAM: tuple[tuple[Side, str], ...] = (
    ("initiator", "OPEN"),
    ("acceptor", "ACK_CONTEXT"),
    ("acceptor", "STARTED"),
    ("acceptor", "END"),
)


def _write(path: Path, talk: Talk) -> str:
    with path.open("w", encoding="utf-8") as out:
        trace.write(talk.events, out)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path, talk: Talk) -> str:
    """A trace whose callee yields after its stop, at seq 6."""
    talk.sends(*STREAM)
    talk.sends(("acceptor", "ITEM"), ("acceptor", "RESULT"), ("initiator", "END"))
    return _write(tmp_path / "bad.jsonl", talk)


@pytest.fixture
def good(tmp_path: Path, talk: Talk) -> str:
    """A legal trace."""
    talk.sends(*STREAM, ("acceptor", "RESULT"), ("initiator", "END"))
    return _write(tmp_path / "good.jsonl", talk)


def test_a_yield_after_the_stop_is_named(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(bad, as_json=False, strict=False) == 1
    printed = capsys.readouterr().out
    for part in (
        "seq 6",
        "acceptor",
        "call c1",
        "STR-02s MUST",
        _specdata.clause_text("STR-02s"),
        "reaction drop",
    ):
        assert part in printed
    assert "\x1b" not in printed


def test_a_legal_trace_passes(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(good, as_json=False, strict=True) == 0
    assert capsys.readouterr().out.startswith("pass: 0 findings in 8 frames")


def test_the_verdict_for_programs(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(bad, as_json=True, strict=False) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "fail"
    assert report["exit"] == 1
    assert report["clauses"]["STR-02s"] == "fail"
    assert report["clauses"]["CTX-01s"] == "pass"
    assert "TRM-01r" not in report["clauses"]
    (finding,) = report["findings"]
    assert finding.pop("text") == _specdata.clause_text("STR-02s")
    assert finding == {
        "clause": "STR-02s",
        "level": "MUST",
        "seq": 6,
        "conn": "1",
        "side": "acceptor",
        "cid": "c1",
        "reaction": "drop",
        "detail": "ITEM by the callee in callee-stopped",
    }


def test_a_warning_exits_1_only_if_strict(tmp_path: Path, talk: Talk) -> None:
    talk.sends(*STREAM[:3], ("acceptor", "ITEM"), ("acceptor", "RESULT"))
    path = _write(tmp_path / "warn.jsonl", talk)
    assert check.run(path, as_json=False, strict=False) == 0
    assert check.run(path, as_json=False, strict=True) == 1


def test_an_empty_trace_judges_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert check.run(str(path), as_json=False, strict=False) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no frame was judged" in captured.err


def test_a_trace_without_a_whole_frame_judges_nothing(tmp_path: Path, fresh: Talk) -> None:
    fresh.data("initiator", b"\x05\x00\x00\x00")
    fresh.eof("acceptor")
    assert check.run(_write(tmp_path / "thin.jsonl", fresh), as_json=True, strict=False) == 2


@pytest.mark.parametrize(
    "content", [b"\x7fELF\x02\xff\xfe", b"\x00" * 50, b"[" * 100_000, b'{"seq": 1', b"5\n", b"9" * 5000]
)
def test_garbage_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(content)
    assert check.run(str(path), as_json=False, strict=False) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "line 1" in captured.err


@pytest.mark.parametrize("name", ["missing", "", "with\0nul"])
def test_a_path_that_is_no_file_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert check.run(str(tmp_path / name), as_json=False, strict=False) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_standard_input_is_read_for_a_dash(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(good, "rb") as stream, io.TextIOWrapper(stream) as text:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", text)
        assert check.run("-", as_json=False, strict=False) == 0


def test_a_fault_of_ours_is_no_verdict(
    good: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_events: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(check, "judge", broken)
    assert check.run(good, as_json=False, strict=False) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_peer_cannot_talk_to_the_terminal(
    tmp_path: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    talk.send("acceptor", "ITEM", "\x1b]0;hi\x07")
    talk.send("acceptor", "OPEN", "c1", uid=["\x1b[31m", "[bold]x"])
    assert check.run(_write(tmp_path / "t.jsonl", talk), as_json=False, strict=False) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\\x1b]0;hi\\x07" in printed
    assert "[bold]x" in printed


LINE: dict[str, Any] = {"seq": 1, "conn": "1", "from": "initiator", "bytes": "00"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seq": None}, "has no `seq`"),
        ({"seq": "1"}, "`seq` is no integer"),
        ({"seq": True}, "`seq` is no integer"),
        ({"conn": 1}, "`conn` is no string"),
        ({"conn": None}, "has no `conn`"),
        ({"from": "caller"}, "neither initiator nor acceptor"),
        ({"from": ["initiator"]}, "neither initiator nor acceptor"),
        ({"bytes": "0"}, "no hex"),
        ({"bytes": "zz"}, "no hex"),
        ({"bytes": 5}, "no hex"),
        ({"bytes": "00 11"}, "more than hex digits"),
        ({"eof": 1}, "neither true nor false"),
        ({"bytes": None}, "neither `bytes` nor `eof`"),
        ({"bytes": None, "eof": False}, "neither `bytes` nor `eof`"),
    ],
)
def test_a_bad_line_says_what_is_wrong(change: dict[str, Any], reason: str) -> None:
    entry = {key: value for key, value in (LINE | change).items() if value is not None}
    with pytest.raises(TraceError, match=f"line 3: .*{reason}") as caught:
        list(trace.read([json.dumps(LINE | {"seq": 0}), "", json.dumps(entry)]))
    assert caught.value.line == 3


def test_seq_has_to_grow() -> None:
    with pytest.raises(TraceError, match="line 2: `seq` 1 follows 1: it has to grow"):
        list(trace.read([json.dumps(LINE), json.dumps(LINE)]))


@pytest.mark.parametrize("more", [{"bytes": "00"}, {"bytes": None, "eof": True}])
def test_nothing_comes_after_the_end_of_a_side(
    more: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then the trace is wrong, and no peer. The other side and other connections may go on."""
    side, other = LINE["from"], {"initiator": "acceptor", "acceptor": "initiator"}[LINE["from"]]
    lines = [
        LINE | {"seq": 0, "eof": True},
        LINE | {"seq": 1, "from": other},
        LINE | {"seq": 2, "conn": "another"},
        {key: value for key, value in (LINE | more | {"seq": 3}).items() if value is not None},
    ]
    assert len(list(trace.read(map(json.dumps, lines[:3])))) == 3
    path = tmp_path / "trace.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert check.run(str(path), as_json=False, strict=False) == 2
    assert f"line 4: comes after the `eof` of the {side}" in capsys.readouterr().err


def test_a_line_may_hold_bytes_and_the_end_and_more() -> None:
    line = json.dumps(LINE | {"eof": True, "time": 1.5})
    assert list(trace.read([line.encode()])) == [TraceEvent(1, "1", "initiator", b"\x00", eof=True)]


def test_a_trace_is_read_as_it_was_written() -> None:
    events = [
        TraceEvent(1, "é", "initiator", b""),
        TraceEvent(5, "1", "acceptor", b"\xff", eof=True),
        TraceEvent(6, "1", "initiator", None, eof=True),
    ]
    out = io.StringIO()
    trace.write(events, out)
    assert list(trace.read(out.getvalue().splitlines())) == events
