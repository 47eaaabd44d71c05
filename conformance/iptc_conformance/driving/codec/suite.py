"""One run of the codec role: every vector is put to the program, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.codec.program import DiedError, MuteError, Program
from iptc_conformance.driving.codec.verdict import AnswerError, Opinion, opinion_of, read_answer
from iptc_conformance.driving.conversation import BYTES_KEPT, Line
from iptc_conformance.driving.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iptc_conformance.driving.codec.vectors import Vector

_HOPELESS = 3
"""After so many vectors, if none was ever answered, or so many lines too many, the rest is not asked."""
_BYTES_PER_SECOND = 2_000_000
"""How much of a line a slow program reads and decodes in a second, besides the timeout."""
_START_TIMEOUTS = 10
"""How many timeouts the very first answer may take: an interpreter has to load."""
_LISTEN_SECONDS = 0.25
"""A new process is listened to for so long after its first answer: one that says two lines for each is soon
out of step, and a line of its own is then taken for the answer to the next."""
_SHOWN = 160


@dataclass(slots=True)
class CodecSuite:
    """Vectors, a program, and what came of them. `max_frame`: longer frames are not sent."""

    program: Program
    vectors: Sequence[Vector]
    timeout: float
    report: Callable[[Result], None]
    max_frame: int | None = None
    results: list[Result] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    deaths: int = 0
    _start_seconds: float | None = None
    """How long the first answer of a process took; None before there was one."""
    _fresh: bool = True
    _surplus: int = 0

    async def run(self) -> list[Result]:
        """Ask every vector and report each as it ends. Raises ProgramError if nothing can be judged."""
        await self._restart()
        try:
            for vector in self.vectors:
                self._add(await self._result(vector))
        finally:
            await self.program.stop()
        return self.results

    async def _restart(self) -> None:
        await self.program.stop()
        await self.program.start()
        self._fresh = True

    async def _result(self, vector: Vector) -> Result:
        if self.max_frame is not None and vector.size > self.max_frame:
            return Result(vector.case, "not-applicable", f"a frame of {vector.size} bytes, above --max-frame")
        if self._surplus >= _HOPELESS:
            return Result(vector.case, "untestable", "it says more lines than it is asked")
        if self._start_seconds is None and len(self.results) >= _HOPELESS:
            return Result(vector.case, "untestable", f"none of the first {_HOPELESS} vectors was answered")
        line = f"{vector.phase} {vector.hex}\n".encode("ascii")
        started = trio.current_time()
        try:
            answer = await self._ask(line)
        except DiedError as death:
            return await self._lost(vector, "crash", f"no answer: {death}")
        except MuteError as silence:
            return await self._lost(vector, "hang", str(silence))
        except ValueError as error:
            return await self._lost(vector, "fail", str(error))
        try:
            opinion = opinion_of(vector, read_answer(answer))
        except AnswerError as error:
            opinion = Opinion("fail", str(error), vector.case.clauses[0])
        return _judged(vector, opinion, answer, trio.current_time() - started)

    async def _ask(self, line: bytes) -> bytes:
        if not self._fresh and self.program.surplus():
            self._surplus += 1
            raise ValueError(f"it says more than one line for a line: {self.program.surplus()[:_SHOWN]!r}")
        started, fresh = trio.current_time(), self._fresh
        self._fresh = False
        seconds = self._patience(fresh=fresh) + len(line) / _BYTES_PER_SECOND
        answer = await self.program.ask(line, seconds)
        if fresh:
            self._start_seconds = max(self._start_seconds or 0, trio.current_time() - started)
            await self.program.listen(_LISTEN_SECONDS)
        return answer

    def _patience(self, *, fresh: bool) -> float:
        if not fresh:
            return self.timeout
        if self._start_seconds is None:
            return self.timeout if self.results else self.timeout * _START_TIMEOUTS
        return self.timeout + 2 * self._start_seconds

    async def _lost(self, vector: Vector, verdict: str, detail: str) -> Result:
        await self._restart()
        asked = _asked(vector)
        return Result(
            vector.case,
            verdict,
            detail,
            failed=vector.case.clauses[:1],
            conversation=(str(asked),),
            lines=(asked,),
        )

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self.report(result)


def _judged(vector: Vector, opinion: Opinion, answer: bytes, seconds: float) -> Result:
    clauses = () if opinion.clause is None else (opinion.clause,)
    said = answer[:_SHOWN].decode("utf-8", "replace") + ("…" if len(answer) > _SHOWN else "")
    lines = _asked(vector), Line(1, "codec", "acceptor", said)
    return Result(
        vector.case,
        opinion.verdict,
        f"{clauses[0]}: {opinion.detail}" if clauses else opinion.detail,
        failed=clauses if opinion.verdict == "fail" else (),
        warned=clauses if opinion.verdict == "warn" else (),
        conversation=tuple(map(str, lines)),
        lines=lines,
        seconds=seconds,
    )


def _asked(vector: Vector) -> Line:
    """The frame as it was put to the program."""
    head = vector.head(BYTES_KEPT)
    shown = head[: _SHOWN // 2].hex() + ("…" if vector.size > _SHOWN // 2 else "")
    return Line(0, "codec", "initiator", f"{vector.phase} {shown}", head=head, size=vector.size)
