"""What the tractor server serves. tractor calls functions by the name of their module."""

from __future__ import annotations

import tractor

from bench.systems.driving import LARGE


async def echo(value: object) -> object:
    """Return the value."""
    return value


@tractor.context
async def numbers(ctx: tractor.Context, n: int) -> None:
    """Send 0 … n-1, once asked: what comes before the caller has opened its stream may be lost."""
    await ctx.started()
    async with ctx.open_stream() as stream:
        await stream.receive()
        for i in range(n):
            await stream.send(i)


@tractor.context
async def blocks(ctx: tractor.Context, n: int) -> None:
    """Send n items of 64 KiB, once asked."""
    await ctx.started()
    async with ctx.open_stream() as stream:
        await stream.receive()
        for _ in range(n):
            await stream.send(LARGE)


@tractor.context
async def echoes(ctx: tractor.Context) -> None:
    """Send every item back."""
    await ctx.started()
    async with ctx.open_stream() as stream:
        async for item in stream:
            await stream.send(item)
