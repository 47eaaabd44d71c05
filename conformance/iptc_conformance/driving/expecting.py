"""The steps of both roles that wait. Every wait is bounded; none of them decides by how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.match import Inbound, Matcher, fits
from iptc_conformance.driving.session import WRONG_KIND, StepFailure, Talk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.link import Link

_MISSING = {"ack": "OPN-02s", "item": "STR-06s", "end": "TRM-01s", "result": "TRM-01s", "fail": "TRM-01s"}
_WRONG = {("ack", "ack"): WRONG_KIND, ("item", "item"): "STR-06s"}


async def do_expect(step: Step, session: Talk) -> None:
    """The next messages of a call are as one of the alternatives says."""
    link, cid = call_of(step, session, "expect")
    alternatives = step.get("any") or [step["events"]]
    matchers = [
        Matcher.of(_with_half_close(patterns, link, cid), session.bindings.value) for patterns in alternatives
    ]
    waiter = _Waiter(step, session, link, cid)
    while (done := next((matcher for matcher in matchers if matcher.complete), None)) is None:
        kind = next((matcher.wants_kind for matcher in matchers if not matcher.dead), None)
        message = await waiter.next_message(lambda: _wants(matchers), _MISSING.get(kind or ""))
        if message.kind in step.get("skip", ()):
            continue
        wanted = _wants(matchers)
        fed = [matcher.feed(message) for matcher in matchers if not matcher.dead]
        if not any(fed):
            raise unlike(message, wanted, step, _WRONG.get((kind or "", message.kind)))
    _take_optional(done, link, cid)
    done.finish()
    for clause in done.warnings:
        session.warn(clause, f"{step['expect']}: {_seen(link, cid)}")


async def do_terminal(step: Step, session: Talk) -> None:
    """The call ends, whatever legal comes before."""
    link, cid = call_of(step, session, "terminal")
    waiter = _Waiter(step, session, link, cid)
    await waiter.until(lambda: link.terminal_of(cid) is not None, lambda: "a terminal")
    terminal = link.terminal_of(cid)
    link.consume(cid, len(link.pending(cid)))
    if terminal is None or "be" not in step:
        return
    matched = fits(step["be"], terminal, session.bindings.value)
    if not matched.fits:
        wanted = Matcher.of([step["be"]], session.bindings.value).wants
        raise unlike(terminal, wanted, {"clause": step.get("be_clause", step.get("clause"))})
    if matched.warns is not None:
        session.warn(matched.warns, f"{step['terminal']} ended with {terminal}")


async def do_closed(step: Step, session: Talk) -> None:
    """The testee closes the connection. It may say FATAL or GOODBYE before, and end its calls."""
    link = session.link(step["closed"])
    if not await session.until(lambda: link.ended is not None, step.get("within")):
        raise StepFailure(f"connection {link.name} is still open", step.get("clause"), waited=True)


async def do_left(step: Step, session: Talk) -> None:
    """The testee says GOODBYE, then closes."""
    link = session.link(step["left"])
    closed = await session.until(lambda: link.ended is not None, step.get("within"))
    if not link.goodbye:
        how = f"it ended ({link.ended})" if closed else "nothing came"
        raise StepFailure(
            f"no GOODBYE on connection {link.name}: {how}", step.get("clause"), waited=not closed
        )
    if not closed:
        detail = f"connection {link.name} is still open after its GOODBYE"
        raise StepFailure(detail, step.get("clause"), waited=True)


async def do_hello_of(step: Step, session: Talk) -> None:
    """The testee's hello has come."""
    await session.hello_of(step["hello_of"], step.get("within"), step.get("clause"))


async def do_silent(step: Step, session: Talk) -> None:
    """Nothing has come for a call but what was expected."""
    link, cid = call_of(step, session, "silent")
    if pending := link.pending(cid):
        raise unlike(pending[0], "nothing", step)


async def do_order(step: Step, session: Talk) -> None:
    """The terminals of these calls came in this order."""
    seqs = []
    for call in step["order"]:
        terminal = session.home(call).terminal_of(session.bindings.cid(call))
        if terminal is None:
            raise StepFailure(f"{call} has no terminal", step.get("clause"))
        seqs.append(terminal.seq)
    if seqs != sorted(seqs):
        raise StepFailure(f"the terminals of {', '.join(step['order'])} came at {seqs}", step.get("clause"))


class _Waiter:
    """Waits for the messages of one call, within one deadline for the whole step."""

    def __init__(self, step: Step, session: Talk, link: Link, cid: str) -> None:
        self._step = step
        self._session = session
        self._link = link
        self._cid = cid
        self._seconds = self._left = session.patience(step.get("within"))

    async def until(
        self, done: Callable[[], bool], wants: Callable[[], str], likely: str | None = None
    ) -> None:
        """Wait for a condition.  Raises StepFailure when the connection or the time ends first."""
        signal = self._session.signal
        self._left = await signal.spend(lambda: done() or self._link.ended is not None, self._left)
        if done():
            return
        clause = self._step.get("clause")
        name = self._session.bindings.call_of(self._cid)
        if self._link.ended is not None:
            how = f"the connection ended ({self._link.ended})"
        else:
            how = f"nothing came within {self._seconds:g} s"
        waited = self._link.ended is None
        raise StepFailure(f"{name}: expected {wants()}, but {how}", clause, waited=waited, likely=likely)

    async def next_message(self, wants: Callable[[], str], likely: str | None) -> Inbound:
        """Take the next message of the call."""
        await self.until(lambda: bool(self._link.pending(self._cid)), wants, likely)
        message = self._link.pending(self._cid)[0]
        self._link.consume(self._cid)
        if message.clause is not None:
            raise StepFailure(f"{message}", message.clause, at=message.seq)
        return message


def _with_half_close(patterns: list[dict[str, Any]], link: Link, cid: str) -> list[dict[str, Any]]:
    """Let the terminal of a context come behind an END, even if its callee has sent no item."""
    said = link.taken(cid)
    context = {"ack": "context"} in patterns or any(
        message.kind == "ack" and message.value == "context" for message in said
    )
    ended = any("end" in pattern for pattern in patterns) or any(message.kind == "end" for message in said)
    at = next((at for at, pattern in enumerate(patterns) if _is_terminal(pattern)), None)
    if not context or ended or at is None:
        return patterns
    return [*patterns[:at], {"end": True, "times": "?"}, *patterns[at:]]


def _is_terminal(pattern: dict[str, Any]) -> bool:
    return any(kind in choice for choice in pattern.get("one_of", [pattern]) for kind in ("result", "fail"))


def call_of(step: Step, session: Talk, verb: str) -> tuple[Link, str]:
    """The connection and the cid of the call that a step is about."""
    link = session.home(step[verb], step.get("on"))
    return link, session.bindings.cid(step[verb])


def _wants(matchers: list[Matcher]) -> str:
    return " or ".join(dict.fromkeys(matcher.wants for matcher in matchers if not matcher.dead))


def _take_optional(matcher: Matcher, link: Link, cid: str) -> None:
    """What an optional tail allows and is already there belongs to this expectation."""
    for message in list(link.pending(cid)):
        if not matcher.feed(message):
            matcher.dead = False
            return
        link.consume(cid)


def unlike(message: Inbound, wanted: str, step: Step, likely: str | None = None) -> StepFailure:
    """The failure that a message is not what was expected."""
    clause = message.clause or step.get("wrong_clause") or step.get("clause")
    detail = f"{message} came where {wanted} was expected"
    return StepFailure(detail, clause, likely=likely, at=message.seq)


def _seen(link: Link, cid: str) -> str:
    return ", ".join(map(str, link.inbox.get(cid, [])[-6:]))


SHARED: dict[str, Callable[[Step, Talk], Awaitable[None]]] = {
    "expect": do_expect,
    "terminal": do_terminal,
    "closed": do_closed,
    "left": do_left,
    "hello_of": do_hello_of,
    "silent": do_silent,
    "order": do_order,
}
"""The verbs of both roles."""
