"""The serving half of a peer: calls that the other end has opened."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from iptc_codec import (
    CANCEL_FUNCTION,
    Ack,
    Command,
    End,
    Fail,
    LocalProtocolError,
    Message,
    Open,
    Result,
    State,
    UnencodableValueError,
    Violation,
)

from ._endpoint import Endpoint
from ._errors import CANCELLED_TYPE, VIOLATION_TYPE
from ._exports import RUNTIME, Export, Exports, Kind, NotExportedError
from ._invoke import invoke
from ._link import Link, Phase
from ._report import failure, is_clean_up, name_of, shortened
from ._waiters import Waiters
from ._waits import noticing_waits
from ._workers import Workers

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import trio


class _Refusal(Exception):  # noqa: N818 - an answer, not an error
    """The call is answered with FAIL instead of ACK."""

    def __init__(self, type_str: str, detail: str) -> None:
        super().__init__(detail)
        self.type_str = type_str


_ACTOR_CANCEL = "cancel"

_SMALL_ITEM: Final = 512
"""Bytes of an item that may wait for others: as many as may be held make one good write."""

_TALKING, _ASYNCFUNC = Phase.TALKING, Kind.ASYNCFUNC  # to look one up costs 0.1 us
_OVER = Fail.of("Ended", "", "")
"""How a served call has ended for this end: it does not matter."""


class Served(Endpoint):
    """The callee's end of one call."""

    own_half_open = frozenset({State.GENERATOR, State.OPEN, State.CALLER_STOPPED})
    other_half_shut = frozenset({State.CALLER_STOPPED, State.BOTH_STOPPED})

    scope: trio.CancelScope
    """In which it runs."""

    def __init__(self, link: Link, cid: str, export: Export, kwargs: dict[str, Any]) -> None:
        super().__init__(link, cid, export.kind)
        self.export = export
        self.kwargs = kwargs
        self.verdict: Fail | None = None
        self.cancels: list[str] = []
        self._items: list[bytes] = []

    def hold(self, value: object) -> bool:
        """Take an item that leaves with the next `flush`. False, and nothing has happened: it is to be sent.

        Raises `UnencodableValueError`.
        """
        link = self.link
        if not self.turn or link.writer.full or not (self._items or link.conn.takes_items(self.cid)):
            return False
        self.turn -= 1
        parts = link.conn.item_parts(value, self.cid)
        self._items += parts
        if len(parts[1]) > _SMALL_ITEM:
            self.spend(len(parts[1]))
            self.flush()
        return True

    def post_held(self) -> None:
        """Queue the items that were held."""
        if self._items:
            items, self._items = self._items, []
            self.link.post_all(items)

    def flush(self) -> None:
        """Queue the items that were held, and let go whatever waits for more."""
        self.post_held()
        self.link.writer.let_go()

    def cancel(self, verdict: Fail | None = None) -> None:
        """Cancel the task. A verdict decides how the call ends, whatever the task makes of it."""
        self.verdict = self.verdict or verdict
        self.inbox.leave()
        self.scope.cancel()
        self.wake()  # if it is shielded, it looks whether the connection still stands


class Serving:
    """The live calls that the other end has opened on one connection."""

    def __init__(self, link: Link, exports: Exports) -> None:
        self._link = link
        self._exports = exports
        self.live: dict[str, Served] = {}
        """By cid."""
        self._cancels: dict[str, Served] = {}
        self._idle = Waiters()
        self.workers = Workers(self._run, self._give_up, link.reading)
        on_cancel = link.settings.on_cancel
        self._actor_cancel: Export | None = None
        if on_cancel is not None:
            self._actor_cancel = Export.of(lambda: _awaiting(on_cancel()), Kind.ASYNCFUNC)

    def cancel_all(self) -> None:
        """Cancel every call; each gets its terminal while the connection stands (DSC-02r, DSC-03r)."""
        for served in list(self.live.values()):
            served.cancel()

    async def idle(self) -> None:
        """Wait until no call is served any more."""
        while self.live or self._cancels:
            await self._idle.wait()

    # What the reader brings.

    def opened(self, message: Open) -> None:
        """Acknowledge a call and start it, or refuse it; in either case at once (OPN-02s)."""
        command = message.cmd
        if self._link.phase is not _TALKING:
            self._refuse(command.cid, "Disconnected", self._link.why)
            return
        try:
            if command.ns == RUNTIME:
                self._runtime(command.func, command.kwargs, command.cid)
            else:
                self._start(command.cid, self._export(command), command.kwargs)
        except _Refusal as refusal:
            self._refuse(command.cid, refusal.type_str, str(refusal))

    def violated(self, cid: str, violation: Violation) -> None:
        """The caller broke the protocol in a call: its task is let go, and that is how it ends (ERR-06s)."""
        detail = shortened(f"{violation.clause}: {violation.detail}", self._link.settings)
        verdict = Fail.of(VIOLATION_TYPE, detail, cid)
        served = self.live.get(cid)
        if served is not None:
            served.cancel(verdict)
        else:
            self._end_cancel(cid)
            self._link.say(verdict)

    # How calls begin.

    def _export(self, command: Command) -> Export:
        try:
            export = self._exports.find(command.ns, command.func)
            export.check(command.kwargs)
        except NotExportedError as error:
            raise _Refusal(error.type_str, str(error)) from None
        except TypeError as error:
            raise _Refusal("TypeError", str(error)) from None
        return export

    def _runtime(self, func: str, kwargs: dict[str, object], cid: str) -> None:
        if func == CANCEL_FUNCTION[1]:
            self._cancel(kwargs, cid)
        elif func == _ACTOR_CANCEL and self._actor_cancel and not kwargs:
            self._start(cid, self._actor_cancel, kwargs)
        else:
            raise _Refusal("AttributeError", f"{RUNTIME!r} serves no {func!r} with these arguments")

    def _cancel(self, kwargs: dict[str, object], cid: str) -> None:
        """Cancel a call of this connection; the answer waits for its end, nothing else does (CXL-06r)."""
        cid_of_target = kwargs.get("cid")
        if len(kwargs) != 1 or not isinstance(cid_of_target, str):
            raise _Refusal("TypeError", f"{CANCEL_FUNCTION[1]} takes one str, cid")
        target = self.live.get(cid_of_target)
        pending = self._cancels.get(cid_of_target)
        self._link.say(Ack("asyncfunc", cid))
        if target is not None:
            self._cancels[cid] = target
            target.cancels.append(cid)
            target.cancel()
        else:
            if pending is not None:
                self._end_cancel(cid_of_target)
                self._link.say(Fail.of(CANCELLED_TYPE, "", cid_of_target))
            self._link.say(Result(pending is not None, cid))

    def _start(self, cid: str, export: Export, kwargs: dict[str, Any]) -> None:
        self._link.say(Ack(export.functype, cid), hold=True)
        served = self.live[cid] = Served(self._link, cid, export, kwargs)
        served.scope = self.workers.start(served)

    def _refuse(self, cid: str, type_str: str, detail: str) -> None:
        self._link.say(Fail.of(type_str, shortened(detail, self._link.settings), cid))

    # How they end.

    async def _run(self, served: Served) -> None:
        """Run one call to its terminal, unless it is cancelled or raises."""
        export = served.export
        if export.kind is _ASYNCFUNC:
            work = export.function(**served.kwargs)
            if type(work) is not CoroutineType:
                work = _awaiting(work)
            value = await noticing_waits(work, served.flush)
            terminal: Result | End = Result(value, served.cid)
        else:
            terminal = await noticing_waits(invoke(served), served.flush)
        if self._link.writer.full:
            await self._room(served)
        self._end(served, terminal)

    async def _give_up(self, served: Served, error: BaseException | None) -> None:
        """Answer a call that was cancelled, or has raised: that ends this call alone (TRM-06s)."""
        if error is None:
            terminal = Fail.of(CANCELLED_TYPE, "", served.cid)
        else:
            cancelled = served.scope.cancel_called and is_clean_up(error)
            terminal = failure(error, served.cid, self._link.settings, cancelled=cancelled)
        if self._link.writer.full:
            await self._room(served)
        self._end(served, terminal)

    async def _room(self, served: Served) -> None:
        served.flush()
        await self._link.room_for_terminal()

    def _end(self, served: Served, terminal: Message) -> None:
        del self.live[served.cid]
        served.post_held()
        served.inbox.leave()
        try:
            self._link.post(served.verdict or terminal, answer=False)
        except UnencodableValueError as error:  # TRM-05s
            self._refuse(served.cid, name_of(error), str(error))
        except LocalProtocolError as error:
            self._link.contain(error)
        served.outcome = _OVER
        for cid in served.cancels:
            del self._cancels[cid]
            self._link.say(Result(value=True, cid=cid))
        self._idle.wake()

    def _end_cancel(self, cid: str) -> None:
        target = self._cancels.pop(cid, None)
        if target is not None:
            target.cancels.remove(cid)
            self._idle.wake()


async def _awaiting(work: Awaitable[object]) -> object:
    return await work
