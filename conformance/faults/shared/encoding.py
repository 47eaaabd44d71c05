"""Faults in reading and writing msgpack envelopes."""

from __future__ import annotations

from typing import Any

from faults.honest import Conn, Peer
from iptc_conformance import wire
from iptc_conformance.msgpack_reader import read
from iptc_conformance.msgpack_values import BadStr, Ext, Map, Timestamp
from iptc_conformance.wire import Classified, Frame

KEYS = {"cmd", "functype", "started", "yield", "stop", "return", "error", "cid"}


def pairs_of(body: bytes) -> list[tuple[Any, Any]]:
    """The keys and values of a body that is a map."""
    value = read(body)
    return list(value.pairs if isinstance(value, Map) else value.items())


class NilWrittenAsUnusedByte(Peer):
    """It writes a nil that is returned as the byte that msgpack never uses."""

    def encode(self, message: Any) -> bytes:
        return super().encode(message).replace(b"\xa6return\xc0", b"\xa6return\xc1")


class LongResultCutShort(Peer):
    """It loses the last byte of a long body."""

    def encode(self, message: Any) -> bytes:
        body = super().encode(message)
        return body if len(body) < 300 else body[:-1]


class UndecodableSwallowed(Peer):
    """It swallows frames that it cannot decode."""

    def on_wrong_bytes(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ENC-01s":
            super().on_wrong_bytes(conn, got)


class FifthUndecodableEndsProcess(Peer):
    """It swallows undecodable frames, and the fifth ends the process."""

    def on_wrong_bytes(self, conn: Conn, got: Classified) -> None:
        self.notes["bad"] = bad = self.notes.get("bad", 0) + 1
        if bad == 5:
            raise RuntimeError("too many decode errors")


class TextCutInACharacter(Peer):
    """It cuts a text in the middle of its last character."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "return" in message:
            message = {**message, "return": _cut(message["return"])}
        return super().encode(message)


def _cut(value: Any) -> Any:
    if isinstance(value, str) and not value[-1:].isascii():
        return BadStr(value.encode()[:-1])
    return [_cut(part) for part in value] if isinstance(value, list) and len(value) < 100 else value


class BadUtf8CallDropped(Peer):
    """It drops a message with a str that is not UTF-8, and its call goes on."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ENC-02s":
            await super().on_malformed(conn, got)


class BadUtf8KeyDropped(Peer):
    """It drops a map with a key that is not UTF-8."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ENC-02s":
            super().on_wrong_object(conn, got)


class CidTwiceInEnd(Peer):
    """It writes the cid twice into an END."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "stop" in message:
            message = Map((("cid", message["cid"]), *message.items()))
        return super().encode(message)


class RepeatedKeyTaken(Peer):
    """Of a repeated key it takes the last value."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.clause == "ENC-03s":
            return wire.classify(wire.encode(dict(pairs_of(frame.body or b""))))
        return got


class RepeatedCidTaken(Peer):
    """It refuses a repeated key, but not a repeated cid: the first counts."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ENC-03s":
            super().on_wrong_object(conn, got)


class BinKeysInErrors(Peer):
    """It writes the keys of errors as bin."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "error" in message:
            message = Map(tuple((key.encode(), value) for key, value in message.items()))
        return super().encode(message)


class BinKeysTaken(Peer):
    """It takes a key that is bin for the str of the same bytes."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.clause == "ENC-04s":
            pairs = [(k.decode() if isinstance(k, bytes) else k, v) for k, v in pairs_of(frame.body or b"")]
            return wire.classify(wire.encode(Map(tuple(pairs))))
        return got


class IntKeysSkipped(Peer):
    """It skips a map that has a key that is no str."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ENC-04s":
            super().on_wrong_object(conn, got)


class ResultWithFunctionName(Peer):
    """It adds the name of the function to a result."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "return" in message:
            message = {**message, "func": "echo"}
        return super().encode(message)


class StreamCountsItems(Peer):
    """It adds a running number to the items after the first."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and isinstance(message.get("yield"), int) and message["yield"] > 0:
            message = {"seq": message["yield"], **message}
        return super().encode(message)


class UnknownKeysIgnored(Peer):
    """It ignores unknown keys beside those of a message."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.clause == "ENC-05s":
            known = {key: value for key, value in pairs_of(frame.body or b"") if key in KEYS}
            return wire.classify(wire.encode(known))
        return got


class FirstKeyDecides(Peer):
    """It reads a map with the keys of two messages as the first of them."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.clause == "ENC-05s" and frame.body is not None:
            pairs = dict(pairs_of(frame.body))
            word = next(iter(key for key in pairs if key in KEYS - {"cid"}), None)
            if word is not None and "cid" in pairs:
                return wire.classify(wire.encode({word: pairs[word], "cid": pairs["cid"]}))
        return got


class MissingCidSkipped(Peer):
    """It skips a message without a cid."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ENC-05s":
            super().on_wrong_object(conn, got)


class RecursionEndsProcess(Peer):
    """A deeply nested value overflows its stack and ends the process."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.depth > 1000:
            raise RecursionError
        return got


class NestingOf64(Peer):
    """It takes no more than 64 levels."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.depth > 64:
            return Classified(wire.Event.MALFORMED_CALL, "ENC-06r", got.cid, got.kind == "OPEN")
        return got


class MapsAsKeys(Peer):
    """It writes an array of maps, which it takes for a set, as a map with these as keys."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and isinstance(message.get("return"), dict):
            message = {**message, "return": Map(((message["return"], None),))}
        return super().encode(message)


class UnhashableKeyEndsProcess(Peer):
    """A map as key of a map ends the process."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.clause == "ENC-07s":
            raise TypeError("unhashable type")
        await super().on_malformed(conn, got)


class TimestampOfSixteenBytes(Peer):
    """It writes timestamps as two 64-bit numbers."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "return" in message:
            message = {**message, "return": _wide(message["return"])}
        return super().encode(message)


def _wide(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return Ext(-1, value.seconds.to_bytes(8, "big", signed=True) + value.nanoseconds.to_bytes(8, "big"))
    return [_wide(part) for part in value] if isinstance(value, list) else value


class FalseTimestampEndsProcess(Peer):
    """A timestamp of a wrong length ends the process."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.clause == "ENC-08s":
            raise ValueError("bad timestamp")
        await super().on_malformed(conn, got)


class CidHasToBeLast(Peer):
    """It takes a message only if its cid is the last key."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.event is wire.Event.CALL and pairs_of(frame.body or b"")[0][0] == "cid":
            return Classified(wire.Event.MALFORMED_CALL, "ENC-05s", got.cid, opens=False)
        return got


class ShortestFormsOnly(Peer):
    """It refuses whatever is not in its shortest encoding."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.message is not None and len(wire.encode(read(frame.body or b""))) < len(frame.body or b""):
            return Classified(wire.Event.MALFORMED_BYTES, "ENC-01s")
        return got


class CidComparedAsBytes(Peer):
    """A cid in a longer encoding is another cid to it."""

    async def on_message(self, conn: Conn, message: wire.Message) -> None:
        if wire.encode(message.cid) in message.body:
            await super().on_message(conn, message)
