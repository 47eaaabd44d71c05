"""The steps that wait for something. Every wait is bounded; none of them decides by how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from iptc_conformance.cases.match import Inbound, Matcher, fits
from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.callee.session import WRONG_KIND, Session, StepFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.link import Link

_POLL_PAUSE = 0.05
PROBE = "probe"
_CONTAINED = "ROB-01r"
_MISSING = {"ack": "OPN-02s", "item": "STR-06s", "end": "TRM-01s", "result": "TRM-01s", "fail": "TRM-01s"}
_WRONG = {("ack", "ack"): WRONG_KIND, ("item", "item"): "STR-06s"}


async def do_expect(step: Step, session: Session) -> None:
    """The next messages of a call are as one of the alternatives says."""
    link, cid = _call(step, session, "expect")
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
            raise _unlike(message, wanted, step, _WRONG.get((kind or "", message.kind)))
    _take_optional(done, link, cid)
    done.finish()
    for clause in done.warnings:
        session.warn(clause, f"{step['expect']}: {_seen(link, cid)}")


async def do_terminal(step: Step, session: Session) -> None:
    """The call ends, whatever legal comes before."""
    link, cid = _call(step, session, "terminal")
    waiter = _Waiter(step, session, link, cid)
    await waiter.until(lambda: link.terminal_of(cid) is not None, lambda: "a terminal")
    terminal = link.terminal_of(cid)
    link.consume(cid, len(link.pending(cid)))
    if terminal is None or "be" not in step:
        return
    matched = fits(step["be"], terminal, session.bindings.value)
    if not matched.fits:
        wanted = Matcher.of([step["be"]], session.bindings.value).wants
        raise _unlike(terminal, wanted, {"clause": step.get("be_clause", step.get("clause"))})
    if matched.warns is not None:
        session.warn(matched.warns, f"{step['terminal']} ended with {terminal}")


async def do_contained(step: Step, session: Session) -> None:
    """A violation cost its call, or at most its connection."""
    link, cid = _call(step, session, "contained")
    seconds = step.get("within")
    await session.until(lambda: link.terminal_of(cid) is not None or link.ended is not None, seconds)
    terminal = link.terminal_of(cid)
    answers = link.pending(cid)
    link.consume(cid, len(answers))
    if terminal is not None and terminal.kind == "fail":
        if terminal.value != "ProtocolError" and not step.get("any_type"):
            session.warn(
                step.get("type_warns", "ERR-06s"),
                f"{step['contained']} failed with type_str {terminal.value!r}",
            )
        return
    if terminal is not None and step.get("result_too"):
        return
    if link.ended is not None:
        _closed_is_contained(step, session, link)
        return
    said = ", ".join(map(str, answers)) or "no answer"
    what = f"{step['contained']} got {said}, and the connection stays open"
    if not link.messages(cid):  # not even acknowledged: every OPEN whose cid can be read is answered
        raise StepFailure(what, "OPN-02s", waited=True)
    try:
        await session.ask(link.name, "echo", {"value": 1}, seconds)
    except StepFailure as failure:  # neither the call nor the connection was given up: it is stuck
        raise StepFailure(f"{what}, and dead: {failure.detail}", _CONTAINED, waited=True) from failure
    if answers or "ignored_warns" not in step:
        raise StepFailure(what, step.get("clause"), waited=terminal is None)
    if late := link.pending(cid):
        raise _unlike(late[0], "nothing", step)
    session.warn(step["ignored_warns"], what)


async def do_closed(step: Step, session: Session) -> None:
    """The testee closes the connection. It may say FATAL or GOODBYE before, and end its calls."""
    link = session.link(step["closed"])
    if not await session.until(lambda: link.ended is not None, step.get("within")):
        raise StepFailure(f"connection {link.name} is still open", step.get("clause"), waited=True)


async def do_left(step: Step, session: Session) -> None:
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


async def do_hello_of(step: Step, session: Session) -> None:
    """The testee's hello has come."""
    await session.hello_of(step["hello_of"], step.get("within"), step.get("clause"))


async def do_barrier(step: Step, session: Session) -> None:
    """A fresh echo on the connection is answered, and nothing unexpected came before its answer."""
    name = step["barrier"]
    try:
        value = await session.ask(name, "echo", {"value": session.bindings.run}, step.get("within"))
    except StepFailure as failure:
        raise StepFailure(
            failure.detail, failure.clause or step.get("clause"), waited=failure.waited
        ) from failure
    if value != session.bindings.run:
        raise StepFailure(f"echo returned {shown(value)}", "ENC-11r")
    extra = session.unexpected(name, set(step.get("allow", ())))
    if extra:
        raise _unlike(extra[0], "nothing", step)


async def do_silent(step: Step, session: Session) -> None:
    """Nothing has come for a call but what was expected."""
    link, cid = _call(step, session, "silent")
    if pending := link.pending(cid):
        raise _unlike(pending[0], "nothing", step)


async def do_fence(step: Step, session: Session) -> None:
    """A sane exchange on another connection."""
    try:
        await session.fence(step.get("within"))
    except StepFailure as failure:
        raise StepFailure(
            failure.detail, failure.clause or step.get("clause"), waited=failure.waited
        ) from failure


async def do_poll(step: Step, session: Session) -> None:
    """A cancelled task's tag shows up in cancelled_tags; or, with `absent`, is not there."""
    if PROBE not in session.links:
        await session.connect(PROBE)
    tag = session.bindings.value({"$tag": step["poll"]})
    if step.get("absent"):
        if tag in await _tags(session):
            raise StepFailure(f"the task {step['poll']} was cancelled", step.get("clause"))
        return
    with trio.move_on_after(step.get("within", session.settings.timeout)):
        while tag not in await _tags(session):  # noqa: ASYNC110  (the testee can only be asked)
            await trio.sleep(_POLL_PAUSE)
        return
    detail = f"the task {step['poll']} is still running: its tag is not among cancelled_tags"
    raise StepFailure(detail, step.get("clause"), waited=True)


async def do_order(step: Step, session: Session) -> None:
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

    def __init__(self, step: Step, session: Session, link: Link, cid: str) -> None:
        self._step = step
        self._session = session
        self._link = link
        self._cid = cid
        self._left: float = step.get("within", session.settings.timeout)

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
            how = f"nothing came within {self._step.get('within', self._session.settings.timeout):g} s"
        waited = self._link.ended is None
        raise StepFailure(f"{name}: expected {wants()}, but {how}", clause, waited=waited, likely=likely)

    async def next_message(self, wants: Callable[[], str], likely: str | None) -> Inbound:
        """Take the next message of the call."""
        await self.until(lambda: bool(self._link.pending(self._cid)), wants, likely)
        message = self._link.pending(self._cid)[0]
        self._link.consume(self._cid)
        if message.clause is not None:
            raise StepFailure(f"{message}", message.clause)
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


def _call(step: Step, session: Session, verb: str) -> tuple[Link, str]:
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


def _unlike(message: Inbound, wanted: str, step: Step, likely: str | None = None) -> StepFailure:
    clause = message.clause or step.get("clause")
    return StepFailure(f"{message} came where {wanted} was expected", clause, likely=likely)


def _seen(link: Link, cid: str) -> str:
    return ", ".join(map(str, link.inbox.get(cid, [])[-6:]))


def _closed_is_contained(step: Step, session: Session, link: Link) -> None:
    clause = step.get("closed_warns", "ROB-04r")
    session.warn(clause, f"connection {link.name} was closed where its call alone had to be failed")


async def _tags(session: Session) -> list[object]:
    tags = await session.ask(PROBE, "cancelled_tags", {})
    return tags if isinstance(tags, list) else []


WAITING: dict[str, Callable[[Step, Session], Awaitable[None]]] = {
    "expect": do_expect,
    "terminal": do_terminal,
    "contained": do_contained,
    "closed": do_closed,
    "left": do_left,
    "hello_of": do_hello_of,
    "barrier": do_barrier,
    "silent": do_silent,
    "fence": do_fence,
    "poll": do_poll,
    "order": do_order,
}
