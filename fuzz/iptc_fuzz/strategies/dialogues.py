"""Whole conversations: walks over `call.json` and `connection.json`, several calls at once, both openers.

A walk is a row of moves. A move says who speaks, about which call, and how far down the list of what it may
say there; the table decides what that list is. So most of what is drawn makes sense, and goes deep, and the
rest breaks one rule at a time. Where the table knows no difference, the details are drawn: uids, targets of
CANCELs, forms of msgpack, what is malformed.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from iptc_conformance import _specdata
from iptc_conformance.judge.calls import Calls
from iptc_conformance.msgpack_values import BadStr, Map
from iptc_fuzz.cells import Cell, every_cell, unreachable
from iptc_fuzz.strategies import encodings
from iptc_fuzz.strategies.messages import UIDS, turned
from iptc_fuzz.traffic import SIDES, Chunk, Side, frame, other, pack

if TYPE_CHECKING:
    from collections.abc import Callable

CIDS = ("c1", "c2", "c3", "c4")
VALUES: tuple[Any, ...] = (None, 1, "x", [1, {"k": b"v"}], -(2**63), 1.5, True)


class Move(NamedTuple):
    """One step of a walk, in small numbers; all zero is the plainest legal one.

    `stray`: LEGAL, ANY for any message of the table, BREAK for what closes the connection, END for an end.
    """

    cid: int = 0
    stray: int = 0
    choice: int = 0
    detail: int = 0


LEGAL, ANY, BREAK, END = range(4)
_KINDS = (LEGAL,) * 23 + (ANY,) * 7 + (END, BREAK)
"""How often which; 32 in all."""


def moves(*, stray: int = BREAK) -> st.SearchStrategy[Move]:
    """Moves that stray as far as they may; with LEGAL they are honest."""
    # Bytes, as hypothesis draws their bits evenly; of large integers it prefers the small.
    return st.binary(min_size=3, max_size=3).map(lambda data: _move(data, stray))


def _move(data: bytes, stray: int) -> Move:
    kind, cid = divmod(data[0] & 0x7F, len(CIDS))
    return Move(cid, min(_KINDS[kind], stray), data[1], data[2])


class Walk:
    """The conversation so far, as the tables see it."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self._calls = Calls()
        self._halves = dict.fromkeys(SIDES, _specdata.connection_table()["initial"])

    def greet(self, side: Side, detail: int = 0) -> None:
        """Let a side say its hello."""
        self._say(side, "HELLO", _hello(side, detail))

    def take(self, move: Move) -> None:
        """Let a move happen; a side that has ended its stream makes none."""
        if move.stray in {LEGAL, ANY}:
            self._speak(move)
            return
        side = SIDES[move.choice & 1]
        if self._halves[side] == "gone":
            return
        if move.stray == END:
            self._end(side, move)
        else:
            self._break(side, move)

    def _speak(self, move: Move) -> None:
        cid = CIDS[move.cid]
        said = self._possible(cid, legal=move.stray == LEGAL)
        side, event = said[move.choice % len(said)]
        if self._halves[side] == "gone":
            return
        if self._halves[side] == "silent" and move.stray == LEGAL:
            self.greet(side, move.detail)
            return
        self.say(side, cid, event, move.detail)

    def say(self, side: Side, cid: str, event: str, detail: int = 0) -> None:
        """Let a side say this about a call, be it legal or not."""
        opens = event == "OPEN" or (event == "MALFORMED" and detail % 8 >= 6)
        self._calls.take(side, cid, "OPEN" if opens else event, 0)
        if event == "MALFORMED" and opens:
            self._calls.take(side, cid, event, 0)
        self._say(side, "CALL", _message(event, side, cid, detail), detail)

    def _possible(self, cid: str, *, legal: bool) -> list[tuple[Side, str]]:
        """Who may say what about a call; if not `legal`, who may try what."""
        call = self._calls.get(cid)
        table = _specdata.call_table()
        cells = table["cells"][table["initial"] if call is None else call.state]
        found: list[tuple[Side, str]] = []
        for side in SIDES:
            events = cells["caller" if call is None or call.opener == side else "callee"]
            found += [(side, event) for event, cell in events.items() if not legal or "keeps" in cell]
        return found

    def _end(self, side: Side, move: Move) -> None:
        """GOODBYE or FATAL; of what is left then, the end of the stream."""
        if move.choice >> 1 & 3 == 3 or self._halves[side] == "left":
            self.chunks.append(Chunk(side, eof=True))
            self._halves[side] = "gone"
        elif move.choice >> 1 & 3:
            self._say(side, "GOODBYE", None)
        else:
            self._say(side, "FATAL", {"error": _error("ValueError")})

    def _break(self, side: Side, move: Move) -> None:
        """What closes the connection by itself."""
        broken: tuple[Callable[[], bytes], ...] = (
            lambda: frame(encodings.write(_hello(side, move.detail))),
            lambda: frame(encodings.write(_OBJECTS[move.detail % len(_OBJECTS)])),
            lambda: _BYTES[move.detail % len(_BYTES)],
        )
        self.chunks.append(Chunk(side, broken[(move.choice >> 1) % 3]()))

    def _say(self, side: Side, event: str, value: Any, detail: int = 0) -> None:
        state = self._halves[side]
        cell = _specdata.connection_table()["cells"][state][event]
        self._halves[side] = cell["next"]
        forms = bytes([detail >> 3 & 3, detail >> 5]) if detail & 4 else b""
        self.chunks.append(Chunk(side, frame(encodings.write(turned(value, detail & 3), forms))))


_OBJECTS: tuple[Any, ...] = (5, [], ["a"], ["", "b"], {}, {"cid": 1}, {"yield": 1, "cid": ""}, "x", {1: 2})
_BYTES = (
    *(frame(b""), frame(b"\xc1"), frame(b"\xc0\xc0"), frame(b"\x81\xa1"), b"\xff\xff\xff\xff"),
    b"\x05\0\0\0\xc0",  # cut short, unless more comes
)


def _hello(side: Side, detail: int) -> list[Any]:
    return [*UIDS[side], *([{"more": 1}] if detail % 8 == 7 else [])]


def _error(type_str: str) -> dict[str, str]:
    return {"tb_str": "", "type_str": type_str}


def _command(side: Side, cid: str, detail: int) -> Any:
    """An OPEN: every fourth a CANCEL, of any call; few of a wrong uid, or with odd kwargs."""
    uid = list(UIDS[other(side)] if detail % 16 == 15 else UIDS[side])
    if detail % 4 != 1:
        return [("ns", "f", {}), ("ns", "g", {"x": 1})][detail // 4 % 2] + (uid, cid)
    targets: tuple[Any, ...] = (*CIDS, *CIDS, *CIDS, "c9", 7, None)
    kwargs = {"cid": targets[detail // 4 % len(targets)]} if detail < 240 else {}
    return ("self", "_cancel_task", kwargs, uid, cid)


def _malformed(side: Side, cid: str, detail: int) -> Any:
    """A map that is no legal message, whose cid can be read; the last two claim to open."""
    return (
        {"stop": None, "cid": cid},
        {"yield": BadStr(b"\xff"), "cid": cid},
        {"bogus": 1, "cid": cid},
        {"functype": "weird", "cid": cid},
        {"error": "text", "cid": cid},
        Map((("yield", 1), ("cid", cid), ("yield", 1))),
        {"cmd": ["ns", 5, {}, list(UIDS[side]), cid]},
        {"cmd": ["ns", "f", {}, list(UIDS[side]), cid], "cid": cid},
    )[detail % 8]


def _message(event: str, side: Side, cid: str, detail: int) -> Any:
    value = VALUES[detail % len(VALUES)]
    match event:
        case "OPEN":
            return {"cmd": list(_command(side, cid, detail))}
        case "MALFORMED":
            return _malformed(side, cid, detail)
        case "FAIL" | "OVERRUN":
            return {"error": _error("StreamOverrun" if event == "OVERRUN" else "ValueError"), "cid": cid}
        case "END":
            return {"stop": True, "cid": cid}
    name = {"STARTED": "started", "ITEM": "yield", "RESULT": "return"}.get(event, "functype")
    return {name: event[4:].lower() if name == "functype" else value, "cid": cid}


def walked(
    row: list[Move], *, greeted: bool = True, start: str = "idle", opener: Side = "initiator"
) -> list[Chunk]:
    """Return the conversation that these moves make, one chunk a frame; the first call begins in `start`."""
    walk = Walk()
    for side in SIDES if greeted else ():
        walk.greet(side)
    for role, event in paths()[start] if greeted else ():
        walk.say(opener if role == "caller" else other(opener), CIDS[0], event)
    for move in row:
        walk.take(move)
    return walk.chunks


@cache
def paths() -> dict[str, tuple[tuple[str, str], ...]]:
    """Return for each state of a call the shortest way there: who says what. All legal but to `failed`."""
    table = _specdata.call_table()
    found: dict[str, tuple[tuple[str, str], ...]] = {table["initial"]: ()}
    todo = deque([table["initial"]])
    while todo:
        state = todo.popleft()
        roles = ("caller",) if state == table["initial"] else ("caller", "callee")
        cells = [(role, *one) for role in roles for one in table["cells"][state][role].items()]
        for role, event, cell in cells:
            after = cell.get("next", state)
            if after not in found and ("keeps" in cell or cell.get("reaction") == "fail-call"):
                found[after] = (*found[state], (role, event))
                todo.append(after)
    return found


def tour() -> list[bytes]:
    """Return a packed conversation through every cell of the call table and on, for either opener."""
    return [
        pack(_to_cell(opener, cell)) for opener in SIDES for cell in every_cell() if unreachable(cell) is None
    ]


_PROBE = (
    *(
        ("caller", "ITEM"),
        ("callee", "ITEM"),
        ("callee", "STARTED"),
        ("callee", "END"),
        ("caller", "OVERRUN"),
    ),
    *(("caller", "END"), ("callee", "RESULT"), ("caller", "FAIL"), ("callee", "FAIL"), ("caller", "OPEN")),
)
"""After a cell this tells where it has led: in no two states is all of it answered alike."""


def _to_cell(opener: Side, cell: Cell) -> list[Chunk]:
    walk = Walk()
    for side in SIDES:
        walk.greet(side)
    for role, event in (*paths()[cell.state], (cell.sender, cell.event), *_PROBE):
        walk.say(opener if role == "caller" else other(opener), CIDS[0], event)
    return walk.chunks


def dialogues(*, size: int = 48, stray: int = BREAK) -> st.SearchStrategy[list[Chunk]]:
    """Conversations of up to `size` frames; with `stray=LEGAL` every frame is legal by the tables."""
    # Left alone, hypothesis draws short lists, in which no call gets anywhere.
    rows = st.lists(moves(stray=stray), max_size=8) | st.lists(moves(stray=stray), min_size=9, max_size=size)
    starts = [state for state in paths() if state != "failed" or stray > LEGAL]
    return st.builds(
        lambda row, start, opener, silent: walked(
            row, greeted=silent > 0 or stray == LEGAL, start=start, opener=opener
        ),
        rows,
        st.just("idle") | st.sampled_from(starts),
        st.sampled_from(SIDES),
        st.integers(0, 9),
    )


def recut(chunks: list[Chunk], how: int) -> list[Chunk]:
    """Return the same conversation in other chunks: 0 as it is, 1 joined, 2 byte by byte, else in halves."""
    if how == 1:
        return _joined(chunks)
    if how == 2:
        return [piece for chunk in chunks for piece in _pieces(chunk, 1)]
    if how:
        return [piece for chunk in chunks for piece in _pieces(chunk, max(1, len(chunk.data) - how))]
    return chunks


def _pieces(chunk: Chunk, size: int) -> list[Chunk]:
    cuts = range(0, max(1, len(chunk.data)), size)
    pieces = [Chunk(chunk.side, chunk.data[at : at + size]) for at in cuts]
    return [*pieces[:-1], pieces[-1]._replace(eof=chunk.eof)]


def _joined(chunks: list[Chunk]) -> list[Chunk]:
    found: list[Chunk] = []
    for chunk in chunks:
        if found and found[-1].side == chunk.side and not found[-1].eof:
            found[-1] = Chunk(chunk.side, found[-1].data + chunk.data, chunk.eof)
        else:
            found.append(chunk)
    return found


def packed_dialogues(*, size: int = 48, stray: int = BREAK) -> st.SearchStrategy[bytes]:
    """Conversations in any chunks, packed."""
    ways = st.integers(0, 9)
    return st.builds(lambda chunks, how: pack(recut(chunks, how)), dialogues(size=size, stray=stray), ways)
