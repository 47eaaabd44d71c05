"""A stream in memory that splits, delays and cuts what goes through it, as its dice say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import trio

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

Cut = Literal["eof", "reset", "stall"]
CUTS: tuple[Cut, ...] = ("eof", "reset", "stall")
_DRAINED = 0.8
"""How often a socket knows that nothing is left to read."""


@dataclass(frozen=True)
class Weather:
    """How a pipe treats its bytes.

    `piece`: the longest piece that is sent or received at once. `capacity`: how many bytes are on their way
    at most. `delay`: seconds that every piece takes, at most. `cut_at`: after how many bytes it ends, or
    None; `cut`: how. An `eof` ends this direction, a `reset` both at once with all that is on its way, and
    after a `stall` nothing arrives any more.
    """

    piece: int = 1 << 16
    capacity: int = 1 << 16
    delay: float = 0
    cut_at: int | None = None
    cut: Cut = "eof"


FAIR = Weather()


class Pipe:
    """One direction."""

    def __init__(self, weather: Weather, dice: random.Random) -> None:
        self.weather = weather
        self._dice = dice
        self._flying = bytearray()
        self._passed = 0
        self._stalled = False
        self._lot = trio.lowlevel.ParkingLot()
        self.ended = False
        self.broken = False
        self.on_reset: Callable[[], None] = self.reset

    def end(self) -> None:
        """Let the receiver see the end after what is on its way; a stalled stream is broken then."""
        self.ended = True
        self.broken = self.broken or self._stalled
        self._lot.unpark_all()

    def reset(self) -> None:
        """Lose what is on its way; either end finds the stream broken."""
        self.broken = True
        self._flying.clear()
        self._lot.unpark_all()

    async def put(self, data: bytes, note: Callable[[bytes], None]) -> None:
        """Send bytes in pieces; `note` gets each as it leaves. Raises `trio.BrokenResourceError`."""
        at = 0
        await trio.lowlevel.checkpoint()
        while at < len(data):
            self._check_open()
            if self._room <= 0:
                await self._lot.park()
                continue
            at += self._put_piece(data[at:], note)
            if self._cut_is_due:
                self._cut()
            await self._dawdle()

    def put_now(self, data: bytes, note: Callable[[bytes], None]) -> int:
        """Send a piece, if there is room for it and it takes no time; how many bytes that was."""
        if self.broken or self.ended or self.weather.delay or self._room <= 0:
            return 0
        taken = self._put_piece(data, note)
        if self._cut_is_due:
            # A turn later: whoever writes at once may be about to wait for what the cut wakes, and no socket
            # wakes a task that is awake.
            trio.lowlevel.current_trio_token().run_sync_soon(self._cut)
        return taken

    @property
    def _cut_is_due(self) -> bool:
        return self._passed == self.weather.cut_at

    @property
    def _room(self) -> int:
        return 0 if self._stalled else self.weather.capacity - len(self._flying)

    def _put_piece(self, data: bytes, note: Callable[[bytes], None]) -> int:
        piece = self._until_cut(data[: min(self._room, self._size())])
        self._passed += len(piece)
        self._flying += piece
        if piece:
            note(piece)
            self._lot.unpark_all()
        return len(piece)

    async def get(self, most: int) -> bytes:
        """Receive some bytes, none at the end. Raises `trio.BrokenResourceError`."""
        await trio.lowlevel.checkpoint()
        while self._silent:
            await self._lot.park()
        if self._flying:
            await self._dawdle()
        return self._get_piece(most)

    async def turn(self) -> None:
        """Wait until something may have come, or `look_again`; both may turn out to be nothing."""
        if self._silent:
            await self._lot.park()
        else:
            await trio.lowlevel.checkpoint()
            await self._dawdle()

    def look_again(self) -> None:
        """Let who waits here look again."""
        self._lot.unpark_all()

    def get_now(self, most: int) -> bytes | None:
        """What `get` gives, None if it would wait. Raises `trio.BrokenResourceError`."""
        return None if self._silent else self._get_piece(most)

    @property
    def _silent(self) -> bool:
        """Whether there is nothing to receive, not even an end."""
        if self._flying and not self._stalled:
            return False
        return not self.broken and (self._stalled or not self.ended)

    def _get_piece(self, most: int) -> bytes:
        if self.broken:
            raise trio.BrokenResourceError
        size = min(most, self._size())
        data = bytes(self._flying[:size])
        del self._flying[:size]
        self._lot.unpark_all()
        return data

    def _check_open(self) -> None:
        if self.broken or self.ended:
            raise trio.BrokenResourceError

    def _size(self) -> int:
        return self._dice.randint(1, self.weather.piece)

    def _until_cut(self, piece: bytes) -> bytes:
        cut_at = self.weather.cut_at
        return piece if cut_at is None else piece[: max(0, cut_at - self._passed)]

    def _cut(self) -> None:
        if self.weather.cut == "eof":
            self.end()
        elif self.weather.cut == "reset":
            self.on_reset()
        else:
            self._stalled = True

    async def _dawdle(self) -> None:
        if self.weather.delay:
            await trio.sleep(self.weather.delay * self._dice.random())


class FaultyStream(trio.abc.HalfCloseableStream):
    """One end of two pipes; `sent` and `heard` are told what passes here, empty for an end."""

    def __init__(
        self, out: Pipe, into: Pipe, sent: Callable[[bytes], None], heard: Callable[[bytes], None]
    ) -> None:
        self._out = out
        self._in = into
        self._sent = sent
        self._heard = heard
        self._closed = False
        self._said_end = False
        self._heard_end = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send. Raises `trio.BrokenResourceError`, `trio.ClosedResourceError`."""
        self._check()
        await self._out.put(bytes(data), self._sent)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait for nothing."""
        self._check()
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive. Raises `trio.BrokenResourceError`, `trio.ClosedResourceError`."""
        self._check()
        try:
            data = await self._in.get(max_bytes or 1 << 16)
        except trio.BrokenResourceError:
            self._end_heard()
            raise
        finally:
            self._check()
        if data:
            self._heard(data)
        else:
            self._end_heard()
        return data

    def _check(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError

    def _end_heard(self) -> None:
        if not self._heard_end:
            self._heard_end = True
            self._heard(b"")

    async def send_eof(self) -> None:
        """End this direction."""
        self._end_said()
        await trio.lowlevel.checkpoint()

    def _end_said(self) -> None:
        if not self._said_end:
            self._said_end = True
            self._sent(b"")
            self._out.end()

    async def aclose(self) -> None:
        """Close, both directions: what the other end still sends is lost."""
        if not self._closed:
            self._closed = True
            self._end_said()
            self._in.reset()
        await trio.lowlevel.checkpoint()


class FaultySocket(FaultyStream):
    """The same as a socket is used: tried at once, and several tasks may read, one at a time.

    The dice say now and then that there may be more to read where there is not.
    """

    def __init__(
        self,
        out: Pipe,
        into: Pipe,
        sent: Callable[[bytes], None],
        heard: Callable[[bytes], None],
        dice: random.Random,
    ) -> None:
        super().__init__(out, into, sent, heard)
        self._dice = dice
        self._read_by_one = trio.Lock()
        self.drained = True

    async def read(self) -> bytes | None:
        """What has come, none at the end; None: look again. Raises `trio.BusyResourceError`."""
        try:
            self._read_by_one.acquire_nowait()
        except trio.WouldBlock:
            raise trio.BusyResourceError("two tasks read at once") from None
        try:
            return await self._read()
        finally:
            self._read_by_one.release()

    async def _read(self) -> bytes | None:
        if self.drained:
            await self._in.turn()
        else:
            await trio.lowlevel.checkpoint()
        self.drained = self._dice.random() < _DRAINED
        try:
            data = None if self._closed else self._in.get_now(1 << 16)
        except trio.BrokenResourceError:
            self._end_heard()
            return b""
        if data:
            self._heard(data)
        elif data is not None:
            self._end_heard()
        return b"" if self._closed else data

    def call_off(self) -> None:
        """End the wait of a `read`."""
        self._in.look_again()

    def write_now(self, parts: list[bytes]) -> int:
        """Send a piece, if there is room; how many bytes that was."""
        return 0 if self._closed else self._out.put_now(b"".join(parts), self._sent)

    async def write(self, data: bytes) -> None:
        """Send all. Raises `trio.BrokenResourceError`, `trio.ClosedResourceError`."""
        await self.send_all(data)
