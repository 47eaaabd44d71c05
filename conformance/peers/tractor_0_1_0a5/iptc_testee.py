"""The fixture namespace of the conformance suite, written as a tractor application would write it.

A tractor actor calls functions by the name of their module: this module's name is the namespace.
Only tractor's public API is used, so what the suite sees is what the runtime does with an ordinary
application. `conformance/README.md` says what each function must do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tractor
import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ITEM_INTERVAL = 0.001

_cancelled: list[str] = []


async def _wait_for_ever(tag: str) -> None:
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        _cancelled.append(tag)
        raise


async def echo(value: Any) -> Any:
    """Return the value."""
    return value


async def fail(message: str) -> None:
    """Raise after the acknowledgement."""
    raise ValueError(message)


async def hang(tag: str = "") -> None:
    """Never return; remember the tag when cancelled."""
    await _wait_for_ever(tag)


async def slow_cancel(seconds: float) -> None:
    """Never return; take this long to clean up."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)


async def cancelled_tags() -> list[str]:
    """Every tag remembered since the process started, whichever connection it came over."""
    return list(_cancelled)


async def count(n: int) -> AsyncIterator[int]:
    """0 … n-1."""
    for item in range(n):
        yield item


async def count_then_fail(n: int, message: str) -> AsyncIterator[int]:
    """0 … n-1, then raise."""
    for item in range(n):
        yield item
    raise ValueError(message)


async def count_forever() -> AsyncIterator[int]:
    """0, 1, 2, … with about a millisecond between."""
    item = 0
    while True:
        yield item
        item += 1
        await trio.sleep(_ITEM_INTERVAL)


@tractor.context
async def ctx_return(ctx: tractor.Context, first: Any, result: Any) -> Any:
    """Start with `first`, return `result`."""
    await ctx.started(first)
    return result


@tractor.context
async def ctx_hang(ctx: tractor.Context, first: Any, tag: str = "") -> None:
    """Start, then wait for ever and read no item; remember the tag when cancelled."""
    await ctx.started(first)
    await _wait_for_ever(tag)


@tractor.context
async def ctx_hang_before_started(ctx: tractor.Context) -> None:  # noqa: ARG001  tractor wants the name
    """Never start."""
    await trio.sleep_forever()


@tractor.context
async def ctx_fail(ctx: tractor.Context, first: Any, message: str) -> None:
    """Start, then raise."""
    await ctx.started(first)
    raise ValueError(message)


@tractor.context
async def ctx_fail_before_started(ctx: tractor.Context, message: str) -> None:  # noqa: ARG001
    """Raise before started."""
    raise ValueError(message)


@tractor.context
async def ctx_echo(ctx: tractor.Context, first: Any) -> int:
    """Echo each item until the caller stops, stop, return how many there were."""
    await ctx.started(first)
    items = 0
    async with ctx.open_stream() as stream:
        async for item in stream:
            items += 1
            await stream.send(item)
    return items


@tractor.context
async def ctx_push(ctx: tractor.Context, first: Any, n: int) -> int:
    """Send 0 … n-1, stop, return n."""
    await ctx.started(first)
    async with ctx.open_stream() as stream:
        for item in range(n):
            await stream.send(item)
    return n


@tractor.context
async def ctx_collect(ctx: tractor.Context, first: Any) -> list[Any]:
    """Collect items until the caller stops, return them."""
    await ctx.started(first)
    async with ctx.open_stream() as stream:
        return [item async for item in stream]
