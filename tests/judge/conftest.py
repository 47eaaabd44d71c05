"""Conversations for the judge's tests, written message by message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance import wire
from iptc_conformance.judge import Finding, Judge, Report
from iptc_conformance.trace import Side, TraceEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

UIDS: dict[Side, list[str]] = {"initiator": ["anna", "u-1"], "acceptor": ["otto", "u-2"]}
ACKS = {"ACK_ASYNCFUNC": "asyncfunc", "ACK_ASYNCGEN": "asyncgen", "ACK_CONTEXT": "context"}


class Talk:
    """A conversation on one connection, judged while it goes on; every event has its seq, from 0."""

    def __init__(self, conn: str = "1") -> None:
        self.conn = conn
        self.judge = Judge()
        self.events: list[TraceEvent] = []

    def data(self, side: Side, data: bytes) -> list[Finding]:
        """Send bytes as they are."""
        return self._take(TraceEvent(len(self.events), self.conn, side, data))

    def eof(self, side: Side) -> list[Finding]:
        """End the stream of a side."""
        return self._take(TraceEvent(len(self.events), self.conn, side, None, eof=True))

    def body(self, side: Side, body: bytes) -> list[Finding]:
        """Send one frame of this body."""
        return self.data(side, wire.frame(body))

    def say(self, side: Side, value: Any) -> list[Finding]:
        """Send one value as a frame."""
        return self.body(side, wire.encode(value))

    def hellos(self) -> Talk:
        """Send both hellos."""
        self.say("initiator", UIDS["initiator"])
        self.say("acceptor", UIDS["acceptor"])
        return self

    def send(self, side: Side, event: str, cid: str = "c1", **more: Any) -> list[Finding]:
        """Send a message by the name of its event in `call.json`."""
        return self.say(side, message(side, event, cid, **more))

    def sends(self, *steps: tuple[Side, str]) -> Talk:
        """Send several messages of the call c1."""
        for side, event in steps:
            self.send(side, event)
        return self

    def cancel(self, side: Side, target: str, cid: str) -> list[Finding]:
        """Open a CANCEL."""
        return self.send(side, "OPEN", cid, ns="self", func="_cancel_task", kwargs={"cid": target})

    def report(self) -> Report:
        """Return the verdict so far."""
        return self.judge.report()

    def state(self, cid: str = "c1") -> str:
        """Return the judge's state of a call."""
        call = self.judge._connections[self.conn]._calls.get(cid)
        return "idle" if call is None else call.state

    def _take(self, event: TraceEvent) -> list[Finding]:
        self.events.append(event)
        return self.judge.feed(event)


def message(side: Side, event: str, cid: str = "c1", **more: Any) -> dict[str, Any]:
    """Return the message of an event."""
    if event == "OPEN":
        parts = [more.get("ns", "mod"), more.get("func", "f"), more.get("kwargs", {})]
        return {"cmd": [*parts, more.get("uid", UIDS[side]), cid]}
    if event in ACKS:
        return {"functype": ACKS[event], "cid": cid}
    if event == "END":
        return {"stop": True, "cid": cid}
    if event in {"FAIL", "OVERRUN"}:
        type_str = "StreamOverrun" if event == "OVERRUN" else more.get("type_str", "ValueError")
        return {"error": {"tb_str": "…", "type_str": type_str}, "cid": cid}
    if event == "MALFORMED":
        return {"yield": 1, "cid": cid, "more": 2}
    key = {"STARTED": "started", "ITEM": "yield", "RESULT": "return"}[event]
    return {key: more.get("value", 1), "cid": cid}


class Helpers:
    """What the tests of this folder share."""

    Talk = Talk
    uids = UIDS
    message = staticmethod(message)

    @staticmethod
    def clauses(findings: Iterable[Finding]) -> list[tuple[str, Side, str | None, str]]:
        """Return what matters of findings."""
        return [(each.clause, each.side, each.cid, each.reaction) for each in findings]


@pytest.fixture
def talk() -> Talk:
    """A fresh connection on which both have said hello."""
    return Talk().hellos()


@pytest.fixture
def fresh() -> Talk:
    """A fresh connection on which nothing was said."""
    return Talk()


@pytest.fixture(scope="session")
def helpers() -> type[Helpers]:
    """The builders, for tests that need more than one connection."""
    return Helpers
