"""A small honest callee on the suite's own wire module, and variants of it with one bug or one whim each.

`python honest_peer.py [VARIANT]` serves the fixture on 127.0.0.1:$IPTC_PORT. A variant overrides one hook.
"""

# ruff: noqa: ARG002, FBT003  (hooks and wire values)
from __future__ import annotations

import math
import os
import signal
import sys
from typing import Any

import trio

from iptc_conformance import wire
from iptc_conformance.msgpack_reader import read
from iptc_conformance.wire import Event
from tests.conformance.honest_fixture import FIXTURE

NAMESPACE = "iptc_testee"
HELLO_SECONDS = 10


class EndConnectionError(Exception):
    """The connection can't go on."""


class Call:
    """A call that this callee serves."""

    def __init__(self, conn: Conn, cid: str, func: str, kind: str) -> None:
        self.conn, self.cid, self.func, self.kind = conn, cid, func, kind
        self.scope = trio.CancelScope()
        self.put, self.get = trio.open_memory_channel[Any](math.inf)
        self.started = self.caller_stopped = self.callee_stopped = False
        self.why = "ContextCancelled"
        self.over = trio.Event()

    async def send(self, key: str, value: Any) -> None:
        await trio.lowlevel.checkpoint()
        await self.conn.send({key: value, "cid": self.cid})

    async def start(self, first: Any) -> None:
        self.started = True
        await self.send("started", first)

    async def stop(self) -> None:
        self.callee_stopped = True
        await self.send("stop", True)

    def give_up(self, why: str) -> None:
        self.why = why
        self.scope.cancel()


class Peer:
    """The server: what all its connections share, and every hook that a variant may override."""

    hello: Any = ("honest", "b0b")

    def __init__(self) -> None:
        self.tags: list[str] = []

    async def serve(self, port: int) -> None:
        await trio.serve_tcp(lambda stream: Conn(self, stream).run(), port, host="127.0.0.1")

    def encode(self, message: Any) -> bytes:
        return wire.encode(message)

    async def write(self, stream: trio.SocketStream, data: bytes) -> None:
        await stream.send_all(data)

    def serves(self, kind: str) -> bool:
        return True

    def ack(self, call: Call) -> str:
        return call.kind

    async def answer(self, call: Call, key: str, value: Any) -> None:
        await call.send(key, value)

    async def leave(self, conn: Conn) -> None:
        await conn.send(None)

    def at_end(self, conn: Conn) -> None:
        for call in conn.calls.values():
            call.give_up("ContextCancelled")

    async def cancel(self, conn: Conn, target: Any) -> Any:
        call = conn.calls.get(target)
        if call is None or call.over.is_set():
            return False
        call.give_up("ContextCancelled")
        await call.over.wait()
        return True

    def on_bad_object(self, conn: Conn) -> None:
        raise EndConnectionError

    def remember(self, call: Call, tag: str) -> None:
        if tag:
            self.tags.append(tag)


class Conn:
    """One connection."""

    def __init__(self, peer: Peer, stream: trio.SocketStream) -> None:
        self.peer, self.stream = peer, stream
        self.calls: dict[str, Call] = {}
        self.uid: list[Any] = []
        self.lock = trio.Lock()
        self.leaked = False
        self.nursery: trio.Nursery

    async def run(self) -> None:
        try:
            async with trio.open_nursery() as self.nursery:
                await self._talk()
                self.peer.at_end(self)
                with trio.CancelScope(shield=True):
                    for call in list(self.calls.values()):
                        await call.over.wait()
                self.nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(self.stream)

    async def send(self, message: Any) -> None:
        body = self.peer.encode(message)
        with trio.CancelScope(shield=True):
            async with self.lock:
                try:
                    await self.peer.write(self.stream, len(body).to_bytes(4, "little") + body)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return

    async def _talk(self) -> None:
        try:
            await self.send(list(self.peer.hello))
            cut = wire.Deframer()
            with trio.move_on_after(HELLO_SECONDS) as hello_scope:
                while True:
                    chunk = bytes(await self.stream.receive_some(65536))
                    if not chunk:
                        return
                    for frame in cut.feed(chunk):
                        if await self._take(wire.classify_frame(frame)):
                            return
                    if self.uid:
                        hello_scope.deadline = math.inf
        except (EndConnectionError, trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _take(self, got: wire.Classified) -> bool:
        """Handle one frame; True when the connection has ended in good order."""
        if not self.uid:
            if got.event is not Event.HELLO or got.message is None:
                raise EndConnectionError
            self.uid = read(got.message.body)[:2]
            return False
        match got.event:
            case Event.GOODBYE:
                self.peer.at_end(self)
                for call in list(self.calls.values()):
                    await call.over.wait()
                await self.peer.leave(self)
                return True
            case Event.CALL:
                assert got.message is not None
                await self._message(read(got.message.body))
            case Event.MALFORMED_CALL:
                await self._malformed(got)
            case _:
                self.peer.on_bad_object(self)
        return False

    async def _malformed(self, got: wire.Classified) -> None:
        assert got.cid is not None
        call = self.calls.get(got.cid)
        if got.opens:
            if call is not None:
                raise EndConnectionError
            await self.refuse(got.cid, "ProtocolError")
        elif call is not None:
            call.give_up("ProtocolError")

    async def refuse(self, cid: str, why: str) -> None:
        await self.send({"error": {"tb_str": "", "type_str": why}, "cid": cid})

    async def _message(self, message: dict[str, Any]) -> None:
        if "cmd" in message:
            await self._open(*message["cmd"])
            return
        cid = message.get("cid")
        if cid is None:
            raise EndConnectionError
        call = self.calls.get(cid)
        if call is None or call.scope.cancel_called:
            return
        (word,) = message.keys() - {"cid"}
        if word == "error" and message["error"]["type_str"] == "StreamOverrun":
            return
        if word not in {"yield", "stop", "error"} or not call.started:
            call.give_up("ProtocolError")
        elif not call.caller_stopped:
            self._from_caller(call, word, message[word])

    def _from_caller(self, call: Call, word: str, value: Any) -> None:
        if word == "yield":
            call.put.send_nowait(value)
            return
        call.caller_stopped = True
        call.put.close()
        if word == "error":
            call.give_up("ContextCancelled")

    async def _open(self, ns: str, func: str, kwargs: dict[str, Any], uid: list[str], cid: str) -> None:
        if cid in self.calls:
            raise EndConnectionError
        if uid != self.uid:
            await self.refuse(cid, "ProtocolError")
            return
        found = self._lookup(ns, func)
        if found is None:
            await self.refuse(cid, "AttributeError")
            return
        kind, names, body = found
        if not set(kwargs) <= set(names) or any(
            name not in kwargs and needed for name, needed in names.items()
        ):
            await self.refuse(cid, "TypeError")
            return
        if ns == "self" and not isinstance(kwargs["cid"], str):
            await self.refuse(cid, "TypeError")
            return
        call = Call(self, cid, func, kind)
        self.calls[cid] = call
        await call.send("functype", self.peer.ack(call))
        self.nursery.start_soon(self._serve, call, body, kwargs)

    def _lookup(self, ns: str, func: str) -> tuple[str, dict[str, bool], Any] | None:
        if ns == "self" and func == "_cancel_task":
            return "asyncfunc", {"cid": True}, _cancel
        found = FIXTURE.get(func) if ns == NAMESPACE else None
        return found if found is not None and self.peer.serves(found[0]) else None

    async def _serve(self, call: Call, body: Any, kwargs: dict[str, Any]) -> None:
        outcome: tuple[str, Any] = ("stop", True)
        with call.scope:
            try:
                value = await body(call, **kwargs)
                outcome = ("stop", True) if call.kind == "asyncgen" else ("return", value)
            except ValueError as error:
                outcome = ("error", {"tb_str": str(error), "type_str": "ValueError"})
        if call.scope.cancelled_caught:
            outcome = ("error", {"tb_str": "", "type_str": call.why})
        with trio.CancelScope(shield=True):
            await self.peer.answer(call, *outcome)
        del self.calls[call.cid]
        call.over.set()


async def _cancel(call: Call, cid: Any) -> Any:
    return await call.conn.peer.cancel(call.conn, cid)


class DoubledStop(Peer):
    """Sends END twice."""

    async def answer(self, call: Call, key: str, value: Any) -> None:
        if call.callee_stopped:
            await call.send("stop", True)
        await super().answer(call, key, value)


class NoTerminalOnCancel(Peer):
    """A cancelled call gets no terminal."""

    async def answer(self, call: Call, key: str, value: Any) -> None:
        if not call.scope.cancelled_caught:
            await super().answer(call, key, value)


class Leaky(Peer):
    """Seems to go on with its tasks when their connection ends: nobody hears of their cancellation."""

    def at_end(self, conn: Conn) -> None:
        conn.leaked = True
        super().at_end(conn)

    def remember(self, call: Call, tag: str) -> None:
        if not call.conn.leaked:
            super().remember(call, tag)


class Dies(Peer):
    """Dies of a wrong object."""

    def on_bad_object(self, conn: Conn) -> None:
        os._exit(3)


class Freezes(Peer):
    """Stops serving anybody after a wrong object."""

    def on_bad_object(self, conn: Conn) -> None:
        signal_pause()


class SilentDrop(Peer):
    """Takes a wrong object as if it had not come."""

    def on_bad_object(self, conn: Conn) -> None:
        return


class WrongKind(Peer):
    """Acknowledges generators as contexts."""

    def ack(self, call: Call) -> str:
        return "context" if call.kind == "asyncgen" else call.kind


class Partial(Peer):
    """Serves no contexts."""

    def serves(self, kind: str) -> bool:
        return kind != "context"


class Whims(Peer):
    """Honest, and as odd as may be: other key orders, split frames, extra hello elements, nil from cancel."""

    hello = ("odd", "b0b", {"more": [1, 2]}, None, 7)

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict):
            return wire.encode(dict(reversed(message.items())))
        return wire.encode(message)

    async def write(self, stream: trio.SocketStream, data: bytes) -> None:
        for start in range(0, min(len(data), 60), 7):
            await stream.send_all(data[start : start + 7] if start < 56 else data[start:])

    async def cancel(self, conn: Conn, target: Any) -> Any:
        await super().cancel(conn, target)


def signal_pause() -> None:
    """Block the whole process, as a busy loop would, until it is killed."""
    while True:
        signal.pause()


VARIANTS: dict[str, type[Peer]] = {
    "honest": Peer,
    "doubled-stop": DoubledStop,
    "no-terminal-on-cancel": NoTerminalOnCancel,
    "leaky": Leaky,
    "dies": Dies,
    "freezes": Freezes,
    "silent-drop": SilentDrop,
    "wrong-kind": WrongKind,
    "partial": Partial,
    "whims": Whims,
}


if __name__ == "__main__":
    trio.run(VARIANTS[sys.argv[1] if sys.argv[1:] else "honest"]().serve, int(os.environ["IPTC_PORT"]))
