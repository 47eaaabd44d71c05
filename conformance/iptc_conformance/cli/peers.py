"""`iptc serve` and `iptc call`: the reference peer from the command line.

The one module of the suite that may load the reference peer, and only when one of its two commands is called:
no verdict depends on it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from iptc_codec import peer as reference
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.reporting.words import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

EXIT_CALL_FAILED = 1


def serve_module(module: str, address: str) -> int:
    """Serve until interrupted.  Raises UsageError."""
    exports = _exports(module)

    async def listen() -> None:
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(reference.serve, exports, address)
            for listener in listeners:
                host, port = listener.socket.getsockname()[:2]
                print(f"serving {module} on tcp://{host}:{port}", flush=True)

    try:
        trio.run(listen)
    except* (OSError, ValueError) as group:
        raise UsageError(f"{address}: {_first(group)}") from group
    return 0


def call_function(
    address: str, namespace: str, function: str, arguments: Sequence[str], *, stream: bool
) -> int:
    """Call a function and print what it returns, or the items that it yields.  Raises UsageError."""
    kwargs = dict(_argument(text) for text in arguments)
    where = address if "://" in address else f"tcp://{address}"

    async def call() -> int:
        try:
            async with _connected(where) as peer:
                if stream:
                    async with peer.stream(namespace, function, **kwargs) as items:
                        async for item in items:
                            _print(item)
                else:
                    _print(await peer.call(namespace, function, **kwargs))
        except reference.PeerError as error:
            print(f"iptc call: {type(error).__name__}: {clean(str(error))}", file=sys.stderr)
            return EXIT_CALL_FAILED
        return 0

    return trio.run(call)


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[reference.Peer]:
    manager = reference.open_peer(address)
    try:
        peer = await manager.__aenter__()
    except (OSError, ValueError) as error:
        raise UsageError(f"{address}: {error}") from error
    try:
        yield peer
    except BaseException:
        if not await manager.__aexit__(*sys.exc_info()):
            raise
    else:
        await manager.__aexit__(None, None, None)


def _exports(name: str) -> reference.Exports:
    """The module's own `exports`, or else its public async functions under its name."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"{name}: {error}") from error
    declared = getattr(module, "exports", None)
    if isinstance(declared, reference.Exports):
        return declared
    exports = reference.Exports()
    found = [
        function
        for public, function in vars(module).items()
        if not public.startswith("_") and getattr(function, "__module__", None) == module.__name__
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    ]
    if not found:
        raise UsageError(f"{name} has no public async function of its own, and no `exports`")
    for function in found:
        exports.add(name, function)
    return exports


def _argument(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"{text!r} is no name=value")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _print(value: Any) -> None:
    """A value as JSON; what JSON has no word for as Python shows it."""
    print(json.dumps(value, ensure_ascii=False, default=repr), flush=True)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
