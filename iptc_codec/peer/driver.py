"""The reference peer as the conformance suite wants a caller: it carries out what it reads as JSON Lines.

`python -m iptc_codec.peer.driver` connects to `IPTC_HOST`:`IPTC_PORT`, calls the functions of the namespace
`IPTC_NAMESPACE`, and answers each line of stdin by one on stdout. What the lines say is in
conformance/README.md. `IPTC_HELLO_SECONDS` shortens how long it waits for a hello. `Driver` is the same
without a process: over any stream, from op to outcome.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import trio

from iptc_codec import OVERRUN_TYPE, Limits, LocalProtocolError, RemoteProtocolError
from iptc_codec._tagged import TagError, tag, untag

from ._errors import Disconnected, PeerError, RemoteError, StreamOverrunError
from ._listen import open_stream_peer
from .testee import NAMESPACE

if TYPE_CHECKING:
    from ._contexts import Context
    from ._peer import Peer
    from ._settings import Settings

Outcome = dict[str, Any]

_READ_BYTES = 65536

DRIVER_LIMITS = Limits(cancel_seconds=1, goodbye_seconds=1)
"""Whoever plays the callee may answer neither CANCEL nor GOODBYE: an op is not to wait long for that."""


class _Op(msgspec.Struct, forbid_unknown_fields=True, tag_field="op"):
    id: Any = None


class _Asking(_Op, forbid_unknown_fields=True, tag_field="op", kw_only=True):
    func: str
    kwargs: dict[str, Any] = {}
    cancel_after: float | None = None


class _Call(_Asking, forbid_unknown_fields=True, tag="call"):
    pass


class _Stream(_Asking, forbid_unknown_fields=True, tag="stream", kw_only=True):
    take: int | None = None


class _Context(_Asking, forbid_unknown_fields=True, tag="context", kw_only=True):
    send: list[Any] | None = None
    take: int | None = None


class _Close(_Op, forbid_unknown_fields=True, tag="close"):
    pass


class Driver:
    """Carries out ops over one connection, any number of them at once."""

    def __init__(self, namespace: str = NAMESPACE) -> None:
        self._namespace = namespace
        self._peer: Peer | None = None
        self._greeted = trio.Event()
        self._leaving = trio.Event()
        self._ended = trio.Event()

    async def run(
        self, stream: trio.abc.Stream, *, limits: Limits = DRIVER_LIMITS, settings: Settings | None = None
    ) -> None:
        """Be the peer that the ops need, until told to close. Nothing that the other end does is raised."""
        try:
            async with open_stream_peer(stream, limits=limits, settings=settings) as self._peer:
                self._greeted.set()
                await self._leaving.wait()
        except Disconnected as lost:
            _note(f"no peer: {lost}")
        finally:
            self.absent()

    def absent(self) -> None:
        """Be no peer, or none any more: ops are `disconnected`."""
        self._greeted.set()
        self._ended.set()

    def leave(self) -> None:
        """Say GOODBYE and let `run` end."""
        self._leaving.set()

    @property
    def left(self) -> bool:
        """Whether a `close` was carried out, or is being."""
        return self._leaving.is_set()

    async def answer(self, op: object) -> Outcome:
        """Carry out an op, given as JSON has it; its outcome, without the `id`."""
        try:
            asked = msgspec.convert(op, _Call | _Stream | _Context | _Close)
        except msgspec.ValidationError as error:
            return _unsupported(error)
        if isinstance(asked, _Close):
            self.leave()
            await self._ended.wait()
            return {"outcome": "closed"}
        partial: Outcome = {}
        seconds = float("inf") if asked.cancel_after is None else max(asked.cancel_after, 0)
        with trio.move_on_after(seconds) as scope:
            return await self._outcome(asked, partial)
        if not scope.cancelled_caught:
            raise AssertionError("what is not cancelled has an outcome")
        return {"outcome": "cancelled", **partial}

    async def _outcome(self, op: _Call | _Stream | _Context, partial: Outcome) -> Outcome:
        """The outcome of an op that is not cancelled. What it has received so far stands in `partial`."""
        try:
            return await self._carried_out(op, partial)
        except (TagError, RecursionError, LocalProtocolError) as error:
            return _unsupported(error)
        except Disconnected:
            return {"outcome": "disconnected", **partial}
        except RemoteProtocolError as error:
            return {"outcome": "protocol-error", "detail": str(error), **partial}
        except RemoteError as error:
            return {"outcome": "error", "type": error.type_str, **partial}
        except StreamOverrunError:
            return {"outcome": "error", "type": OVERRUN_TYPE, **partial}
        except PeerError as error:
            return {"outcome": "error", "type": type(error).__name__, **partial}

    async def _carried_out(self, op: _Call | _Stream | _Context, partial: Outcome) -> Outcome:
        kwargs = {name: untag(value) for name, value in op.kwargs.items()}
        await self._greeted.wait()
        if self._peer is None:
            raise Disconnected("there was no hello")
        match op:
            case _Call():
                value = await self._peer.call(self._namespace, op.func, **kwargs)
                return {"outcome": "return", "value": tag(value)}
            case _Stream():
                return await self._streamed(self._peer, op, kwargs, partial)
            case _Context():
                return await self._in_context(self._peer, op, kwargs, partial)

    async def _streamed(self, peer: Peer, op: _Stream, kwargs: Outcome, partial: Outcome) -> Outcome:
        items = partial["items"] = []
        async with peer.stream(self._namespace, op.func, **kwargs) as stream:
            while op.take is None or len(items) < op.take:
                try:
                    items.append(tag(await stream.receive()))
                except trio.EndOfChannel:
                    return {"outcome": "stop", **partial}
        return {"outcome": "closed", **partial}

    async def _in_context(self, peer: Peer, op: _Context, kwargs: Outcome, partial: Outcome) -> Outcome:
        to_send = None if op.send is None else untag(op.send)
        async with peer.context(self._namespace, op.func, **kwargs) as (ctx, first):
            partial |= {"first": tag(first), "items": []}
            if to_send is not None or op.take is not None:
                await _converse(ctx, to_send or [], op.take, partial["items"])
            value = await ctx.result()
        return {"outcome": "return", **partial, "value": tag(value)}


async def _converse(ctx: Context, to_send: list[object], take: int | None, items: list[object]) -> None:
    """Send all, then read: so many items, or, after our END, all there are."""
    async with ctx.stream() as stream:
        try:
            for value in to_send:
                await stream.send(value)
        except trio.ClosedResourceError:
            pass  # the call is over: what has come is still to be read
        if take is None:
            stream.end()
        while take is None or len(items) < take:
            try:
                items.append(tag(await stream.receive()))
            except trio.EndOfChannel:
                break


def _unsupported(why: Exception) -> Outcome:
    return {"outcome": "unsupported", "detail": f"{why}"[:200]}


# The process around it.


def _note(text: str) -> None:
    print(f"driver: {text}", file=sys.stderr, flush=True)


def _say(answer: Outcome) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _limits() -> Limits:
    hello_seconds = float(os.environ.get("IPTC_HELLO_SECONDS") or Limits().hello_seconds)
    return Limits(cancel_seconds=1, goodbye_seconds=1, hello_seconds=hello_seconds)


async def _connect(driver: Driver, host: str, port: int) -> None:
    try:
        await driver.run(await trio.open_tcp_stream(host, port), limits=_limits())
    except OSError as error:
        _note(f"nobody listens: {error}")
        driver.absent()
    except Exception as error:  # noqa: BLE001 - the ops are answered all the same
        _note(f"the peer itself has failed: {error!r}")


async def _answer_line(driver: Driver, line: bytes, reading: trio.CancelScope) -> None:
    op: Any = None
    try:
        op = json.loads(line)
        answer = await driver.answer(op)
    except (ValueError, RecursionError) as error:  # no JSON, or nothing that JSON can say
        answer = _unsupported(error)
    except Exception as error:  # noqa: BLE001 - a bug of the peer is an answer to be judged, not an end
        answer = {"outcome": "error", "type": type(error).__name__, "detail": f"{error}"[:200]}
    _say({"id": op.get("id") if isinstance(op, dict) else None, **answer})
    if driver.left:
        reading.cancel()


async def _obey(driver: Driver, nursery: trio.Nursery) -> None:
    """Start what each line of stdin asks for, until it ends or the driver is closed."""
    held = b""
    with trio.CancelScope() as reading:
        # In a thread: stdin may be a file or a terminal too. Not by `sys.stdin`, whose lock it would keep.
        while data := await trio.to_thread.run_sync(os.read, 0, _READ_BYTES, abandon_on_cancel=True):
            *lines, held = (held + data).split(b"\n")
            for line in filter(bytes.strip, lines):
                nursery.start_soon(_answer_line, driver, line, reading)
    driver.leave()


async def main() -> None:
    """Carry out the lines of stdin until it ends or one of them is `close`."""
    driver = Driver(os.environ.get("IPTC_NAMESPACE", NAMESPACE))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_connect, driver, os.environ["IPTC_HOST"], int(os.environ["IPTC_PORT"]))
        await _obey(driver, nursery)


if __name__ == "__main__":
    trio.run(main)
