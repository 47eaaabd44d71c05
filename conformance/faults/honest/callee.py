"""The honest callee: serves the fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest.conn import Conn, ConnectionOver
from faults.honest.fixture import FIXTURE, Entry
from faults.honest.inbox import Inbox, ItemsLost
from faults.honest.peer import Peer
from faults.honest.table import ACKS, WORDS, live

if TYPE_CHECKING:
    from iptc_conformance.driving.streams import Stream
    from iptc_conformance.wire import Classified, Message

NAMESPACE = "iptc_testee"
Outcome = tuple[str, Any]
"""The event of a terminal, and its value."""


def failure(type_str: str, text: str = "") -> dict[str, str]:
    """Return the body of an error."""
    return {"tb_str": text, "type_str": type_str}


class Call:
    """A call that this peer serves."""

    def __init__(self, conn: Conn, cid: str, func: str, kind: str) -> None:
        self.conn, self.cid, self.func, self.kind = conn, cid, func, kind
        self.number = conn.opened
        self.peer: Callee = conn.peer  # type: ignore[assignment]
        self.state = "requested"
        self.scope = trio.CancelScope()
        self.inbox = Inbox()
        self.why = "ContextCancelled"
        self.over = trio.Event()
        self.items = 0
        """How many items were sent."""

    async def start(self, first: Any) -> None:
        """Send STARTED."""
        await trio.lowlevel.checkpoint()
        await self.peer.say(self, "STARTED", first)

    async def send(self, item: Any) -> None:
        """Send an item."""
        await trio.lowlevel.checkpoint()
        self.items += 1
        await self.peer.say(self, "ITEM", item)

    async def stop(self) -> None:
        """Close our half."""
        await trio.lowlevel.checkpoint()
        await self.peer.say(self, "END", True)


class Callee(Peer):
    """A process that serves the fixture on every connection."""

    functions = FIXTURE
    open_calls = 65536

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    async def __call__(self, stream: Stream) -> None:
        """Serve one connection."""
        await Conn(self, stream).run()

    # What comes.

    async def on_message(self, conn: Conn, message: Message) -> None:
        """Open a call, or take a message of one."""
        cid = message.cid or ""
        if message.kind == "OPEN":
            if self.cell(self.state(conn, cid), "caller", "OPEN").reaction == "close":
                await self.on_live_cid(conn, cid, message)
            else:
                await self.open(conn, message)
            return
        call = self.find(conn, cid)
        if call is None:
            await self.on_unknown(conn, cid)
            return
        event = self.event(message)
        met = self.cell(call.state, "caller", event)
        if met.reaction == "close":
            raise ConnectionOver("violation")
        if met.reaction == "drop":
            return
        if met.reaction == "fail-call":
            self.fail_call(call)
            return
        call.state = met.next
        if met.legal:
            await self.deliver(call, event, message)

    def find(self, conn: Conn, cid: str) -> Call | None:
        """Find a call by its cid."""
        call: Call | None = conn.calls.get(cid)
        return call

    def state(self, conn: Conn, cid: str) -> str:
        """Return the state of a cid."""
        call = self.find(conn, cid)
        return "idle" if call is None else call.state

    async def on_live_cid(self, conn: Conn, cid: str, message: Message | None) -> None:
        """Close: a live cid is opened again. `message` is None if it is malformed as well."""
        raise ConnectionOver("violation")

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        """Drop a message of a cid that is not open."""

    async def deliver(self, call: Call, event: str, message: Message) -> None:
        """Take a legal message of the caller of a call."""
        if event == "ITEM":
            await self.hold(call, self.value(message), len(message.body))
        elif event == "END":
            call.inbox.close()
        elif event == "FAIL":
            self.on_caller_fail(call)

    def on_caller_fail(self, call: Call) -> None:
        """Give the call up: its caller has failed."""
        call.inbox.close()
        self.give_up(call, "ContextCancelled")

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        """Let the call pay."""
        cid = got.cid or ""
        if got.opens:
            if self.cell(self.state(conn, cid), "caller", "OPEN").reaction == "close":
                await self.on_live_cid(conn, cid, None)
            else:
                await self.refuse(conn, cid, "ProtocolError")
            return
        call = self.find(conn, cid)
        if call is not None and self.cell(call.state, "caller", "MALFORMED").reaction == "fail-call":
            self.fail_call(call)

    def fail_call(self, call: Call) -> None:
        """Fail a call for a violation."""
        call.state = "failed"
        self.give_up(call, "ProtocolError")

    def give_up(self, call: Call, why: str) -> None:
        """Cancel the task of a call; `why` is the type of its FAIL."""
        call.why = why
        call.inbox.abandon()
        call.scope.cancel()

    # Opening.

    async def open(self, conn: Conn, message: Message) -> None:
        """Answer an OPEN: with ACK and a task, or with FAIL."""
        cid, kwargs = message.cid or "", self.value(message)
        conn.opened += 1
        found = self.lookup(conn, message.fields["ns"], message.fields["func"])
        if self.wrong_uid(conn, message.fields["uid"]):
            await self.refuse(conn, cid, "ProtocolError")
        elif found is None:
            await self.refuse(conn, cid, "AttributeError")
        elif self.misfit(found, kwargs):
            await self.refuse(conn, cid, "TypeError")
        elif self.crowded(conn):
            await self.refuse(conn, cid, "TooManyCalls")
        else:
            call = Call(conn, cid, message.fields["func"], found.kind)
            conn.calls[cid] = call
            await self.acknowledge(call)
            conn.nursery.start_soon(self.serve, call, found, kwargs)

    def wrong_uid(self, conn: Conn, uid: tuple[str, str]) -> bool:
        """Whether an OPEN has a uid that is not its sender's."""
        return list(uid) != conn.theirs

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        """Find an exported function."""
        if ns == "self":
            return CANCEL if func == "_cancel_task" else None
        return self.functions.get(func) if ns == NAMESPACE else None

    def misfit(self, entry: Entry, kwargs: Any) -> bool:
        """Whether these arguments do not fit."""
        if not isinstance(kwargs, dict) or not kwargs.keys() <= entry.names.keys():
            return True
        if entry is CANCEL and not isinstance(kwargs.get("cid"), str):
            return True
        return any(name not in kwargs for name, needed in entry.names.items() if needed)

    def crowded(self, conn: Conn) -> bool:
        """Whether as many calls are open as may be; as many CANCELs again."""
        return sum(live(call.state) for call in conn.calls.values()) >= 2 * self.open_calls

    async def refuse(self, conn: Conn, cid: str, why: str) -> None:
        """Answer an OPEN with FAIL."""
        await conn.send({"error": failure(why), "cid": cid})

    async def acknowledge(self, call: Call) -> None:
        """Send the ACK."""
        await self.say(call, ACKS[call.kind], call.kind)

    # Serving.

    async def say(self, call: Call, event: str, value: Any) -> None:
        """Send a message of a call, as its callee."""
        met = self.cell(call.state, "callee", event)
        if met.legal:
            call.state = met.next
        await call.conn.send({WORDS[event]: value, "cid": call.cid})

    async def serve(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> None:
        """Run the function of a call to its end, and tell how it ended."""
        outcome: Outcome | None = None
        with call.scope:
            outcome = await self.run(call, entry, kwargs)
        if outcome is None or call.state == "failed":
            outcome = self.cancelled(call)
        await self.finish(call, outcome)
        self.forget(call)
        call.over.set()

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        """Run the function of a call; its outcome if it ends by itself."""
        try:
            value = await entry.body(call, **kwargs)
        except (ValueError, ItemsLost) as error:
            return "FAIL", failure(type(error).__name__, str(error))
        return self.returned(call, value)

    def returned(self, call: Call, value: Any) -> Outcome:
        """Return the terminal of a function that has come to its end."""
        return ("END", True) if call.kind == "asyncgen" else ("RESULT", value)

    def cancelled(self, call: Call) -> Outcome:
        """Return the terminal of a cancelled call."""
        return "FAIL", failure(call.why)

    async def finish(self, call: Call, outcome: Outcome) -> None:
        """Send the terminal."""
        await self.say(call, *outcome)

    def forget(self, call: Call) -> None:
        """Free the cid."""
        call.inbox.abandon()
        if call.conn.calls.get(call.cid) is call:
            del call.conn.calls[call.cid]

    def remember(self, call: Call, tag: str) -> None:
        """Note that a task with a tag was cancelled."""
        if tag:
            self.tags.append(tag)

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        """Cancel a call; true when it is over."""
        call = self.find(conn, target)
        conn.cancels += 1
        if call is None or call is own or call.over.is_set():
            return False
        self.give_up(call, call.why)
        await call.over.wait()
        return True

    # The end.

    async def end(self, conn: Conn, how: str) -> None:
        """Cancel what is served on a connection that is over; after GOODBYE answer it."""
        calls = list(conn.calls.values())
        for call in calls:
            self.give_up(call, call.why)
        for call in calls:
            await call.over.wait()
        if how == "goodbye":
            await self.leave(conn)

    async def leave(self, conn: Conn) -> None:
        """Say GOODBYE."""
        await conn.send(None)


async def _cancel(call: Call, cid: str) -> Any:
    return await call.peer.cancel(call.conn, call, cid)


CANCEL = Entry("asyncfunc", {"cid": True}, _cancel)
