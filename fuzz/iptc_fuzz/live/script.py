"""A conversation in the making: steps of a case, and what is owed after each of them.

Every expectation holds whatever legal race the testee decides: what is not certain yet is not expected, but
allowed. So any list of actions makes a sound case, and any part of the list does as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iptc_fuzz.live.calls import TAGGED, Call

if TYPE_CHECKING:
    from collections.abc import Iterable

Step = dict[str, Any]

CANCELLED = {"one_of": [{"result": True}, {"result": {"$any": True}, "warns": "CXL-03s"}]}
UNKNOWN = {"one_of": [{"result": False}, {"result": {"$any": True}, "warns": "CXL-03s"}]}
SLOTS = ("a", "b", "c")
PATIENCE = 8


@dataclass(slots=True)
class Script:
    """Steps, and the state in which they leave the two sides.

    `broken`: it breaks rules. `heavy`: it takes its time. `functions`: those that the testee has to serve.
    `blame`: the clause that is likely to be broken where something comes that is not owed.
    `hello_seconds`: what the testee is to be started with, so that it loses patience sooner.
    """

    steps: list[Step] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    conns: dict[int, str] = field(default_factory=dict)
    broken: bool = False
    heavy: bool = False
    hello_seconds: float | None = None
    blame: str | None = None
    functions: set[str] = field(default_factory=lambda: {"echo"})
    taken: set[tuple[str, str]] = field(default_factory=set)
    """Connections, and cids of the fuzzer's own choice that a call has had there."""
    _used: dict[int, int] = field(default_factory=dict)
    _names: int = 0

    # ---- connections

    def conn(self, slot: int) -> str:
        """The connection of a slot, made if there is none."""
        if slot not in self.conns:
            name = self.fresh_conn(slot)
            if self._used[slot] == 1 and not self.steps:
                self.first.append(name)
            else:
                self.steps.append({"connect": name})
            self.conns[slot] = name
        return self.conns[slot]

    def fresh_conn(self, slot: int) -> str:
        """A name for a connection."""
        self._used[slot] = self._used.get(slot, 0) + 1
        number = self._used[slot]
        return SLOTS[slot] if number == 1 else f"{SLOTS[slot]}{number}"

    def gone(self, conn: str, clause: str) -> None:
        """A connection is over: the tasks of its calls have to end, whoever ended it."""
        self.conns = {slot: name for slot, name in self.conns.items() if name != conn}
        for call in self.of(conn):
            if not call.over:
                call.over = True
                self.poll(call, clause)
        self.calls = [call for call in self.calls if call.conn != conn]

    def poll(self, call: Call, clause: str) -> None:
        """The tag of a call that certainly ran shows."""
        if call.func in TAGGED and call.settled:
            self.functions.add("cancelled_tags")
            self.steps.append({"poll": call.tag, "clause": clause})

    # ---- calls

    def bind(self, call: Call, cid: str) -> None:
        """Give a call a cid, which no other call of its connection has had: both might live (CID-02s)."""
        self.taken.add((call.conn, cid))
        self.steps.append({"bind": call.name, "cid": cid})

    def name(self, letter: str) -> str:
        """A name for a call."""
        self._names += 1
        return f"{letter}{self._names}"

    def of(self, conn: str) -> list[Call]:
        """The calls of a connection."""
        return [call for call in self.calls if call.conn == conn]

    def live(self, slot: int, funcs: Iterable[str] | None = None) -> list[Call]:
        """The calls of a slot's connection that are not over."""
        wanted = None if funcs is None else set(funcs)
        return [
            call
            for call in self.of(self.conns.get(slot, ""))
            if not call.over and not call.loose and (wanted is None or call.func in wanted)
        ]

    def ended(self, slot: int) -> list[Call]:
        """The calls of a slot's connection that are over."""
        return [call for call in self.of(self.conns.get(slot, "")) if call.over]

    def opened(self, call: Call, step: Step | None = None) -> Call:
        """A call is opened, by its own step or by one that opens it in another way."""
        self.functions.add(call.func)
        self.calls.append(call)
        self.steps.append(step or call.open)
        return call

    def settle(self, call: Call) -> None:
        """Expect what a call has to answer by now."""
        if call.over:
            return
        if call.cancels:
            self.reap(call)
        elif call.loose:
            return
        elif not call.lasting:
            valued = {"wrong_clause": "ENC-11r"} if call.value != 1 and call.func == "echo" else {}
            self.expect(call, [*call.first, *call.rest], **valued)
            call.settled = call.over = True
        elif not call.settled:
            self.expect(call, call.first)
            call.settled = True
        elif call.ended and call.func != "ctx_hang":
            self.expect(call, call.stopped)
            call.over = True
        elif call.func == "ctx_echo" and call.echoed < len(call.items):
            self.expect(call, [{"item": item} for item in call.items[call.echoed :]])
            call.echoed = len(call.items)

    def expect(self, call: Call, events: list[dict[str, Any]], **more: Any) -> None:
        """Expect events of a call."""
        step: Step = {"expect": call.name, "events": events, "on": call.conn, "within": PATIENCE}
        self.steps.append({**step, **more})

    def cancel(self, call: Call) -> Step:
        """The step that cancels a call; it is owed its terminal, and the CANCEL its result."""
        kill = self.name("k")
        call.cancels.append(kill)
        return {"cancel": kill, "target": call.name, "on": call.conn}

    def reap(self, call: Call) -> None:
        """Expect the end of a call that was cancelled, and that of its CANCELs behind it."""
        certain = (
            call.settled and call.lasting and not call.loose and not call.ended and len(call.cancels) == 1
        )
        if not call.loose:
            ending = {"be": call.endings, "be_clause": "CXL-04s"}
            self.steps.append({"terminal": call.name, "clause": "TRM-01s", **ending, "within": PATIENCE})
        for kill in call.cancels:
            if certain:
                events = [{"ack": "asyncfunc"}, CANCELLED]
                self.steps.append({"expect": kill, "events": events, "clause": "CXL-01r", "within": PATIENCE})
            else:
                answer = {"be": {"result": {"$any": True}}, "clause": "CXL-01r"}
                self.steps.append({"terminal": kill, **answer, "within": PATIENCE})
        if certain:
            self.steps.append({"order": [call.name, call.cancels[0]], "clause": "CXL-02s"})
            self.poll(call, "CXL-02s")
        call.cancels = []
        call.over = True

    def barrier(self, conn: str) -> None:
        """A fresh echo is answered, and nothing came that was not owed."""
        allow = [name for call in self.of(conn) if not call.quiet for name in (call.name, *call.cancels)]
        step: Step = {"barrier": conn, "within": PATIENCE}
        if self.blame is not None:
            step["clause"] = self.blame
        self.steps.append({**step, "allow": allow} if allow else step)

    def finish(self) -> None:
        """End all that goes on, and see that it has ended."""
        for conn in list(self.conns.values()):
            for call in self.of(conn):
                if not call.over:
                    self._end(call)
            self.barrier(conn)

    def _end(self, call: Call) -> None:
        if not call.lasting and not call.cancels and not call.loose:
            self.settle(call)
            return
        if not call.cancels:
            self.steps.append(self.cancel(call))
        self.reap(call)
