"""Which fixture functions the testee serves: each is opened once, and FAIL for ACK means that it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.callee.session import Host, PeerGone, Session
from iptc_conformance.driving.session import Settings, StepFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iptc_conformance.cases.match import Inbound

FIXTURE: dict[str, dict[str, object]] = {
    "echo": {"value": 0},
    "fail": {"message": "probe"},
    "hang": {"tag": "probe"},
    "slow_cancel": {"seconds": 0.01},
    "cancelled_tags": {},
    "count": {"n": 1},
    "count_then_fail": {"n": 1, "message": "probe"},
    "count_forever": {},
    "ctx_return": {"first": 0, "result": 0},
    "ctx_hang": {"first": 0, "tag": "probe"},
    "ctx_hang_before_started": {},
    "ctx_fail": {"first": 0, "message": "probe"},
    "ctx_fail_before_started": {"message": "probe"},
    "ctx_echo": {"first": 0},
    "ctx_push": {"first": 0, "n": 1},
    "ctx_collect": {"first": 0},
}
"""Every function of the fixture namespace, with kwargs that it takes."""
_DEAF = 3


async def missing_functions(needed: Iterable[str], host: Host, settings: Settings) -> dict[str, str]:
    """The functions among `needed` that the testee refuses to open, each with its answer.

    A testee that answers nothing sensible here lacks nothing: the cases will say what is wrong with it. After
    `_DEAF` functions without any answer the others are not asked for.
    """
    missing: dict[str, str] = {}
    deaf = 0
    for func in sorted(set(needed)):
        answer = await _answer(func, host, settings)
        if answer is not None and answer.kind == "fail":
            missing[func] = str(answer)
        deaf = 0 if answer is not None else deaf + 1
        if deaf == _DEAF:
            break
    return missing


async def _answer(func: str, host: Host, settings: Settings) -> Inbound | None:
    answer: Inbound | None = None
    async with trio.open_nursery() as nursery:
        session = Session(settings, host, nursery)
        try:
            answer = await _open_once(session, func)
        except (PeerGone, StepFailure):
            answer = None
        for link in session.links.values():
            await link.close("close", 0.1)
        nursery.cancel_scope.cancel()
    return answer


async def _open_once(session: Session, func: str) -> Inbound | None:
    link = await session.connect("a")
    cid = session.bindings.cid("c1")
    link.send([session.open_frame("c1", "a", func, FIXTURE.get(func, {}))])
    await session.until(lambda: bool(link.pending(cid)) or link.ended is not None)
    answers = link.pending(cid)
    if answers and link.terminal_of(cid) is None:
        kill = session.bindings.cid("k1")
        link.send([session.open_frame("k1", "a", "_cancel_task", {"cid": cid}, ns="self")])
        await session.until(lambda: link.terminal_of(kill) is not None or link.ended is not None)
    return answers[0] if answers else None
