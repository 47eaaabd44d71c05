"""Traces: what was seen on a wire, as JSON Lines.

One object a line, in the order of one observer:

    {"seq": 12, "conn": "1", "from": "initiator"|"acceptor", "bytes": "<hex>"}
    {"seq": 13, "conn": "1", "from": "acceptor", "eof": true}

`bytes` is any chunk: it may hold part of a frame or many frames. A line may have both: the bytes come first.
`seq` grows from line to line. After `eof` a side of a connection has nothing more.
Members of other names are ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Side = Literal["initiator", "acceptor"]
SIDES: tuple[Side, Side] = ("initiator", "acceptor")
_SHOWN = 60


class TraceError(ValueError):
    """A line that is no trace event. `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One chunk of bytes from one side of one connection, or the end of its stream, or both in this order."""

    seq: int
    conn: str
    sender: Side
    data: bytes | None = None
    eof: bool = False


def other_side(side: Side) -> Side:
    """Return the other end."""
    return "acceptor" if side == "initiator" else "initiator"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _member(entry: dict[str, Any], name: str) -> Any:
    if name not in entry:
        raise ValueError(f"has no `{name}`")
    return entry[name]


def _seq(entry: dict[str, Any]) -> int:
    seq = _member(entry, "seq")
    if not isinstance(seq, int) or isinstance(seq, bool):
        raise ValueError(f"`seq` is no integer: {_shown(seq)}")  # noqa: TRY004  (of the line, not of a caller)
    return seq


def _conn(entry: dict[str, Any]) -> str:
    conn = _member(entry, "conn")
    if not isinstance(conn, str):
        raise ValueError(f"`conn` is no string: {_shown(conn)}")  # noqa: TRY004
    return conn


def _sender(entry: dict[str, Any]) -> Side:
    sender = _member(entry, "from")
    for side in SIDES:
        if sender == side:
            return side
    raise ValueError(f"`from` is neither initiator nor acceptor: {_shown(sender)}")


def _data(entry: dict[str, Any]) -> bytes | None:
    if "bytes" not in entry:
        return None
    text = entry["bytes"]
    try:
        data = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise ValueError(f"`bytes` is no hex: {_shown(text)}") from None
    if 2 * len(data) != len(text):
        raise ValueError(f"`bytes` holds more than hex digits: {_shown(text)}")
    return data


def _eof(entry: dict[str, Any]) -> bool:
    eof = entry.get("eof", False)
    if not isinstance(eof, bool):
        raise ValueError(f"`eof` is neither true nor false: {_shown(eof)}")  # noqa: TRY004
    return eof


def _event(text: str) -> TraceEvent:
    """Return the event of one line. Raises ValueError that says what is wrong."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error
    if not isinstance(entry, dict):
        raise ValueError(f"is no JSON object: {_shown(entry)}")  # noqa: TRY004
    event = TraceEvent(_seq(entry), _conn(entry), _sender(entry), _data(entry), _eof(entry))
    if event.data is None and not event.eof:
        raise ValueError("has neither `bytes` nor `eof`")
    return event


def read(lines: Iterable[str | bytes]) -> Iterator[TraceEvent]:
    """Yield the events of a trace; empty lines are skipped. Raises TraceError on the first bad line."""
    last: int | None = None
    ended: set[tuple[str, Side]] = set()
    for number, line in enumerate(lines, 1):
        try:
            text = (line.decode("utf-8") if isinstance(line, bytes) else line).strip()
            if not text:
                continue
            event = _event(text)
        except UnicodeDecodeError:
            raise TraceError(number, "is no UTF-8") from None
        except ValueError as error:
            raise TraceError(number, str(error)) from None
        if last is not None and event.seq <= last:
            raise TraceError(number, f"`seq` {event.seq} follows {last}: it has to grow")
        last = event.seq
        if (event.conn, event.sender) in ended:
            raise TraceError(number, f"comes after the `eof` of the {event.sender} of {_shown(event.conn)}")
        if event.eof:
            ended.add((event.conn, event.sender))
        yield event


def line(event: TraceEvent) -> str:
    """Return the event as one line, its newline included."""
    entry: dict[str, Any] = {"seq": event.seq, "conn": event.conn, "from": event.sender}
    if event.data is not None:
        entry["bytes"] = event.data.hex()
    if event.eof:
        entry["eof"] = True
    return json.dumps(entry) + "\n"


def write(events: Iterable[TraceEvent], out: TextIO) -> None:
    """Write a trace."""
    out.writelines(line(event) for event in events)
