"""Drive a tractor 0.1.0a5 root actor as a caller: ops as JSON Lines on stdin, their outcomes on stdout.

Connects to $IPTC_HOST:$IPTC_PORT and calls the functions of the namespace $IPTC_NAMESPACE; what the ops are
says `conformance/README.md`. Runs in an environment of its own, which `make conform-tractor` makes from
`requirements.txt`. Each op is what a tractor application would write with a portal, and repairs nothing.

What tractor has no word for: a stream cannot be ended without being left. Where an op asks for that, nothing
is read after the END.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tractor
import trio
from tractor._discovery import _connect_chan
from tractor._portal import open_portal

sys.path.append(str(Path(__file__).resolve().parents[3]))
from iptc_codec._tagged import TagError, tag, untag

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Outcome = dict[str, Any]

_HOST = "127.0.0.1"
_READ_BYTES = 65536
_MEMBERS = {
    "call": {"func", "kwargs", "cancel_after"},
    "stream": {"func", "kwargs", "cancel_after", "take"},
    "context": {"func", "kwargs", "cancel_after", "take", "send"},
    "close": set(),
}


class Driver:
    """Carries out ops over one portal."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._portal: tractor.Portal | None = None
        self._leaving = trio.Event()
        self._connected = trio.Event()
        self._ended = trio.Event()

    async def run(self, host: str, port: int) -> None:
        """Connect, and keep the portal until told to leave or until tractor gives it up."""
        try:
            async with _connect_chan(host, port) as channel, open_portal(channel) as self._portal:
                self._connected.set()
                await self._leaving.wait()
        except BaseException as error:
            if isinstance(error, trio.Cancelled | SystemExit | KeyboardInterrupt):
                raise
            print(f"caller: the portal is lost: {error!r:.300}", file=sys.stderr, flush=True)
        finally:
            self._portal = None
            self._connected.set()
            self._ended.set()

    @property
    def left(self) -> bool:
        """Whether it was told to close."""
        return self._leaving.is_set()

    async def answer(self, op: Any) -> Outcome:
        """Carry out one op; its outcome."""
        members = set(op) - {"id", "op"} if isinstance(op, dict) else None
        if members is None or op.get("op") not in _MEMBERS or not members <= _MEMBERS[op["op"]]:
            return {"outcome": "unsupported", "detail": "no such op"}
        if op["op"] == "close":
            self._leaving.set()
            await self._ended.wait()
            return {"outcome": "closed"}
        partial: Outcome = {}
        outcome: Outcome = {"outcome": "disconnected"}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_at_the_end, nursery.cancel_scope)
            with trio.move_on_after(op.get("cancel_after", float("inf"))) as scope:
                outcome = await self._outcome(op, partial)
            if scope.cancelled_caught and not self._ended.is_set():
                outcome = {"outcome": "cancelled"}
            nursery.cancel_scope.cancel()
        return {**outcome, **partial}

    async def _cancel_at_the_end(self, scope: trio.CancelScope) -> None:
        """An application's tasks live inside the portal's block: when that is lost, they are cancelled."""
        await self._ended.wait()
        scope.cancel()

    async def _outcome(self, op: Outcome, partial: Outcome) -> Outcome:
        try:
            await self._connected.wait()
            if self._portal is None:
                return {"outcome": "disconnected"}
            kwargs = {name: untag(value) for name, value in op["kwargs"].items()}
            return await getattr(self, f"_{op['op']}")(self._portal, op, kwargs, partial)
        except (TagError, RecursionError) as error:
            return {"outcome": "unsupported", "detail": f"{error}"}
        except Exception as error:  # noqa: BLE001  whatever tractor raises, the op has an outcome
            return _failure(error)

    async def _call(self, portal: tractor.Portal, op: Outcome, kwargs: Outcome, _: Outcome) -> Outcome:
        value = await portal.run_from_ns(self._namespace, op["func"], **kwargs)
        return {"outcome": "return", "value": tag(value)}

    async def _stream(
        self, portal: tractor.Portal, op: Outcome, kwargs: Outcome, partial: Outcome
    ) -> Outcome:
        items = partial["items"] = []
        take = op.get("take")
        async with portal.open_stream_from(self._named(_generator(), op["func"]), **kwargs) as stream:
            while take is None or len(items) < take:
                try:
                    items.append(tag(await stream.receive()))
                except trio.EndOfChannel:
                    return {"outcome": "stop"}
        return {"outcome": "closed"}

    async def _context(
        self, portal: tractor.Portal, op: Outcome, kwargs: Outcome, partial: Outcome
    ) -> Outcome:
        opening = portal.open_context(self._named(_context(), op["func"]), **kwargs)
        async with opening as (ctx, first):
            partial |= {"first": tag(first), "items": []}
            if "send" in op or "take" in op:
                async with ctx.open_stream() as stream:
                    for value in untag(op.get("send", [])):
                        await stream.send(value)
                    await _read(stream, op.get("take", 0), partial["items"])
            value = await ctx.result()
        return {"outcome": "return", "value": tag(value)}

    def _named(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """A function by whose name and module tractor calls the remote one."""
        function.__name__ = name
        function.__module__ = self._namespace
        return function


async def _read(stream: tractor.MsgStream, take: int, items: list[Any]) -> None:
    while len(items) < take:
        try:
            items.append(tag(await stream.receive()))
        except trio.EndOfChannel:
            return


def _generator() -> Callable[..., Any]:
    async def generator() -> AsyncIterator[None]:
        yield

    return generator


def _context() -> Callable[..., Any]:
    @tractor.context
    async def function(ctx: tractor.Context) -> None:
        pass

    return function


def _failure(error: BaseException) -> Outcome:
    """What an exception out of tractor says to whoever has called."""
    while isinstance(error, BaseExceptionGroup):
        error = next(
            (part for part in error.exceptions if not isinstance(part, trio.Cancelled)), error.exceptions[0]
        )
    if isinstance(error, tractor.RemoteActorError):
        return {"outcome": "error", "type": str(error.msgdata.get("type_str"))}
    if isinstance(error, trio.ClosedResourceError | trio.BrokenResourceError):
        return {"outcome": "disconnected"}
    return {"outcome": "protocol-error", "detail": f"{error!r:.200}"}


# The process around it.


async def _answer_line(driver: Driver, line: bytes, reading: trio.CancelScope) -> None:
    op: Any = None
    try:
        op = json.loads(line)
        answer = await driver.answer(op)
    except ValueError as error:
        answer = {"outcome": "unsupported", "detail": f"{error}"}
    number = op.get("id") if isinstance(op, dict) else None
    sys.stdout.write(json.dumps({"id": number, **answer}) + "\n")
    sys.stdout.flush()
    if driver.left:
        reading.cancel()


async def _obey(driver: Driver, nursery: trio.Nursery) -> None:
    held = b""
    with trio.CancelScope() as reading:
        while data := await trio.to_thread.run_sync(os.read, 0, _READ_BYTES, cancellable=True):
            *lines, held = (held + data).split(b"\n")
            for line in filter(bytes.strip, lines):
                nursery.start_soon(_answer_line, driver, line, reading)
    if not driver.left:  # the end of stdin: nobody wants an answer any more
        nursery.cancel_scope.cancel()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return probe.getsockname()[1]


async def main() -> None:
    """Carry out the lines of stdin until it ends or one of them is `close`."""
    driver = Driver(os.environ.get("IPTC_NAMESPACE", "iptc_testee"))
    # A root actor listens as well, for its children; here nobody knows where.
    root = tractor.open_root_actor(arbiter_addr=(_HOST, _free_port()), loglevel="critical")
    async with root, trio.open_nursery() as nursery:
        nursery.start_soon(driver.run, os.environ["IPTC_HOST"], int(os.environ["IPTC_PORT"]))
        await _obey(driver, nursery)


if __name__ == "__main__":
    trio.run(main)
