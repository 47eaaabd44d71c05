"""The fixture functions of the honest callee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from faults.honest.callee import Call


class Entry(NamedTuple):
    """A function: its kind, its arguments and whether each is needed, and what it does."""

    kind: str
    names: dict[str, bool]
    body: Callable[..., Awaitable[Any]]


async def _items(call: Call) -> AsyncIterator[Any]:
    while True:
        try:
            item = await call.inbox.take()
        except trio.EndOfChannel:
            return
        yield item


async def _echo(call: Call, value: Any) -> Any:
    return value


async def _fail(call: Call, message: str) -> None:
    raise ValueError(message)


async def _hang(call: Call, tag: str = "") -> None:
    try:
        await trio.sleep_forever()
    finally:
        call.peer.remember(call, tag)


async def _slow_cancel(call: Call, seconds: float) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)


async def _cancelled_tags(call: Call) -> list[str]:
    return call.peer.tags


async def _count(call: Call, n: int) -> None:
    for number in range(n):
        await call.send(number)


async def _count_then_fail(call: Call, n: int, message: str) -> None:
    await _count(call, n)
    raise ValueError(message)


async def _count_forever(call: Call) -> None:
    number = 0
    while True:
        await call.send(number)
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
    async for item in _items(call):
        await call.send(item)
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
    return [item async for item in _items(call)]


FIXTURE: dict[str, Entry] = {
    "echo": Entry("asyncfunc", {"value": True}, _echo),
    "fail": Entry("asyncfunc", {"message": True}, _fail),
    "hang": Entry("asyncfunc", {"tag": False}, _hang),
    "slow_cancel": Entry("asyncfunc", {"seconds": True}, _slow_cancel),
    "cancelled_tags": Entry("asyncfunc", {}, _cancelled_tags),
    "count": Entry("asyncgen", {"n": True}, _count),
    "count_then_fail": Entry("asyncgen", {"n": True, "message": True}, _count_then_fail),
    "count_forever": Entry("asyncgen", {}, _count_forever),
    "ctx_return": Entry("context", {"first": True, "result": True}, _ctx_return),
    "ctx_hang": Entry("context", {"first": True, "tag": False}, _ctx_hang),
    "ctx_hang_before_started": Entry("context", {}, _ctx_hang_before_started),
    "ctx_fail": Entry("context", {"first": True, "message": True}, _ctx_fail),
    "ctx_fail_before_started": Entry("context", {"message": True}, _ctx_fail_before_started),
    "ctx_echo": Entry("context", {"first": True}, _ctx_echo),
    "ctx_push": Entry("context", {"first": True, "n": True}, _ctx_push),
    "ctx_collect": Entry("context", {"first": True}, _ctx_collect),
}
