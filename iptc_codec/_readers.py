"""Reading the common message at first sight, by msgspec alone.

One closed struct for each kind, chosen by the map's header byte and the third letter of its first key, which
differs for all of them. Two entries that must be two given keys leave no room for a repeated one, so what
msgspec takes here is legal, but for two things, which a byte tells beforehand: the one map that lies deeper,
the body of an error, and `stop`, which says nothing but true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ._messages import Ack, CallMessage, End, Fail, Fatal, Item, Message, Open, Result, Started

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._scan import Body

_FIXSTR: Final = 0xA0
ONE_ENTRY: Final = 0x81
TWO_ENTRIES: Final = 0x82
"""The headers of maps of one entry, with which an OPEN begins, and of two, as all others have."""

COMMAND: Final = ord("d")
ITEM: Final = ord("e")
ERROR: Final = ord("r")
STOP: Final = ord("o")
"""The fifth byte of an OPEN, of an ITEM, whose `yield` comes first, of a FAIL and of an END."""

OF_ERROR: Final = 7
"""Where the header of the error stands in a FAIL: `TWO_ENTRIES` (ERR-01s)."""

OF_STOP: Final = 6
TRUE: Final = 0xC3
"""Where the value stands in an END, and what it is (STR-05s)."""


NOT_TAKEN: Final = (msgspec.DecodeError, ValueError, LookupError, RecursionError, MemoryError)
"""What a reader raises: msgspec's errors, bad UTF-8, no such kind, a body too short, too deep, too much."""

read_open = msgspec.msgpack.Decoder(Open).decode
read_fail = msgspec.msgpack.Decoder(Fail).decode
read_end = msgspec.msgpack.Decoder(End).decode
_read_lone_error = msgspec.msgpack.Decoder(Fatal).decode
read_value = msgspec.msgpack.Decoder().decode

_FIRST_OF_CID: Final = ord("d")  # `cid`, where it is the first key


def _read_error(body: Body) -> Fail:
    # The body of the error follows its key; a repeated key in it would need a third entry (ERR-01s).
    if body[OF_ERROR] != TWO_ENTRIES:
        raise ValueError
    return read_fail(body)


def _read_stop(body: Body) -> End:
    if body[OF_STOP] != TRUE:
        raise ValueError
    return read_end(body)


def _read_fatal(body: Body) -> Fatal:
    if body[OF_ERROR] != TWO_ENTRIES:
        raise ValueError
    return _read_lone_error(body)


def _read_cid_first(body: Body) -> CallMessage:
    # Peers that sort their keys. A cid of more than 31 bytes has another header, and goes the slow way.
    if not _FIXSTR < body[5] < _FIXSTR + 32:
        raise ValueError
    behind = 5 + body[5] - _FIXSTR  # so much later the other key stands
    letter = body[4 + behind]
    if letter == ERROR and body[OF_ERROR + behind] != TWO_ENTRIES:
        raise ValueError
    if letter == STOP and body[OF_STOP + behind] != TRUE:
        raise ValueError
    return _TWO_KEYS[letter](body)


_TWO_KEYS: Final[dict[int, Callable[[Body], CallMessage]]] = {
    ord("n"): msgspec.msgpack.Decoder(Ack).decode,
    ord("a"): msgspec.msgpack.Decoder(Started).decode,
    ITEM: msgspec.msgpack.Decoder(Item).decode,
    STOP: read_end,
    ord("t"): msgspec.msgpack.Decoder(Result).decode,
    ERROR: read_fail,
}
"""By the third letter of the key that is no cid: the readers of maps of two entries."""

_OF_TWO_ENTRIES: Final[dict[int, Callable[[Body], CallMessage]]] = {
    **_TWO_KEYS,
    ERROR: _read_error,
    STOP: _read_stop,
    _FIRST_OF_CID: _read_cid_first,
}
READERS: Final[dict[int, Mapping[int, Callable[[Body], Message]]]] = {
    ONE_ENTRY: {COMMAND: read_open, ERROR: _read_fatal},
    TWO_ENTRIES: _OF_TWO_ENTRIES,
}
"""By the map's header, then by the third letter of its first key."""

AT_ONCE: Final[list[Callable[[Body], CallMessage] | None]] = [
    None if letter in (ERROR, STOP) else _OF_TWO_ENTRIES.get(letter) for letter in range(256)
]
"""By that letter, the readers of maps of two entries, without those of FAIL and END. A list, for speed.

For those two whoever has the choice inline looks at `OF_ERROR` and at `OF_STOP`, and takes `read_fail` and
`read_end`; for an OPEN, `read_open`.
"""
