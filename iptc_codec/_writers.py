"""Writing the common message at first sight: what shows that it is legal in itself, and msgspec.

Anything else is for `_wire.write`, which says why it can't be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ._messages import Ack, Command, End, ErrorBody, Fail, Item, Open, Result, Started

if TYPE_CHECKING:
    from collections.abc import Callable

skip = msgspec.msgpack.Decoder(msgspec.Raw).decode
"""Raises if a body is not one object: looks at structure alone."""
write_plain = msgspec.msgpack.Encoder().encode

_SHORT_CID: Final = 64
"""So many characters are within the bytes of a cid in any case (CID-01s)."""

_SCALARS: Final = frozenset({bool, int, float, str, bytes, type(None)})
"""Types whose values hold no `msgspec.Raw`. With any other the body wants a look (`skip`)."""


def _write_open(opening: Open) -> bytes | None:
    cmd = opening.cmd  # but for its uid, of which others know more
    if (
        type(cmd) is Command
        and type(cmd.ns) is str
        and type(cmd.func) is str
        and type(kwargs := cmd.kwargs) is dict
        and type(cid := cmd.cid) is str
    ):
        for name in kwargs:
            if type(name) is not str or type(kwargs[name]) not in _SCALARS:
                return None
        return write_plain(opening) if 0 < len(cid) <= _SHORT_CID else None
    return None


def _write_fail(fail: Fail) -> bytes | None:
    error = fail.error
    if type(error) is ErrorBody and type(error.tb_str) is str and type(error.type_str) is str:
        return write_plain(fail)
    return None


def _write_end(end: End) -> bytes | None:
    return write_plain(end) if end.stop is True else None


# Three functions, as each keeps what the interpreter has learnt of one type.


def _write_item(item: Item) -> bytes:
    body = write_plain(item)
    if type(item.value) not in _SCALARS:
        skip(body)
    return body


def _write_result(result: Result) -> bytes:
    body = write_plain(result)
    if type(result.value) not in _SCALARS:
        skip(body)
    return body


def _write_started(started: Started) -> bytes:
    body = write_plain(started)
    if type(started.value) not in _SCALARS:
        skip(body)
    return body


WRITERS: Final[dict[type, Callable[[Any], bytes | None]]] = {
    Open: _write_open,
    Ack: write_plain,
    Started: _write_started,
    Item: _write_item,
    End: _write_end,
    Result: _write_result,
    Fail: _write_fail,
}
"""By type: what writes a message that is legal in itself at first sight, if its cid and its event are.

None for one that wants a closer look; what an application's values raise is raised. `write` says either as it
should be said. The cid of an OPEN is looked at here, as no call has it yet.
"""
