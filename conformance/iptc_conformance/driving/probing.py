"""Which fixture functions the testee serves: each is opened once, and FAIL for ACK means that it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.session import Address, PeerGone, Session, Settings, StepFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

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


async def missing_functions(needed: Iterable[str], address: Address, settings: Settings) -> dict[str, str]:
    """The functions among `needed` that the testee refuses to open, each with its answer.

    A testee that answers nothing sensible here lacks nothing: the cases will say what is wrong with it.
    """
    missing: dict[str, str] = {}
    for func in sorted(set(needed)):
        answer = await _refusal(func, address, settings)
        if answer is not None:
            missing[func] = answer
    return missing


async def _refusal(func: str, address: Address, settings: Settings) -> str | None:
    refusal: str | None = None
    async with trio.open_nursery() as nursery:
        session = Session(address, settings, nursery)
        try:
            refusal = await _open_once(session, func)
        except (PeerGone, StepFailure):
            refusal = None
        for link in session.links.values():
            await link.close("close", 0.1)
        nursery.cancel_scope.cancel()
    return refusal


async def _open_once(session: Session, func: str) -> str | None:
    link = await session.connect("a")
    cid = session.bindings.cid("c1")
    link.send([session.open_frame("c1", "a", func, FIXTURE.get(func, {}))])
    await session.until(lambda: bool(link.pending(cid)) or link.ended is not None)
    answers = link.pending(cid)
    if answers and answers[0].kind == "fail":
        return str(answers[0])
    if answers and link.terminal_of(cid) is None:
        kill = session.bindings.cid("k1")
        link.send([session.open_frame("k1", "a", "_cancel_task", {"cid": cid}, ns="self")])
        await session.until(lambda: link.terminal_of(kill) is not None or link.ended is not None)
    return None
