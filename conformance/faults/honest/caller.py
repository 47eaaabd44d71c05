"""The honest caller: carries out the ops of the driver protocol over one connection."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import trio

from faults.honest.conn import Conn, ConnectionOver
from faults.honest.inbox import Inbox
from faults.honest.ops import carry_out
from faults.honest.peer import Peer
from faults.honest.table import ACKS, WORDS, live

if TYPE_CHECKING:
    from iptc_conformance.driving.streams import Stream
    from iptc_conformance.wire import Classified, Message


Outcome = dict[str, Any]


class OutCall:
    """A call that this peer has opened. `kind`: the one that it expects."""

    def __init__(self, conn: Conn, cid: str, target: tuple[str, str, dict[str, Any]], kind: str) -> None:
        self.conn, self.cid, self.kind = conn, cid, kind
        self.ns, self.func, self.kwargs = target
        self.peer: Caller = conn.peer  # type: ignore[assignment]
        self.state = "requested"
        self.inbox = Inbox()
        self.first: Any = None
        self.started = trio.Event()
        self.outcome: Outcome = {}
        self.over = trio.Event()
        self.cancelled = False

    def end(self, outcome: Outcome) -> None:
        """Settle the call. The first outcome stands."""
        if not self.over.is_set():
            self.outcome = outcome
            self.over.set()
            self.started.set()
            self.inbox.close()

    def may(self, event: str) -> bool:
        """Whether the table lets us send this now."""
        return not self.over.is_set() and self.peer.cell(self.state, "caller", event).legal


class Caller(Peer):
    """A process with one connection, on which it calls."""

    cancel_seconds: float = 1.0
    goodbye_seconds: float = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.name = ["honest", uuid.uuid4().hex]
        self.ready = trio.Event()
        self.gone = trio.Event()
        self.leaving = False

    async def run(self, stream: Stream) -> None:
        """Be a peer on the connection until it is over."""
        try:
            await Conn(self, stream).run()
        finally:
            self.ready.set()
            self.gone.set()

    def hello(self, conn: Conn) -> list[Any]:
        """Return our hello."""
        return self.name

    def on_hello(self, conn: Conn, got: Classified) -> None:
        """Take the first frame; from now on there is somebody to call."""
        super().on_hello(conn, got)
        self.ready.set()

    # What comes.

    async def on_message(self, conn: Conn, message: Message) -> None:
        """Take a message of a call."""
        cid = message.cid or ""
        if message.kind == "OPEN":
            await self.on_open(conn, message)
            return
        call = self.find(conn, cid)
        if call is None:
            await self.on_unknown(conn, cid)
            return
        event = self.event(message)
        met = self.cell(call.state, "callee", event)
        if met.reaction == "close":
            raise ConnectionOver("violation")
        if met.reaction == "drop":
            return
        if met.reaction == "fail-call":
            self.fail_call(call, met.clause or "", freed=event in {"RESULT", "FAIL"})
            return
        call.state = met.next
        if met.legal or call.state == "draining":
            await self.deliver(call, event, message)

    def find(self, conn: Conn, cid: str) -> OutCall | None:
        """Find a call by its cid."""
        call: OutCall | None = conn.calls.get(cid)
        return call

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        """Drop a message of a cid that is not open."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        """Answer a call of the other side: nothing is exported here."""
        cid = message.cid or ""
        if cid in conn.calls:
            raise ConnectionOver("violation")
        kwargs = message.value
        if (
            message.fields["ns"] == "self"
            and message.fields["func"] == "_cancel_task"
            and set(kwargs) == {"cid"}
        ):
            await conn.send({"functype": "asyncfunc", "cid": cid})
            await conn.send({"return": False, "cid": cid})
        else:
            await conn.send({"error": {"tb_str": "", "type_str": "AttributeError"}, "cid": cid})

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        """Let the call pay."""
        call = self.find(conn, got.cid or "")
        if got.opens:
            if call is not None:
                raise ConnectionOver("violation")
            await conn.send({"error": {"tb_str": "", "type_str": "ProtocolError"}, "cid": got.cid})
        elif call is not None and self.cell(call.state, "callee", "MALFORMED").reaction == "fail-call":
            self.fail_call(call, got.clause or "", freed=False)

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        """Take a legal message of the callee."""
        if event in ACKS.values():
            if event != ACKS[call.kind]:
                self.fail_call(call, "OPN-10s", freed=False)
        elif event == "STARTED":
            call.first = self.value(message)
            call.started.set()
        elif event == "ITEM":
            await self.hold(call, self.value(message), len(message.body))
        elif event == "END":
            self.on_end(call)
        elif event == "RESULT":
            call.end({"outcome": "return", "value": self.value(message)})
        elif event == "FAIL":
            call.end({"outcome": "error", "type": message.fields["type_str"]})

    def on_end(self, call: OutCall) -> None:
        """Take an END: the terminal of a generator, and of a context the end of the callee's half."""
        call.inbox.close()
        if call.kind == "asyncgen":
            call.end({"outcome": "stop"})

    def fail_call(self, call: OutCall, clause: str, *, freed: bool) -> None:
        """Fail a call for a violation, and free the callee unless its terminal has come."""
        call.state = "draining" if freed else "failed"
        call.end({"outcome": "protocol-error", "detail": clause})
        if not freed:
            call.conn.nursery.start_soon(self.cancel, call)

    # What goes.

    def cid(self, conn: Conn) -> str:
        """Return a fresh cid."""
        return uuid.uuid4().hex

    async def open(self, conn: Conn, target: tuple[str, str, dict[str, Any]], kind: str) -> OutCall:
        """Open a call."""
        conn.opened += 1
        call = OutCall(conn, self.cid(conn), target, kind)
        if conn.over:
            call.end({"outcome": "disconnected"})
            return call
        conn.calls[call.cid] = call
        await conn.send(self.open_message(call))
        return call

    def open_message(self, call: OutCall) -> dict[str, Any]:
        """Return the OPEN of a call."""
        return {"cmd": [call.ns, call.func, call.kwargs, self.name, call.cid]}

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        """Send a message of a call, as its caller."""
        met = self.cell(call.state, "caller", event)
        if met.legal:
            call.state = met.next
        await call.conn.send({WORDS[event]: value, "cid": call.cid})

    async def cancel(self, call: OutCall) -> None:
        """Cancel a call, and wait until it is over, or its cancel is, or too long."""
        if call.cancelled or self.leaving or not live(call.state) or call.conn.silent:
            return
        call.cancelled = True
        call.inbox.abandon()
        with trio.CancelScope(shield=True), trio.move_on_after(self.cancel_seconds):
            request = await self.open(call.conn, ("self", "_cancel_task", {"cid": call.cid}), "asyncfunc")
            await request.over.wait()
            self.after_cancel(call)

    def after_cancel(self, call: OutCall) -> None:
        """Take the answer of a CANCEL for the end of its target."""
        call.end({"outcome": "error", "type": "ContextCancelled"})
        if live(call.state):
            call.state = "draining"

    # Ops.

    async def answer(self, op: object) -> Outcome:
        """Carry one op out."""
        return await carry_out(self, op)

    async def end(self, conn: Conn, how: str) -> None:
        """Fail what is pending on a connection that is over, and answer a GOODBYE."""
        for call in list(conn.calls.values()):
            call.end({"outcome": "disconnected"})
        if how == "goodbye":
            await self.part(conn)

    async def part(self, conn: Conn) -> None:
        """Say GOODBYE, as the last frame."""
        await conn.send(None)
        conn.silent = True

    async def leave(self) -> None:
        """Say GOODBYE and wait for the other side's, bounded."""
        self.leaving = True
        for conn in self.conns:
            await self.part(conn)
        with trio.move_on_after(self.goodbye_seconds):
            await self.gone.wait()
        for conn in self.conns:
            await conn.close()
