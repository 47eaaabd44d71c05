"""Running one case: fences, steps, and the judge behind them."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.callee.expecting import WAITING
from iptc_conformance.driving.callee.session import Host, PeerGone, Session
from iptc_conformance.driving.result import Draft, Result
from iptc_conformance.driving.sending import SENDING_VERBS, conn_of, do_send, do_together, frames_of
from iptc_conformance.driving.session import Settings, StepFailure
from iptc_conformance.driving.under_way import under_way
from iptc_conformance.driving.verdict import take_failure, take_findings
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.wire import frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.cases.model import Case, Step
    from iptc_conformance.driving.recorder import Recorder

_ROBUST = "ROB-01r"
_BEFORE = "before"


async def run_case(
    case: Case, host: Host, settings: Settings, seen: Callable[[Recorder], None] = lambda _: None
) -> Result:
    """Put one case to the testee. Every wait is bounded, so this ends whatever the testee does.

    What goes wrong in the harness itself is this case's verdict, and the others are still judged.
    `seen` gets the record when the case is over.
    """
    try:
        with under_way(case.id):
            return await _run_case(case, host, settings, seen)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is ours)
        return Result(case, "harness-fault", "".join(traceback.format_exception(error)))


async def _run_case(case: Case, host: Host, settings: Settings, seen: Callable[[Recorder], None]) -> Result:
    started = trio.current_time()
    draft = Draft()
    async with trio.open_nursery() as nursery:
        session = Session(settings, host, nursery)
        if await _fenced(case, session, draft, _BEFORE):
            await _steps(case, session, draft)
            if draft.verdict in {"pass", "warn"}:
                await _fenced(case, session, draft, "after")
        await _diagnose(case, session, draft)
        await _let_go(session)
        if case.hostile and draft.verdict in {"pass", "warn", "fail"}:
            await _fenced(case, session, draft, "at the end of")
        nursery.cancel_scope.cancel()
    take_findings(case, session.recorder, draft)
    seen(session.recorder)
    lines = tuple(session.recorder.lines) if settings.talk or draft.verdict != "pass" else ()
    return Result(
        case=case,
        verdict=draft.verdict,
        detail="; ".join(dict.fromkeys(draft.details)),
        failed=tuple(draft.failed),
        warned=tuple(clause for clause in draft.warned if clause not in draft.failed),
        findings=tuple(session.recorder.findings),
        conversation=tuple(map(str, lines)),
        lines=lines,
        left_out=session.recorder.lines.left_out,
        seconds=trio.current_time() - started,
        waited=draft.waited,
        starved=session.signal.starved,
    )


async def run_step(step: Step, session: Session) -> None:
    """Do one step.  Raises StepFailure, PeerGone."""
    if "connect" in step:
        await _connect(step, session)
    elif "together" in step:
        do_together(step, session)
    elif "bind" in step:
        _bind(step, session)
    elif "close" in step:
        await session.link(step["close"]).close(step["how"], session.settings.timeout)
    elif "repeat" in step:
        await _repeat(step, session)
    elif "deaf" in step:
        session.link(step["deaf"]).turn_deaf()
    elif "hear" in step:
        session.link(step["hear"]).hear()
    elif verb := next((verb for verb in WAITING if verb in step), None):
        await WAITING[verb](step, session)
    elif any(verb in step for verb in SENDING_VERBS):
        do_send(step, session)
    else:
        raise ValueError(f"no step: {step}")


async def _repeat(step: Step, session: Session) -> None:
    """Do steps again and again, each time with fresh calls."""
    calls = [part[verb] for part in step["steps"] for verb in ("open", "cancel") if verb in part]
    for _ in range(step["repeat"]):
        for call in calls:
            session.bindings.renew(call)
        for part in step["steps"]:
            await run_step(part, session)


def _bind(step: Step, session: Session) -> None:
    cid = session.bindings.value(step["cid"])
    session.bindings.bind_cid(step["bind"], cid)
    for link in session.links.values():
        link.rebase(cid)


async def _connect(step: Step, session: Session) -> None:
    name = step["connect"]
    if "as" in step:
        session.bindings.share_uid(name, step["as"])
    link = await session.dial(name)
    frames: list[bytes] = []
    if "hello" not in step:
        frames.append(session.hello(name))
    elif step["hello"] is not False:
        frames.append(frame(encode(session.bindings.value(step["hello"]))))
    for part in step.get("with", ()):
        conn_of(part, session, name)
        frames.extend(frames_of(part, session))
    if frames:
        link.send(frames)
    if step.get("await", "hello" not in step):
        await session.hello_of(name, None, None)


async def _steps(case: Case, session: Session, draft: Draft) -> None:
    try:
        for name in case.connections:
            await session.connect(name)
        for step in case.steps:
            await run_step(step, session)
    except StepFailure as failure:
        take_failure(failure, case, session.recorder, draft)
    except PeerGone as gone:
        session.recorder.failed(case.clauses[0], str(gone))
        draft.fail("crash", str(gone), case.clauses[0])
    for clause, detail in session.warnings:
        draft.warn(clause, detail)


async def _fenced(case: Case, session: Session, draft: Draft, when: str) -> bool:
    """A sane exchange before and after a negative case; False if there is none, with its verdict."""
    if not case.negative:
        return True
    try:
        await session.fence()
    except PeerGone as gone:
        verdict, detail = "crash", str(gone)
    except StepFailure as failure:
        verdict, detail = "hang", failure.detail
    else:
        return True
    session.recorder.failed(_ROBUST, f"{when} the case: {detail}")
    if when == _BEFORE:
        draft.fail("untestable", f"before the case: {detail}", None)
    else:
        draft.verdict = verdict
        draft.fail(verdict, f"{when} the case: {detail}", _ROBUST)
    return False


async def _diagnose(case: Case, session: Session, draft: Draft) -> None:
    """See whether the testee still serves others: a failed case may have taken more than its own calls."""
    if draft.verdict not in {"fail", "warn"}:
        return
    try:
        await session.fence()
    except PeerGone as gone:
        verdict, detail = "crash", str(gone)
    except StepFailure as failure:
        verdict, detail = "hang", failure.detail
    else:
        return
    session.recorder.failed(_ROBUST, f"after the case: {detail}")
    draft.verdict = verdict
    draft.fail(verdict, f"after the case: {detail}", _ROBUST if case.negative else None)


async def _let_go(session: Session) -> None:
    """Close what is still open, as a caller would who has lost interest."""
    session.recorder.decided()
    with trio.move_on_after(session.settings.timeout):
        for link in session.links.values():
            if link.ended is None:
                await link.close("close", 0.1)
