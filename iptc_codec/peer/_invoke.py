"""Running an exported function that has a stream, up to the terminal that its caller gets."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from iptc_codec import End, Result, State

from ._contexts import ServedContext
from ._exports import Kind

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ._serving import Served


def invoke(served: Served) -> Coroutine[Any, Any, Result | End]:
    """What runs the function of an acknowledged call that has a stream. Raises whatever it raises."""
    return _stream(served) if served.export.kind is Kind.ASYNCGEN else _context(served)


async def _stream(served: Served) -> End:
    async with aclosing(served.export.function(**served.kwargs)) as items:
        async for item in items:
            if not served.hold(item):
                served.flush()
                await served.send(item)
    return End.of(served.cid)


async def _context(served: Served) -> Result:
    ctx = ServedContext(served)
    value = await served.export.function(ctx, **served.kwargs)
    if served.state is State.STARTING:
        raise RuntimeError("the context returned without having started (CTX-01s)")
    ctx.end_stream()
    return Result(value, served.cid)
