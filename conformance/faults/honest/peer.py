"""What both roles share: framing, encoding, hello, the frames that are no call's, and the bound on items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest.conn import ConnectionOver
from faults.honest.table import ACKS, Cell, cell
from iptc_conformance import _specdata, wire
from iptc_conformance.msgpack_reader import read
from iptc_conformance.wire import Classified, Deframer, Event, Frame

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from faults.honest.conn import Conn
    from faults.honest.inbox import Inbox
    from iptc_conformance.wire import Message


class Peer:
    """A process: its connections, and each duty that has nothing to do with the role."""

    whole_frames: bool = True
    """A frame once begun is finished, whatever is cancelled meanwhile."""
    hello_seconds: float = _specdata.limit("hello_seconds")
    stall_seconds: float = _specdata.limit("stall_seconds")
    held_items: int = _specdata.limit("held_items")
    held_bytes: int = _specdata.limit("held_bytes")

    def __init__(self) -> None:
        self.conns: list[Conn] = []
        self.notes: dict[Any, Any] = {}
        """Room for what a fault has to know."""

    # Bytes.

    def encode(self, message: Any) -> bytes:
        """Return the body of a message."""
        return wire.encode(message)

    def frame(self, conn: Conn, body: bytes) -> bytes:
        """Put the length in front."""
        return len(body).to_bytes(4, "little") + body

    def exclusive(self, conn: Conn) -> AbstractAsyncContextManager[Any]:
        """Keep others from writing while a frame is written."""
        return conn.lock

    async def write(self, conn: Conn, data: bytes) -> None:
        """Write one frame."""
        await conn.stream.send_all(data)

    def cutter(self, conn: Conn) -> Deframer:
        """Return what cuts the incoming bytes into frames."""
        return Deframer()

    def cut(self, conn: Conn, cutter: Deframer, chunk: bytes) -> list[Frame]:
        """Return the frames that a chunk completes."""
        return cutter.feed(chunk)

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        """Say what a frame is."""
        return wire.classify_frame(frame)

    def value(self, message: Message) -> Any:
        """Return the value that a message carries; for an OPEN its kwargs."""
        return message.value

    # The connection.

    def hello(self, conn: Conn) -> list[Any]:
        """Return our hello."""
        return ["honest", "b0b"]

    async def greet(self, conn: Conn) -> None:
        """Say hello at once."""
        await conn.send(self.hello(conn))

    async def on_frame(self, conn: Conn, got: Classified) -> None:
        """Take one frame of the other side."""
        if conn.theirs is None:
            self.on_hello(conn, got)
            return
        match got.event:
            case Event.HELLO:
                self.on_second_hello(conn)
            case Event.GOODBYE:
                self.on_goodbye(conn)
            case Event.FATAL:
                self.on_fatal(conn)
            case Event.MALFORMED_OBJECT:
                self.on_wrong_object(conn, got)
            case Event.MALFORMED_BYTES:
                self.on_wrong_bytes(conn, got)
            case Event.MALFORMED_CALL:
                await self.on_malformed(conn, got)
            case Event.CALL:
                if got.message is not None:
                    await self.on_message(conn, got.message)

    def on_hello(self, conn: Conn, got: Classified) -> None:
        """Take the first frame."""
        if got.event is not Event.HELLO or got.message is None:
            raise ConnectionOver("violation")
        conn.theirs = read(got.message.body)[:2]

    def on_second_hello(self, conn: Conn) -> None:
        """Close."""
        raise ConnectionOver("violation")

    def on_goodbye(self, conn: Conn) -> None:
        """Read no further."""
        raise ConnectionOver("goodbye")

    def on_fatal(self, conn: Conn) -> None:
        """Give the connection up."""
        raise ConnectionOver("fatal")

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        """Close."""
        raise ConnectionOver("violation")

    def on_wrong_bytes(self, conn: Conn, got: Classified) -> None:
        """Close."""
        raise ConnectionOver("violation")

    def on_eof(self, conn: Conn, cutter: Deframer) -> str:
        """Note the end of the stream, in the middle of a frame or not."""
        return "eof"

    def on_reset(self, conn: Conn) -> str:
        """Note a reset."""
        return "reset"

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        """Take a malformed message whose cid can be read."""
        raise NotImplementedError

    async def on_message(self, conn: Conn, message: Message) -> None:
        """Take a legal message of a call."""
        raise NotImplementedError

    async def end(self, conn: Conn, how: str) -> None:
        """End the calls of a connection that is over."""
        raise NotImplementedError

    # Calls.

    def cell(self, state: str, sender: str, event: str) -> Cell:
        """Look a message up in the table."""
        return cell(state, sender, event)

    def event(self, message: Message) -> str:
        """Name the event of a message of a call."""
        return ACKS[message.fields["functype"]] if message.kind == "ACK" else message.kind

    async def hold(self, call: Any, value: Any, size: int) -> None:
        """Hold an item for its consumer: read no further while there is no room, then drop with a notice."""
        inbox: Inbox = call.inbox
        while not (inbox.unwanted or inbox.lost) and self.full(inbox):
            with trio.move_on_after(self.stall_seconds) as stall:
                await inbox.change.park()
            if stall.cancelled_caught:
                inbox.lost = True
                await self.overrun(call)
        if not (inbox.unwanted or inbox.lost):
            inbox.put(value, size)

    def full(self, inbox: Inbox) -> bool:
        """Whether as much is held as may be."""
        return len(inbox.items) >= self.held_items or inbox.size >= self.held_bytes

    async def overrun(self, call: Any) -> None:
        """Give notice that items are dropped from now on."""
        await self.say(call, "OVERRUN", {"tb_str": "", "type_str": "StreamOverrun"})

    async def say(self, call: Any, event: str, value: Any) -> None:
        """Send a message of a call."""
        raise NotImplementedError
