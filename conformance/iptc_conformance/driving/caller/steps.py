"""The steps of the caller role: ops for the driver, what they open, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from iptc_conformance import _specdata
from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.caller.host import CONN
from iptc_conformance.driving.expecting import SHARED, unlike
from iptc_conformance.driving.inbound import OVERRUN_TYPE
from iptc_conformance.driving.sending import SENDING_VERBS, do_send, do_together
from iptc_conformance.driving.session import StepFailure
from iptc_conformance.msgpack_reader import Malformed, read
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.tagged import TagError, identical, untag

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_conformance.cases.match import Inbound
    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.caller.driver import Outcome
    from iptc_conformance.driving.caller.session import Session

_CONTAINED = "ROB-01r"
_GUESSED = 8
"""Shorter cids can be tried out."""
_FAILED = frozenset({"protocol-error", "error", "disconnected", "cancelled"})
_TOLERATED = frozenset({"end"})
"""What a caller may say of its own accord while its call is open, and no step need expect."""


class Parted(Exception):  # noqa: N818  (neither a verdict nor a fault: the case is over)
    """The testee has closed the connection where its call alone had to be failed: the warning is noted."""


async def run_step(step: Step, session: Session) -> None:
    """Do one step.  Raises StepFailure, Unsupported, Garbled, Parted."""
    if (waiting := next((verb for verb in WAITING if verb in step), None)) is not None:
        try:
            await WAITING[waiting](step, session)
        except StepFailure as failure:
            if await _excused(waiting, step, failure, session):
                raise Parted from failure
            raise
    elif (doing := next((verb for verb in DOING if verb in step), None)) is not None:
        DOING[doing](step, session)
    elif any(verb in step for verb in SENDING_VERBS):
        _say(step, session)
    else:
        raise ValueError(f"no step: {step}")


def _say(step: Step, session: Session) -> None:
    session.parted = session.parted or any(verb in step for verb in ("goodbye", "fatal"))
    if not session.is_over(step):
        do_send(step, session)


def _say_together(step: Step, session: Session) -> None:
    parts = [part for part in step["together"] if not session.is_over(part)]
    session.parted = session.parted or any(verb in part for part in parts for verb in ("goodbye", "fatal"))
    if parts:
        do_together({**step, "together": parts}, session)


def _bind(step: Step, session: Session) -> None:
    session.bindings.bind_cid(step["bind"], session.bindings.value(step["cid"]))


async def do_close(step: Step, session: Session) -> None:
    """The suite closes the connection, or at least its own end of it.

    Not before the driver has said something: until then it may still be busy connecting.
    """
    session.parted = True
    link = session.link(step["close"])
    await session.until(lambda: link.heard or link.ended is not None)
    await link.close(step["how"], session.settings.timeout)


async def do_pass(step: Step, _session: Session) -> None:
    """Some time passes: how much decides what the testee is put to, and no verdict."""
    await trio.sleep(step["pass"])


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
    if not identical(cancel.value[2], {"cid": target}):
        raise StepFailure(f"a CANCEL with kwargs {shown(cancel.value[2])}", "CXL-01s")


async def do_outcome(step: Step, session: Session) -> None:
    """An op has come to this."""
    answer = await _answer(step, "outcome", session, step.get("clause"))
    patterns = step.get("any") or [step["be"]]
    for pattern in patterns:
        if _fits(pattern, answer, session):
            if "warns" in pattern:
                session.warn(pattern["warns"], f"{step['outcome']} came to {_told(answer)}")
            closing = next((one.get("warns") for one in patterns if one["outcome"] == "disconnected"), None)
            if closing is not None and answer["outcome"] in _FAILED:
                session.closing_warns = closing
            return
    wanted = " or ".join(_told(pattern) for pattern in patterns)
    raise StepFailure(f"{step['outcome']} came to {_told(answer)}, not to {wanted}", step.get("clause"))


async def do_contained(step: Step, session: Session) -> None:
    """A violation cost its op, or at most its connection."""
    await _or_shrugged_off(step, session)
    answer = await _answer(step, "contained", session, step.get("clause", _CONTAINED))
    if answer["outcome"] not in _FAILED:
        told = f"{step['contained']} came to {_told(answer)}, as if nothing had been"
        if "ignored_warns" not in step:
            raise StepFailure(told, step.get("clause"))
        session.warn(step["ignored_warns"], told)
    if not step.get("closes"):
        session.closing_warns = step.get("closed_warns", "ROB-04r")
        note_closed(session)


async def _or_shrugged_off(step: Step, session: Session) -> None:
    """Wait for the outcome; where the violation was dropped (ROB-04r is a SHOULD), end the call ourselves.

    That a fresh echo still returns tells it from a driver that is stuck.
    """
    name = step["contained"]
    if not session.shrugs and await session.answered(name, step.get("within")) is not None:
        return
    opened = session.ops[name].opened
    if step.get("closes") or not session.provokes or opened is None or not session.host.usable:
        return
    try:
        await session.ask(step.get("within"))
    except StepFailure as failure:
        if session.wire.ended is None and session.answer(name) is None:
            detail = f"{name} has no outcome, and the driver is stuck: {failure.detail}"
            raise StepFailure(detail, _CONTAINED, waited=True) from failure
        return
    if session.answer(name) is None:
        should = (clause for clause in session.clauses if _specdata.clause_level(clause) != "MUST")
        told = f"{name} went on as if nothing had come for it"
        session.warn(step.get("ignored_warns") or next(should, "ROB-04r"), told)
        session.shrugs = True
        session.free(str(opened.cid))


async def _excused(verb: str, step: Step, failure: StepFailure, session: Session) -> bool:
    """Whether a step failed only because the testee has closed the connection, which is noted."""
    if session.closing_warns is None or failure.waited:
        return False
    if verb == "outcome":
        answer = session.answer(step["outcome"])
        if answer is None or answer["outcome"] not in _FAILED:
            return False
    return await _closing(session, step.get("of") or step.get("outcome"))


async def _closing(session: Session, op: str | None) -> bool:
    """Whether the connection is closed by the testee, or about to be: its op is told first, perhaps."""
    answer = session.answer(op) if op is not None and op in session.ops else None
    if answer is not None and answer["outcome"] in _FAILED:
        await session.until(lambda: session.wire.ended is not None)
    return note_closed(session)


def note_closed(session: Session) -> bool:
    """Note it if the testee has closed the connection where its call alone had to be failed; tell whether."""
    link = session.wire
    if session.closing_warns is None or link.ended in {None, "closed here"}:
        return False
    session.warn(session.closing_warns, "the connection was closed where its call alone had to be failed")
    return True


async def do_goodbye_of(step: Step, session: Session) -> None:
    """The caller has said GOODBYE, and waits for ours."""
    link = session.link(step["goodbye_of"])
    await session.until(lambda: link.goodbye or link.ended is not None, step.get("within"))
    if not link.goodbye:
        how = f"the connection ended ({link.ended})" if link.ended else "nothing came"
        raise StepFailure(f"expected GOODBYE, but {how}", step.get("clause"), waited=link.ended is None)


async def do_release(step: Step, session: Session) -> None:
    """End a call as an honest callee does that is told to stop, unless it has ended."""
    session.release(session.bindings.cid(step["release"]))


async def do_fresh(step: Step, session: Session) -> None:
    """The cids of these calls differ, and are too long to be guessed."""
    clause = step.get("clause", "CID-07s")
    cids = [session.bindings.cid(call) for call in step["fresh"]]
    told = ", ".join(map(shown, cids))
    if len(set(cids)) < len(cids):
        raise StepFailure(f"the cids are {told}", clause)
    if any(len(cid) < _GUESSED for cid in cids):
        session.warn(clause, f"anybody can guess the cids {told}")


async def do_noticed(step: Step, session: Session) -> None:
    """If items of a call were lost, an OVERRUN has said so: the callee hears what the application hears."""
    cid, answer = session.bindings.cid(step["noticed"]), session.answer(step["of"])
    lost = answer is not None and answer.get("type") == OVERRUN_TYPE
    if lost and not any(said.kind == "overrun" for said in session.wire.messages(cid)):
        detail = f"{step['of']} came to {OVERRUN_TYPE}, and no OVERRUN has told its callee"
        raise StepFailure(detail, step.get("clause", "FLW-02s"))


async def do_barrier(step: Step, session: Session) -> None:
    """A fresh echo is called and returns, and nothing unexpected came before it was opened."""
    await _unless_closed(step, session)
    check_quiet(step, session)


def check_quiet(step: Step, session: Session) -> None:
    """Nothing has come that no step expected.  Raises StepFailure."""
    session.allowed.update(step.get("allow", ()))
    extra = [said for said in session.unexpected(CONN, session.allowed) if said.kind not in _TOLERATED]
    if extra:
        raise unlike(extra[0], "nothing", step)
    if foreign := session.foreign():
        raise StepFailure(f"OPEN {shown(foreign[0].value)} came, which no op asks for", step.get("clause"))


async def do_alive(step: Step, session: Session) -> None:
    """The driver runs and answers: on a connection that is gone, that it is gone."""
    await probe_alive(session, step.get("within"), step.get("clause"))


async def probe_alive(session: Session, seconds: float | None = None, clause: str | None = None) -> None:
    """See that the driver still answers ops.  Raises StepFailure."""
    if session.host.usable and not session.parted and session.wire.spoken:
        await _unless_closed({"within": seconds, "clause": clause}, session)
        return
    if session.host.leaving:
        return
    session.do({"do": "alive", "op": "call", "func": "echo", "kwargs": {"value": "alive"}})
    await session.until(lambda: session.answer("alive") is not None or session.is_opened("alive"), seconds)
    if session.is_opened("alive"):
        return  # it lives, and has not understood that there is nobody to call
    answer = await session.answered("alive", 0)
    if answer is None:
        raise StepFailure("the driver answers no op any more", clause, waited=True)
    if answer["outcome"] == "return":
        raise StepFailure(f"an op on a connection that is gone came to {_told(answer)}", clause)


async def _unless_closed(step: Step, session: Session) -> None:
    try:
        await session.ask(step.get("within"))
    except StepFailure as failure:
        if session.closing_warns is not None and await _closing(session, session.asked):
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
        return identical(read(encode(untag(got))), read(encode(session.bindings.value(expected))))
    except (TagError, Malformed, ValueError, RecursionError):
        return False


def _told(answer: dict[str, Any]) -> str:
    told = {key: value for key, value in answer.items() if key not in {"id", "outcome", "warns"}}
    return f"{answer['outcome']} {shown(told)}" if told else str(answer["outcome"])


WAITING: dict[str, Callable[[Step, Session], Awaitable[None]]] = {
    **{verb: step for verb, step in SHARED.items() if verb not in {"terminal", "order"}},
    "close": do_close,
    "pass": do_pass,
    "opened": do_opened,
    "cancelled": do_cancelled,
    "outcome": do_outcome,
    "contained": do_contained,
    "goodbye_of": do_goodbye_of,
    "release": do_release,
    "fresh": do_fresh,
    "noticed": do_noticed,
    "barrier": do_barrier,
    "alive": do_alive,
}
DOING: dict[str, Callable[[Step, Session], object]] = {
    "do": lambda step, session: session.do(step),
    "together": _say_together,
    "bind": _bind,
    "deaf": lambda step, session: session.link(step["deaf"]).turn_deaf(),
    "hear": lambda step, session: session.link(step["hear"]).hear(),
}
