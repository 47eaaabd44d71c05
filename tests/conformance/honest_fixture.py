"""The fixture functions of the small honest callee."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from tests.conformance.honest_peer import Call


async def _echo(call: Call, value: Any) -> Any:
    return value


async def _fail(call: Call, message: str) -> None:
    raise ValueError(message)


async def _hang(call: Call, tag: str = "") -> None:
    try:
        await trio.sleep_forever()
    finally:
        call.conn.peer.remember(call, tag)


async def _slow_cancel(call: Call, seconds: float) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)


async def _cancelled_tags(call: Call) -> list[str]:
    return call.conn.peer.tags


async def _count(call: Call, n: int) -> None:
    for number in range(n):
        await call.send("yield", number)


async def _count_then_fail(call: Call, n: int, message: str) -> None:
    await _count(call, n)
    raise ValueError(message)


async def _count_forever(call: Call) -> None:
    number = 0
    while True:
        await call.send("yield", number)
        number += 1
        await trio.sleep(0.001)


async def _ctx_return(call: Call, first: Any, result: Any) -> Any:
    await call.start(first)
    return result


async def _ctx_hang(call: Call, first: Any, tag: str = "") -> None:
    await call.start(first)
    await _hang(call, tag)


async def _ctx_hang_before_started(call: Call) -> None:
    await trio.sleep_forever()


async def _ctx_fail(call: Call, first: Any, message: str) -> None:
    await call.start(first)
    raise ValueError(message)


async def _ctx_fail_before_started(call: Call, message: str) -> None:
    raise ValueError(message)


async def _ctx_echo(call: Call, first: Any) -> int:
    await call.start(first)
    count = 0
    async for item in call.get:
        await call.send("yield", item)
        count += 1
    await call.stop()
    return count


async def _ctx_push(call: Call, first: Any, n: int) -> int:
    await call.start(first)
    await _count(call, n)
    await call.stop()
    return n


async def _ctx_collect(call: Call, first: Any) -> list[Any]:
    await call.start(first)
    return [item async for item in call.get]


Body = Callable[..., Awaitable[Any]]
FIXTURE: dict[str, tuple[str, dict[str, bool], Body]] = {
    "echo": ("asyncfunc", {"value": True}, _echo),
    "fail": ("asyncfunc", {"message": True}, _fail),
    "hang": ("asyncfunc", {"tag": False}, _hang),
    "slow_cancel": ("asyncfunc", {"seconds": True}, _slow_cancel),
    "cancelled_tags": ("asyncfunc", {}, _cancelled_tags),
    "count": ("asyncgen", {"n": True}, _count),
    "count_then_fail": ("asyncgen", {"n": True, "message": True}, _count_then_fail),
    "count_forever": ("asyncgen", {}, _count_forever),
    "ctx_return": ("context", {"first": True, "result": True}, _ctx_return),
    "ctx_hang": ("context", {"first": True, "tag": False}, _ctx_hang),
    "ctx_hang_before_started": ("context", {}, _ctx_hang_before_started),
    "ctx_fail": ("context", {"first": True, "message": True}, _ctx_fail),
    "ctx_fail_before_started": ("context", {"message": True}, _ctx_fail_before_started),
    "ctx_echo": ("context", {"first": True}, _ctx_echo),
    "ctx_push": ("context", {"first": True, "n": True}, _ctx_push),
    "ctx_collect": ("context", {"first": True}, _ctx_collect),
}
