"""Faults in leaving and in the end of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from faults.honest import Call, Callee, Conn
from iptc_conformance.wire import Classified, Event

if TYPE_CHECKING:
    from faults.honest.callee import Outcome


class SpeaksAfterGoodbye(Callee):
    """It says GOODBYE twice."""

    async def leave(self, conn: Conn) -> None:
        await super().leave(conn)
        await super().leave(conn)


class ServesAfterGoodbye(Callee):
    """It serves calls that come after a GOODBYE."""

    def on_goodbye(self, conn: Conn) -> None:
        conn.nursery.start_soon(self._leave, conn)

    async def _leave(self, conn: Conn) -> None:
        await trio.sleep(0.05)
        await self.end(conn, "goodbye")
        await conn.close()


class GoodbyeBeforeTerminals(Callee):
    """It answers a GOODBYE at once, and ends the calls after it."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "goodbye":
            await self.leave(conn)
        await super().end(conn, "eof")


class GoodbyeUnanswered(Callee):
    """It closes on GOODBYE and does not say it."""

    async def leave(self, conn: Conn) -> None:
        return


class GoodbyeIgnored(Callee):
    """It ignores GOODBYE."""

    def on_goodbye(self, conn: Conn) -> None:
        return


class GoodbyeEndsProcess(Callee):
    """GOODBYE ends the process."""

    def on_goodbye(self, conn: Conn) -> None:
        raise TypeError("NoneType is not a message")


class NoTerminalsAtGoodbye(Callee):
    """On GOODBYE it cancels the calls and sends no terminal."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if call.scope.cancelled_caught and not call.conn.cancels and call.why == "ContextCancelled":
            return
        await super().finish(call, outcome)


class WaitsForCallsAtGoodbye(Callee):
    """On GOODBYE it waits for the calls to end by themselves."""

    async def end(self, conn: Conn, how: str) -> None:
        for call in list(conn.calls.values()) if how == "goodbye" else ():
            await call.over.wait()
        await super().end(conn, how)


class StaysOpenAfterGoodbye(Callee):
    """It answers GOODBYE and does not close."""

    async def leave(self, conn: Conn) -> None:
        await super().leave(conn)
        while await conn.stream.receive_some(65536):
            pass


class TasksOutliveEof(Callee):
    """Its tasks go on when their connection is closed."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "eof":
            await trio.sleep_forever()
        await super().end(conn, how)


class TasksOutliveReset(Callee):
    """Its tasks go on when their connection is reset."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "reset":
            await trio.sleep_forever()
        await super().end(conn, how)


class ContextsOutliveTheirConnection(Callee):
    """At the end of a connection it cancels unary calls and generators, and no context."""

    async def end(self, conn: Conn, how: str) -> None:
        if how != "goodbye":
            for call in [call for call in conn.calls.values() if call.kind == "context"]:
                del conn.calls[call.cid]
        await super().end(conn, how)
        if how != "goodbye":
            await trio.sleep_forever()


class FirstCallAloneCancelled(Callee):
    """At the end of a connection it cancels the first of its calls."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "eof":
            conn.calls = dict(list(conn.calls.items())[:1])
            await super().end(conn, how)
            await trio.sleep_forever()
        await super().end(conn, how)


class ViolationLeavesTasks(Callee):
    """It closes a connection for a violation and leaves its tasks alone."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "violation":
            await trio.sleep_forever()
        await super().end(conn, how)


class GoodbyeSpreads(Callee):
    """A GOODBYE ends the calls of every connection."""

    def on_goodbye(self, conn: Conn) -> None:
        for other in self.conns:
            for call in other.calls.values():
                self.give_up(call, call.why)
        super().on_goodbye(conn)


class EofSpreadsOverAUid(Callee):
    """The end of a connection ends the calls of all connections of its uid."""

    async def end(self, conn: Conn, how: str) -> None:
        for other in self.conns:
            for call in other.calls.values() if other.theirs == conn.theirs else ():
                self.give_up(call, call.why)
        await super().end(conn, how)


class EofSpreads(Callee):
    """The end of a connection ends every connection."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "eof" and conn.calls:
            for other in self.conns:
                await other.close()
        await super().end(conn, how)


class TwentyConnections(Callee):
    """It takes twenty connections, for it never gives one back."""

    async def greet(self, conn: Conn) -> None:
        if conn.number >= 20:
            await trio.sleep_forever()
        await super().greet(conn)


class WritesToTheDeadEndIt(Callee):
    """A write to a connection that is gone ends the process."""

    async def write(self, conn: Conn, data: bytes) -> None:
        try:
            await super().write(conn, data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise RuntimeError("broken pipe") from error


class FrameAfterGoodbyeTaken(Callee):
    """It reads on after a GOODBYE, and answers it when the connection is closed."""

    async def on_frame(self, conn: Conn, got: Classified) -> None:
        if got.event is Event.GOODBYE and conn.calls:
            return
        await super().on_frame(conn, got)
