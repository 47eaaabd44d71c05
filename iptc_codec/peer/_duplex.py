"""Async generators with `asend`, carried by a context; no message of their own.

Each `asend(v)` is one ITEM of the caller, answered by one ITEM of the callee, or by its END when the
generator is exhausted. `aclose` is the caller's END: the callee closes the generator, ends its half and
returns nil.
"""

from __future__ import annotations

import functools
import inspect
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from ._contexts import Context, ServedContext
    from ._streams import CallerStream


class Duplex:
    """The caller's end: used like an async generator, only inside `async with` (PEP 533)."""

    def __init__(self, context: Context, stream: CallerStream) -> None:
        self._context = context
        self._stream = stream

    def __aiter__(self) -> Duplex:
        return self

    async def __anext__(self) -> object:
        return await self.asend(None)

    async def asend(self, value: object) -> object:
        """Send a value into the remote generator; what it yields next.

        The first value must be None, as Python's generators want it. Raises `StopAsyncIteration` once the
        generator is exhausted, `RemoteError` if it raised.
        """
        try:
            await self._stream.send(value)
            return await self._stream.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            await self._context.result()
            raise StopAsyncIteration from None
        except trio.Cancelled:
            # The answer may still come; taken for that of the next value it would be wrong.
            self._stream.close()
            raise

    async def athrow(self, error: BaseException) -> None:
        """Give the remote generator up for an error of ours; its end, waited for, raises `RemoteError`.

        It is cancelled there: a generator that catches the error and goes on cannot be carried.
        """
        self._stream.fail(error)
        await self._context.result()

    async def aclose(self) -> None:
        """Close the remote generator and wait for that. Raises `RemoteError` if its clean-up raised.

        Does nothing once the generator has ended, however it did.
        """
        if not self._context.ended:
            self._stream.end()
            await self._context.result()


def serve_duplex(function: Callable[..., AsyncGenerator[Any, Any]]) -> Callable[..., Awaitable[None]]:
    """A context function that serves an async generator function to callers that use `asend`."""
    if not inspect.isasyncgenfunction(function):
        raise TypeError(f"{function!r} is no async generator function")

    async def served(ctx: ServedContext, /, **kwargs: object) -> None:
        await ctx.started(None)
        async with ctx.stream() as stream, aclosing(function(**kwargs)) as generator:
            async for sent in stream:
                try:
                    value = await generator.asend(sent)
                except StopAsyncIteration:
                    break
                await stream.send(value)

    functools.update_wrapper(served, function)
    _show_signature(served, function)
    return served


def _show_signature(served: Callable[..., object], function: Callable[..., object]) -> None:
    """Let kwargs be checked against the generator function's own signature (OPN-07s)."""
    del served.__wrapped__  # type: ignore[attr-defined]
    context = inspect.Parameter("_ctx", inspect.Parameter.POSITIONAL_ONLY)
    own = inspect.signature(function)
    shown = own.replace(parameters=[context, *own.parameters.values()])
    served.__signature__ = shown  # type: ignore[attr-defined]
