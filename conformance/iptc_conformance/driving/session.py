"""What one run of a case holds, in either role: its connections, its bindings, its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.values import Bindings
from iptc_conformance.driving.link import Link, Signal
from iptc_conformance.driving.recorder import Recorder
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.wire import frame

if TYPE_CHECKING:
    from iptc_conformance.cases.match import Inbound


WRONG_KIND = "OPN-10s"


class StepFailure(Exception):  # noqa: N818  (a verdict, not a fault of the suite)
    """An expectation was not met.

    `clause` is the one it breaks; None: `likely` if the case is about that one, else the case's own first.
    `waited`: it is what did not come in time. `at`: the seq of the message that was wrong, if one was.
    """

    def __init__(
        self,
        detail: str,
        clause: str | None = None,
        *,
        waited: bool = False,
        likely: str | None = None,
        at: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.clause = clause
        self.waited = waited
        self.likely = likely
        self.at = at

    def clause_for(self, clauses: tuple[str, ...]) -> str:
        """The clause that this breaks in a case about these clauses."""
        if self.clause is not None:
            return self.clause
        certain = self.likely in clauses or self.likely == WRONG_KIND
        return self.likely if certain and self.likely is not None else clauses[0]


@dataclass(frozen=True, slots=True)
class Settings:
    """What every case is run with.

    `timeout`: seconds for each expectation. `talk`: keep what was said in the cases that pass, too.
    """

    namespace: str = "iptc_testee"
    timeout: float = 2.0
    talk: bool = True


class Talk:
    """The suite's side of one run of one case. Without connections it can still say what would be sent."""

    def __init__(
        self, settings: Settings, recorder: Recorder | None = None, signal: Signal | None = None
    ) -> None:
        self.settings = settings
        self.bindings = Bindings(settings.namespace)
        self.recorder = recorder or Recorder()
        self.signal = signal or Signal()
        self.links: dict[str, Link] = {}
        self.warnings: list[tuple[str, str]] = []
        self._homes: dict[str, str] = {}

    def hello(self, name: str) -> bytes:
        """The hello frame of a connection."""
        return frame(encode(self.bindings.uid(name)))

    async def hello_of(self, name: str, seconds: float | None, clause: str | None) -> None:
        """Wait for the testee's hello.  Raises StepFailure."""
        link = self.link(name)
        await self.until(lambda: link.hello is not None or link.ended is not None, seconds)
        if link.hello is None:
            how = f"the connection ended ({link.ended})" if link.ended else "nothing came"
            detail = f"no hello on connection {name}: {how}"
            raise StepFailure(detail, clause or "HSK-01s", waited=link.ended is None)

    def link(self, name: str) -> Link:
        """A connection by its name in the case."""
        return self.links[name]

    def home_name(self, call: str, on: str | None = None) -> str:
        """The name of a call's connection: where it was last said to be, or `a`."""
        if on is not None:
            self._homes[call] = on
        return self._homes.setdefault(call, "a")

    def home(self, call: str, on: str | None = None) -> Link:
        """The connection of a call."""
        return self.links[self.home_name(call, on)]

    async def until(self, done: Any, seconds: float | None = None) -> bool:
        """Wait for a condition, bounded by `patience`."""
        return await self.signal.until(done, self.patience(seconds))

    def patience(self, within: float | None) -> float:
        """How many seconds to wait: the timeout, or more where a step says so with `within`."""
        return max(within or 0.0, self.settings.timeout)

    def warn(self, clause: str, detail: str) -> None:
        """Note a SHOULD that the testee does not keep."""
        if (clause, detail) not in self.warnings:
            self.warnings.append((clause, detail))

    def open_frame(self, call: str, conn: str, func: str, kwargs: Any, **other: Any) -> bytes:
        """An OPEN. `ns` and `uid` replace the namespace and the uid of the connection."""
        ns = other.get("ns", self.settings.namespace)
        uid = other.get("uid", self.bindings.uid(conn))
        return frame(encode({"cmd": [ns, func, kwargs, uid, self.bindings.cid(call)]}))

    def unexpected(self, name: str, allowed: set[str]) -> list[Inbound]:
        """What has come on a connection that no step expected, but for the calls allowed."""
        link = self.link(name)
        open_cids = {self.bindings.cid(call) for call in allowed}
        return [message for cid in link.inbox if cid not in open_cids for message in link.pending(cid)]
