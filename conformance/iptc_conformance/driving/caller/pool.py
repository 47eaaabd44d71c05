"""Drivers started ahead, so that the time which a process takes to start overlaps with cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.caller.driver import DriverError
from iptc_conformance.driving.caller.host import Host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iptc_conformance.driving.caller.driver import Driver

_FRESH_SECONDS = 4.0
"""A driver that has waited longer for the suite's hello might give up: `hello_seconds` is 10 (HSK-05r)."""


class Pool:
    """Hosts that no case has used. `ahead`: how many are kept ready."""

    def __init__(self, driver: Driver, nursery: trio.Nursery, ahead: int) -> None:
        self._driver = driver
        self._nursery = nursery
        self._ready_in, self._ready = trio.open_memory_channel[Host | DriverError](0)
        self._wanted = 0
        self._promised = 0
        self._change = trio.Event()
        self._hosts: list[Host] = []
        self._keeping = trio.CancelScope()
        nursery.start_soon(self._keep_all_ready, ahead)

    def expect(self, count: int) -> None:
        """Say how many more will be taken: so many are started, and no more."""
        self._promised += count
        self._want(count)

    def _want(self, count: int) -> None:
        self._wanted += count
        self._change.set()
        self._change = trio.Event()

    async def special(self, environment: Mapping[str, str]) -> Host:
        """A fresh host with this in its environment, started now.  Raises DriverError."""
        got = await self._started(environment)
        if isinstance(got, DriverError):
            raise got
        return got

    async def take(self) -> Host:
        """A fresh host.  Raises DriverError."""
        if self._promised:
            self._promised -= 1
        else:
            self._want(1)
        while True:
            got = await self._ready.receive()
            if isinstance(got, DriverError):
                raise got
            if trio.current_time() - got.started_at < _FRESH_SECONDS:
                return got
            self._want(1)
            self.let_go(got)

    def let_go(self, host: Host) -> None:
        """Stop a host, in the background."""
        self._hosts.remove(host)
        self._nursery.start_soon(host.stop)

    async def stop(self) -> None:
        """Stop whatever still runs, and start no more."""
        self._keeping.cancel()
        async with trio.open_nursery() as nursery:
            for host in self._hosts:
                nursery.start_soon(host.stop)

    async def _keep_all_ready(self, ahead: int) -> None:
        with self._keeping:
            async with trio.open_nursery() as nursery:
                for _ in range(ahead):
                    nursery.start_soon(self._keep_ready)

    async def _keep_ready(self) -> None:
        while True:
            while self._wanted == 0:
                await self._change.wait()
            self._wanted -= 1
            await self._ready_in.send(await self._started())

    async def _started(self, environment: Mapping[str, str] | None = None) -> Host | DriverError:
        got = await self._try(environment)
        return got if isinstance(got, Host) else await self._try(environment)  # one start may fail by chance

    async def _try(self, environment: Mapping[str, str] | None) -> Host | DriverError:
        host = Host(self._driver.another(environment))
        self._hosts.append(host)
        try:
            await host.start(self._nursery)
        except DriverError as error:
            self._hosts.remove(host)
            return error
        return host
