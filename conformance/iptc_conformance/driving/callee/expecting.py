"""The waiting steps that only a caller can take: they ask the testee something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.expecting import SHARED, call_of, unlike
from iptc_conformance.driving.session import StepFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.callee.session import Session
    from iptc_conformance.driving.link import Link

_POLL_PAUSE = 0.05
_POLL_MOST = 0.2
PROBE = "probe"
_CONTAINED = "ROB-01r"


async def do_contained(step: Step, session: Session) -> None:
    """A violation cost its call, or at most its connection."""
    link, cid = call_of(step, session, "contained")
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
        raise unlike(late[0], "nothing", step)
    session.warn(step["ignored_warns"], what)


async def do_barrier(step: Step, session: Session) -> None:
    """A fresh echo on the connection is answered, and nothing unexpected came before its answer."""
    name = step["barrier"]
    try:
        value = await session.ask(name, "echo", {"value": session.bindings.run}, step.get("within"))
    except StepFailure as failure:
        raise _within(step, failure) from failure
    if value != session.bindings.run:
        raise StepFailure(f"echo returned {shown(value)}", "ENC-11r")
    extra = session.unexpected(name, set(step.get("allow", ())))
    if extra:
        raise unlike(extra[0], "nothing", step)


async def do_fence(step: Step, session: Session) -> None:
    """A sane exchange on another connection."""
    try:
        await session.fence(step.get("within"))
    except StepFailure as failure:
        raise _within(step, failure) from failure


async def do_pass(step: Step, _session: Session) -> None:
    """Let seconds pass. No verdict rests on how many: only how long the testee is put to something."""
    await trio.sleep(step["pass"])


async def do_poll(step: Step, session: Session) -> None:
    """A cancelled task's tag shows up in cancelled_tags; or, with `absent`, is not there."""
    if PROBE not in session.links:
        await session.connect(PROBE)
    tag = session.bindings.value({"$tag": step["poll"]})
    if step.get("absent"):
        if tag in await _tags(session):
            raise StepFailure(f"the task {step['poll']} was cancelled", step.get("clause"))
        return
    left = session.patience(step.get("within"))
    while left > 0:
        began = trio.current_time()
        if tag in await _tags(session):
            return
        await trio.sleep(_POLL_PAUSE)
        left -= min(trio.current_time() - began, _POLL_MOST)  # more is likely to be the suite's own
    detail = f"the task {step['poll']} is still running: its tag is not among cancelled_tags"
    raise StepFailure(detail, step.get("clause"), waited=True)


def _within(step: Step, failure: StepFailure) -> StepFailure:
    """The failure of an exchange, as that of the step which has asked for it."""
    clause = failure.clause or step.get("clause")
    return StepFailure(failure.detail, clause, waited=failure.waited, likely=failure.likely)


def _closed_is_contained(step: Step, session: Session, link: Link) -> None:
    clause = step.get("closed_warns", "ROB-04r")
    session.warn(clause, f"connection {link.name} was closed where its call alone had to be failed")


async def _tags(session: Session) -> list[object]:
    tags = await session.ask(PROBE, "cancelled_tags", {})
    return tags if isinstance(tags, list) else []


WAITING: dict[str, Callable[[Step, Session], Awaitable[None]]] = {
    **SHARED,
    "contained": do_contained,
    "barrier": do_barrier,
    "fence": do_fence,
    "poll": do_poll,
    "pass": do_pass,
}
