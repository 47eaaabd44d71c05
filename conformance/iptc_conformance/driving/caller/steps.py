"""The steps of the caller role: ops for the driver, what they open, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.match import same
from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.caller.host import CONN
from iptc_conformance.driving.expecting import SHARED, unlike
from iptc_conformance.driving.sending import SENDING_VERBS, do_send, do_together
from iptc_conformance.driving.session import StepFailure
from iptc_conformance.msgpack_reader import Malformed, read
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.tagged import TagError, untag

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_conformance.cases.match import Inbound
    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.caller.driver import Outcome
    from iptc_conformance.driving.caller.session import Session

_CONTAINED = "ROB-01r"
_FAILED = frozenset({"protocol-error", "error", "disconnected", "cancelled"})
_TOLERATED = frozenset({"end"})
"""What a caller may say of its own accord while its call is open, and no step need expect."""


async def run_step(step: Step, session: Session) -> None:
    """Do one step.  Raises StepFailure, Unsupported, Garbled."""
    session.parted = session.parted or any(
        verb in part for part in step.get("together", [step]) for verb in ("goodbye", "fatal")
    )
    if "do" in step:
        session.do(step)
    elif "together" in step:
        do_together(step, session)
    elif "bind" in step:
        session.bindings.bind_cid(step["bind"], session.bindings.value(step["cid"]))
    elif "close" in step:
        await session.link(step["close"]).close(step["how"], session.settings.timeout)
    elif verb := next((verb for verb in WAITING if verb in step), None):
        await WAITING[verb](step, session)
    elif any(verb in step for verb in SENDING_VERBS):
        do_send(step, session)
    else:
        raise ValueError(f"no step: {step}")


async def do_opened(step: Step, session: Session) -> None:
    """The OPEN of an op has come."""
    opened = await session.opened(step["of"], step.get("within"), step.get("clause"))
    session.bind(step["opened"], opened)


async def do_cancelled(step: Step, session: Session) -> None:
    """The CANCEL of a call has come."""
    link, target = session.wire, session.bindings.cid(step["target"])

    def found() -> Inbound | None:
        return next((opened for opened in link.opens if session.target_of(opened) == target), None)

    await session.until(lambda: found() is not None or link.ended is not None, step.get("within"))
    cancel = found()
    if cancel is None:
        how = f"the connection ended ({link.ended})" if link.ended else "nothing came"
        detail = f"expected a CANCEL of {step['target']}, but {how}"
        raise StepFailure(detail, step.get("clause"), waited=link.ended is None)
    link.opens.remove(cancel)
    session.bind(step["cancelled"], cancel)
    session.took_cancel(step["target"])
    if not same(cancel.value[2], {"cid": target}):
        raise StepFailure(f"a CANCEL with kwargs {shown(cancel.value[2])}", "CXL-01s")


async def do_outcome(step: Step, session: Session) -> None:
    """An op has come to this."""
    answer = await _answer(step, "outcome", session, step.get("clause"))
    patterns = step.get("any") or [step["be"]]
    for pattern in patterns:
        if _fits(pattern, answer, session):
            if "warns" in pattern:
                session.warn(pattern["warns"], f"{step['outcome']} came to {_told(answer)}")
            return
    wanted = " or ".join(_told(pattern) for pattern in patterns)
    raise StepFailure(f"{step['outcome']} came to {_told(answer)}, not to {wanted}", step.get("clause"))


async def do_contained(step: Step, session: Session) -> None:
    """A violation cost its op, or at most its connection."""
    answer = await _answer(step, "contained", session, _CONTAINED)
    if answer["outcome"] not in _FAILED:
        told = f"{step['contained']} came to {_told(answer)}, as if nothing had been"
        if "ignored_warns" not in step:
            raise StepFailure(told, step.get("clause"))
        session.warn(step["ignored_warns"], told)
    if not step.get("closes"):
        session.closing_warns = step.get("closed_warns", "ROB-04r")
        note_closed(session)


def note_closed(session: Session) -> bool:
    """Note it if the testee has closed the connection where its call alone had to be failed; tell whether."""
    link = session.wire
    if session.closing_warns is None or link.ended in {None, "closed here"}:
        return False
    session.warn(session.closing_warns, "the connection was closed where its call alone had to be failed")
    return True


async def do_barrier(step: Step, session: Session) -> None:
    """A fresh echo is called and returns, and nothing unexpected came before it was opened."""
    await _unless_closed(step, session)
    check_quiet(step, session)


def check_quiet(step: Step, session: Session) -> None:
    """Nothing has come that no step expected.  Raises StepFailure."""
    allowed = set(step.get("allow", ()))
    extra = [said for said in session.unexpected(CONN, allowed) if said.kind not in _TOLERATED]
    if extra:
        raise unlike(extra[0], "nothing", step)
    if foreign := session.foreign():
        raise StepFailure(f"OPEN {shown(foreign[0].value)} came, which no op asks for", step.get("clause"))


async def do_alive(step: Step, session: Session) -> None:
    """The driver runs and answers: on a connection that is gone, that it is gone."""
    await probe_alive(session, step.get("within"), step.get("clause"))


async def probe_alive(session: Session, seconds: float | None = None, clause: str | None = None) -> None:
    """See that the driver still answers ops.  Raises StepFailure."""
    if session.host.usable and not session.parted:
        await _unless_closed({"within": seconds, "clause": clause}, session)
        return
    if session.host.leaving:
        return
    session.do({"do": "alive", "op": "call", "func": "echo", "kwargs": {"value": "alive"}})
    answer = await session.answered("alive", seconds)
    if answer is None:
        raise StepFailure("the driver answers no op any more", clause, waited=True)
    if answer["outcome"] == "return":
        raise StepFailure(f"an op on a connection that is gone came to {_told(answer)}", clause)


async def _unless_closed(step: Step, session: Session) -> None:
    try:
        await session.ask(step.get("within"))
    except StepFailure as failure:
        if note_closed(session):
            return
        clause = failure.clause or step.get("clause")
        raise StepFailure(failure.detail, clause, waited=failure.waited) from failure


async def _answer(step: Step, verb: str, session: Session, clause: str | None) -> Outcome:
    answer = await session.answered(step[verb], step.get("within"))
    if answer is None:
        how = "the driver is gone" if session.host.driver.answers.over else "nothing came"
        raise StepFailure(f"expected the outcome of {step[verb]}, but {how}", clause, waited=True)
    return answer


def _fits(pattern: dict[str, Any], answer: Outcome, session: Session) -> bool:
    if pattern["outcome"] != answer["outcome"]:
        return False
    if "type" in pattern and not _type_fits(pattern["type"], answer.get("type")):
        return False
    members = [member for member in ("value", "first", "items") if member in pattern]
    return all(member in answer and _same(pattern[member], answer[member], session) for member in members)


def _type_fits(expected: Any, got: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(got, str) and got not in expected["not"]
    return expected in ("*", got)


def _same(expected: Any, got: Any, session: Session) -> bool:
    if expected == {"$any": True}:
        return True
    try:
        return same(read(encode(untag(got))), read(encode(session.bindings.value(expected))))
    except (TagError, Malformed, ValueError, RecursionError):
        return False


def _told(answer: dict[str, Any]) -> str:
    told = {key: value for key, value in answer.items() if key not in {"id", "outcome", "warns"}}
    return f"{answer['outcome']} {shown(told)}" if told else str(answer["outcome"])


WAITING: dict[str, Callable[[Step, Session], Awaitable[None]]] = {
    **{verb: step for verb, step in SHARED.items() if verb not in {"terminal", "order"}},
    "opened": do_opened,
    "cancelled": do_cancelled,
    "outcome": do_outcome,
    "contained": do_contained,
    "barrier": do_barrier,
    "alive": do_alive,
}
