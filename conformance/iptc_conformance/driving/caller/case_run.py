"""Running one case of the caller role: sane exchanges around it, its steps, and the judge behind them."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.caller.session import Garbled, Session, Unsupported
from iptc_conformance.driving.caller.steps import Parted, check_quiet, probe_alive, run_step
from iptc_conformance.driving.result import Draft, Result
from iptc_conformance.driving.session import Settings, StepFailure
from iptc_conformance.driving.under_way import under_way
from iptc_conformance.driving.verdict import take_failure, take_findings

if TYPE_CHECKING:
    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.caller.host import Host

_ROBUST = "ROB-01r"
_DYING_SECONDS = 0.5
UNSUPPORTED = "the driver does not support "


async def run_case(case: Case, host: Host, settings: Settings) -> Result:
    """Put one case to the testee. Every wait is bounded, so this ends whatever the testee does.

    What goes wrong in the harness itself is this case's verdict, and the others are still judged.
    """
    try:
        with under_way(case.id):
            return await _run_case(case, host, settings)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is ours)
        return Result(case, "harness-fault", "".join(traceback.format_exception(error)))


async def _run_case(case: Case, host: Host, settings: Settings) -> Result:
    started = trio.current_time()
    draft = Draft()
    if host.greeted:
        host.recorder.begin()
    session = Session(settings, host, case)
    try:
        if await _begun(case, session, draft):
            await _steps(case, session, draft)
            await _afterwards(case, session, draft)
    finally:
        session.let_go()
        host.link.on_open = None
    if (how := await _death(session, draft)) is not None:
        draft.verdict = "crash"
        draft.fail("crash", how, _ROBUST if case.negative else case.clauses[0])
    take_findings(case, session.recorder, draft)
    return Result(
        case=case,
        verdict=draft.verdict,
        detail="; ".join(dict.fromkeys(draft.details)),
        failed=tuple(draft.failed),
        warned=tuple(clause for clause in draft.warned if clause not in draft.failed),
        findings=tuple(host.recorder.findings),
        conversation=tuple(map(str, host.recorder.lines)),
        lines=tuple(host.recorder.lines),
        left_out=host.recorder.lines.left_out,
        seconds=trio.current_time() - started,
        waited=draft.waited,
        starved=session.signal.starved,
    )


async def _begun(case: Case, session: Session, draft: Draft) -> bool:
    """The hellos, and a sane exchange before a case in which the suite breaks a rule."""
    host = session.host
    try:
        if not host.greeted:
            host.greet(host.uid if case.hello is None else session.bindings.value(case.hello))
        if case.hello is None:
            await session.hello_of("a", None, None)
        if case.negative and case.hello is None:
            await session.ask()
    except StepFailure as failure:
        draft.waited = failure.waited
        if failure.clause is not None:
            draft.fail("fail", f"{failure.clause}: {failure.detail}", failure.clause)
        else:
            draft.fail("untestable", f"before the case: {failure.detail}", None)
        return False
    except (Garbled, Unsupported) as failure:
        draft.fail("untestable", str(failure), None)
        return False
    return True


async def _steps(case: Case, session: Session, draft: Draft) -> None:
    try:
        for step in case.steps:
            await run_step(step, session)
    except Parted:
        return
    except StepFailure as failure:
        take_failure(failure, case, session.recorder, draft)
    except Unsupported as lacking:
        draft.fail("unsupported", f"{UNSUPPORTED}{lacking}", None)
    except Garbled as garbled:
        draft.fail("untestable", str(garbled), None)


async def _afterwards(case: Case, session: Session, draft: Draft) -> None:
    """End what is under way; then the driver serves on, and the connection too if nobody has left it."""
    session.recorder.decided()
    session.let_go()
    if draft.verdict == "pass":
        await _all_answered(case, session, draft)
    if draft.verdict not in {"pass", "warn", "fail"}:
        return
    clean = draft.verdict == "pass"
    try:
        await probe_alive(session)
        if clean and session.wire.ended is None:
            check_quiet({}, session)
    except StepFailure as failure:
        _not_alive(case, failure, draft)
    except (Garbled, Unsupported) as trouble:
        draft.fail("untestable", str(trouble), None)
    for clause, detail in session.warnings:
        draft.warn(clause, detail)


def _not_alive(case: Case, failure: StepFailure, draft: Draft) -> None:
    if failure.waited:
        draft.verdict = "hang"
        draft.fail("hang", f"after the case: {failure.detail}", _ROBUST if case.negative else None)
        draft.waited = True
        return
    clause = failure.clause_for(case.clauses)
    draft.fail("fail", f"{clause}: after the case: {failure.detail}", clause)


async def _all_answered(case: Case, session: Session, draft: Draft) -> None:
    """Every op has an outcome, once its call has ended."""
    for name in session.ops:
        try:
            answer = await session.answered(name)
        except (Garbled, Unsupported) as trouble:
            draft.fail("untestable", str(trouble), None)
            return
        if answer is None:
            clause = case.clauses[0]
            draft.fail("fail", f"{clause}: {name} has no outcome, although its call is over", clause)
            draft.waited = True
            return


async def _death(session: Session, draft: Draft) -> str | None:
    """How the driver has died, if it has; one that stopped talking gets a moment to be dead."""
    if session.host.leaving:
        return None
    gone = session.host.driver.answers.over or draft.verdict not in {"pass", "warn"}
    return await session.host.driver.ended(_DYING_SECONDS if gone else 0)
