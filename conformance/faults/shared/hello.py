"""Faults in the hello."""

from __future__ import annotations

import math
from typing import Any

import trio

from faults.honest import Conn, Peer
from iptc_conformance.msgpack_reader import Malformed, read
from iptc_conformance.wire import Classified, Deframer, Event, Frame


class NamelessHello(Peer):
    """The name in its hello is empty."""

    def hello(self, conn: Conn) -> list[Any]:
        return ["", "b0b"]


class HelloOfBin(Peer):
    """The uuid in its hello is bin."""

    def hello(self, conn: Conn) -> list[Any]:
        return ["honest", bytes(16)]


class SecondConnectionWithoutHello(Peer):
    """It says hello on its first connection alone."""

    async def greet(self, conn: Conn) -> None:
        if conn.number == 0:
            await super().greet(conn)


class FalseHelloSkipped(Peer):
    """It skips what is no hello until one comes."""

    def on_hello(self, conn: Conn, got: Classified) -> None:
        if got.event is Event.HELLO:
            super().on_hello(conn, got)


class FalseHelloEndsProcess(Peer):
    """A first frame that is no hello ends the process."""

    def on_hello(self, conn: Conn, got: Classified) -> None:
        if got.event is not Event.HELLO:
            raise ValueError("not enough values to unpack")
        super().on_hello(conn, got)


class AnyArrayIsHello(Peer):
    """It takes any array for a hello."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        body = frame.body or b""
        if conn.theirs is None and got.event is Event.MALFORMED_OBJECT and isinstance(read(body), list):
            return super().classify(conn, Frame(0, b"\x92\xa1a\xa1b"))
        return got


class EmptyUuidTaken(Peer):
    """It takes a hello with an empty name or uuid."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if conn.theirs is None and got.event is Event.MALFORMED_OBJECT and b"\xa0" in (frame.body or b""):
            return super().classify(conn, Frame(0, b"\x92\xa1a\xa1b"))
        return got


class HelloInAnswer(Peer):
    """It waits for the other side's hello before it says its own."""

    async def greet(self, conn: Conn) -> None:
        conn.nursery.start_soon(self._later, conn)

    async def _later(self, conn: Conn) -> None:
        while conn.theirs is None:  # noqa: ASYNC110  (nobody tells a bug)
            await trio.sleep(0.001)
        await super().greet(conn)


class HelloTwice(Peer):
    """It says hello again when it has the other side's."""

    def on_hello(self, conn: Conn, got: Classified) -> None:
        super().on_hello(conn, got)
        conn.nursery.start_soon(self.greet, conn)


class SecondHelloIgnored(Peer):
    """It ignores a second hello."""

    def on_second_hello(self, conn: Conn) -> None:
        return


class SecondHelloEndsProcess(Peer):
    """A second hello ends the process."""

    def on_second_hello(self, conn: Conn) -> None:
        raise ValueError("a list is no message")


class RestOfHelloChunkLost(Peer):
    """What comes in one chunk with the hello is lost."""

    def cut(self, conn: Conn, cutter: Deframer, chunk: bytes) -> list[Frame]:
        frames = cutter.feed(chunk)
        return frames[:1] if conn.theirs is None else frames


class SilentConnectionKept(Peer):
    """It waits for a hello for ever."""

    hello_seconds = math.inf


class LongHelloRefused(Peer):
    """It refuses a hello of more than two elements."""

    def on_hello(self, conn: Conn, got: Classified) -> None:
        if got.message is not None and len(read(got.message.body)) > 2:
            raise ValueError("too many values to unpack")
        super().on_hello(conn, got)


class TypedHelloExtras(Peer):
    """It reads the further elements of a hello as text, and refuses others."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if got.event is Event.HELLO and not all(isinstance(part, str) for part in _parts(frame.body or b"")):
            return Classified(Event.MALFORMED_OBJECT, "HSK-01s")
        return got


def _parts(body: bytes) -> list[Any]:
    try:
        return list(read(body))
    except Malformed:
        return []


class ReservedElementsUsed(Peer):
    """It puts its version behind the uid of its hello."""

    def hello(self, conn: Conn) -> list[Any]:
        return ["honest", "b0b", "1.0"]
