"""grpcio's asyncio interface under measurement.

Without protobuf, which would cost more: methods take and give bytes, and msgspec makes values of them.
"""

from __future__ import annotations

import asyncio
import sys
import time

import grpc
import grpc.aio
import msgspec

from bench.systems.driving import FEW, HOST, IN_FLIGHT, LARGE, MANY, announce, expect, obey

_SERVICE = "bench"
_WRITE = msgspec.msgpack.Encoder().encode
_READ = msgspec.msgpack.Decoder().decode


async def _echo(value, _):
    return value


async def _numbers(n, _):
    for i in range(n):
        yield i


async def _blocks(n, _):
    for _i in range(n):
        yield LARGE


async def _echoes(items, _):
    async for item in items:
        yield item


def _handlers():
    values = {"request_deserializer": _READ, "response_serializer": _WRITE}
    return grpc.method_handlers_generic_handler(
        _SERVICE,
        {
            "echo": grpc.unary_unary_rpc_method_handler(_echo, **values),
            "numbers": grpc.unary_stream_rpc_method_handler(_numbers, **values),
            "blocks": grpc.unary_stream_rpc_method_handler(_blocks, **values),
            "echoes": grpc.stream_stream_rpc_method_handler(_echoes, **values),
        },
    )


class Driver:
    """The workloads over one channel."""

    def __init__(self, channel):
        values = {"request_serializer": _WRITE, "response_deserializer": _READ}
        self._echo = channel.unary_unary(f"/{_SERVICE}/echo", **values)
        self._numbers = channel.unary_stream(f"/{_SERVICE}/numbers", **values)
        self._blocks = channel.unary_stream(f"/{_SERVICE}/blocks", **values)
        self._echoes = channel.stream_stream(f"/{_SERVICE}/echoes", **values)

    def runs(self):
        """All workloads by name."""
        return {
            "call": self.calls,
            "calls": self.calls_at_once,
            "small": self.small,
            "large": self.large,
            "echo1": self.echo_few,
            "echo32": self.echo_many,
        }

    async def calls(self, n, latencies):
        """One call at a time."""
        clock = time.perf_counter
        for i in range(n):
            start = clock()
            expect(await self._echo(i), i)
            latencies.append(clock() - start)

    async def calls_at_once(self, n, _):
        """Calls from 100 tasks."""
        async with asyncio.TaskGroup() as tasks:
            for _task in range(IN_FLIGHT):
                tasks.create_task(self.calls(n // IN_FLIGHT, []))

    async def small(self, n, _):
        """A stream of small items."""
        await self._stream(self._numbers, n)

    async def large(self, n, _):
        """A stream of 64 KiB items."""
        await self._stream(self._blocks, n)

    async def _stream(self, method, n):
        received = 0
        async for _item in method(n):
            received += 1
        expect(received, n)

    async def echo_few(self, n, _):
        """Both ways, one item in flight."""
        await self._both_ways(n, FEW)

    async def echo_many(self, n, _):
        """Both ways, 32 items in flight."""
        await self._both_ways(n, MANY)

    async def _both_ways(self, n, in_flight):
        call = self._echoes()
        for i in range(in_flight):
            await call.write(i)
        for i in range(n):
            expect(await call.read(), i)
            if i + in_flight < n:
                await call.write(i + in_flight)
        await call.done_writing()


async def _serve():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_handlers(),))
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    announce(port)
    await server.wait_for_termination()


async def _drive(port):
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        await obey(Driver(channel).runs())


if __name__ == "__main__":
    asyncio.run(_serve() if sys.argv[1] == "serve" else _drive(int(sys.argv[2])))
