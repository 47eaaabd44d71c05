"""The same messages as a tagged union of msgspec: a shape that the protocol does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from bench.scripts import chunked
from iptc_codec import Ack, End, Fail, Item, Open, Result, Started

if TYPE_CHECKING:
    from bench.scripts import Script
    from iptc_codec import Message


class TaggedOpen(Struct, tag="cmd"):
    """OPEN."""

    cmd: tuple[str, str, dict[str, Any], tuple[str, str], str]


class TaggedAck(Struct, tag="functype"):
    """ACK."""

    functype: str
    cid: str


class TaggedStarted(Struct, tag="started"):
    """STARTED."""

    value: Any
    cid: str


class TaggedItem(Struct, tag="yield"):
    """ITEM."""

    value: Any
    cid: str


class TaggedEnd(Struct, tag="stop"):
    """END."""

    cid: str


class TaggedResult(Struct, tag="return"):
    """RESULT."""

    value: Any
    cid: str


class TaggedFail(Struct, tag="error"):
    """FAIL."""

    error: tuple[str, str]
    cid: str


Union = TaggedOpen | TaggedAck | TaggedStarted | TaggedItem | TaggedEnd | TaggedResult | TaggedFail

read = msgspec.msgpack.Decoder(Union).decode
_write = msgspec.msgpack.Encoder().encode


def union_of(message: Message) -> Union:
    """The message in that shape."""
    match message:
        case Open(cmd):
            return TaggedOpen((cmd.ns, cmd.func, cmd.kwargs, cmd.uid, cmd.cid))
        case Ack(functype, cid):
            return TaggedAck(functype, cid)
        case Started(value, cid):
            return TaggedStarted(value, cid)
        case Item(value, cid):
            return TaggedItem(value, cid)
        case End(_, cid):
            return TaggedEnd(cid)
        case Result(value, cid):
            return TaggedResult(value, cid)
        case Fail(error, cid):
            return TaggedFail((error.tb_str, error.type_str), cid)
        case _:
            raise TypeError(f"no message of a call: {message!r:.80}")


def chunks(script: Script) -> list[bytes]:
    """The script's messages in that shape, in chunks of the same length."""
    return chunked(_write(union_of(message)) for message in script.spoken)
