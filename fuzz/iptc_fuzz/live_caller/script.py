"""A conversation in the making: what the suite says as a callee, and what the driver's ops have to come to.

Every expectation holds whatever legal race the testee decides: what is not certain is not expected, but
allowed. So any list of actions makes a sound case, and any part of the list does as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iptc_fuzz.live_caller.calls import AFTER_ACK, FORMS, KINDS, Call, Form
from iptc_fuzz.live_caller.cancels import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Sequence

Step = dict[str, Any]

PATIENCE = 8
_MOST_LIVE = 24
_CUT_OFF = ("closed", "disconnected", "error", "protocol-error", "cancelled")


@dataclass(slots=True)
class Script:
    """Steps, and the state in which they leave the two sides.

    `hello`: what the suite says first (None: its uid, False: nothing). `broken`: it breaks rules.
    `ended`: the connection is over. `heavy`: it takes its time.
    """

    steps: list[Step] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    hello: Any = None
    broken: bool = False
    ended: bool = False
    heavy: bool = False
    seen: set[str] = field(default_factory=set)
    """Cids of others that were used already."""
    _names: int = 0

    def name(self, letter: str) -> str:
        """A name."""
        self._names += 1
        return f"{letter}{self._names}"

    def say(self, *steps: Step) -> None:
        """Add steps."""
        self.steps += steps

    # ---- calls

    def ask(self, form: Form, value: Any = 1, count: int = 3) -> Call:
        """Hand an op out, and see its call opened."""
        call = self.asked(form, value, count)
        self.say(call.step, self.opened(call))
        return call

    def asked(self, form: Form, value: Any = 1, count: int = 3) -> Call:
        """A call whose op was not handed out yet."""
        call = Call(self.name("r"), self.name("c"), form, value, count)
        if form.take is not None and form.op == "stream":
            call.count = max(count, form.take)
        if form.func == "cancelled_tags":
            call.value = 1
        self.calls.append(call)
        return call

    def opened(self, call: Call) -> Step:
        """The step that sees a call opened."""
        return {"opened": call.name, "of": call.op, "clause": "OPN-01s", "within": PATIENCE}

    @property
    def live(self) -> list[Call]:
        """The calls that go on."""
        return [call for call in self.calls if not call.over and not call.loose]

    def some(self, pick: int, forms: Sequence[int] = (0,), choice: int = 0) -> Call:
        """One of the calls that go on, or a new one."""
        live = self.live
        if live:
            return live[pick % len(live)]
        return self.ask(FORMS[forms[choice % len(forms)]])

    @property
    def full(self) -> bool:
        """Whether enough calls go on."""
        return len(self.live) >= _MOST_LIVE

    def advance(self, call: Call) -> None:
        """Say the next thing that an honest callee says."""
        if call.over or call.loose:
            return
        if call.state == "requested":
            self.say({"ack": call.name, "functype": KINDS[call.form.op]})
            call.state = AFTER_ACK[call.form.op]
        elif call.state == "starting":
            self.say({"started": call.name, "value": call.value})
            call.state = "open"
            self._hear(call)
        elif call.state != "unary" and len(call.sent) < call.count and not call.stopped:
            self.items(call, call.count - len(call.sent))
        elif call.form.given_up or call.left:
            self.reap(call, 0)
        else:
            self._end(call)

    def items(self, call: Call, times: int) -> None:
        """Send items; what the driver has to say when it has enough of them is expected."""
        step: Step = {"item": call.name, "value": call.value}
        if times > 1:
            step = {**step, "value": {"$i": True}, "times": times}
        self.say(step)
        call.sent += list(range(times)) if times > 1 else [call.value]
        take = call.form.take
        read = call.talks and not call.loud and call.state == "open"
        if read and take is not None and len(call.sent) >= take:
            self.say(self.expected(call, [{"end": True}], "STR-06s"))
            call.state = "caller-stopped"

    def _hear(self, call: Call) -> None:
        """Expect what the driver says in the stream of a context that has started."""
        if not call.talks:
            return
        if call.form.given_up:
            call.loud = True
            return
        events: list[Step] = [{"items": call.said}] if call.said else []
        if call.form.take is None:
            events.append({"end": True})
            call.state = "caller-stopped"
        if events:
            self.say(self.expected(call, events, "STR-06s"))

    def expected(self, call: Call, events: list[Step], clause: str) -> Step:
        """The step that expects events of a call."""
        return {"expect": call.name, "events": events, "clause": clause, "within": PATIENCE}

    def _end(self, call: Call) -> None:
        if call.state == "generator":
            self.say({"end": call.name})
        else:
            call.mute = call.state in {"caller-stopped", "both-stopped"}
            if call.state != "unary" and (call.talks or call.sent) and not call.stopped:
                self.say({"end": call.name})
                call.stopped = True
            self.say({"result": call.name, "value": call.value})
        call.mute = call.mute or call.form.op != "context"
        self.outcome(call, call.success)

    def outcome(self, call: Call, *patterns: Step, clause: str | None = None) -> None:
        """Expect what an op comes to, and be done with it."""
        if call.noticed and call.talks:
            patterns = (*patterns, {"outcome": "error", "type": "StreamOverrun"})
        plain = "ENC-11r" if call.form.op == "call" else "STR-06s"
        step: Step = {"outcome": call.op, "clause": clause or call.clause or plain, "within": PATIENCE}
        self.say({**step, "be": patterns[0]} if len(patterns) == 1 else {**step, "any": list(patterns)})
        call.over = True

    def finish_call(self, call: Call) -> None:
        """Say all that is left to say for a call."""
        while not call.over and not call.loose:
            self.advance(call)

    def contained(self, call: Call, **more: Any) -> None:
        """Expect an op to fail."""
        self.say({"contained": call.op, **more, "within": PATIENCE})
        call.loose = True

    def contained_or_well(self, call: Call) -> None:
        """What was said may cost the call, or not; the connection would be a warning."""
        self.say({"end": call.name}, {"result": call.name, "value": call.value})
        ends: list[Step] = [{"outcome": end} for end in ("return", "protocol-error", "error", "cancelled")]
        step: Step = {"outcome": call.op, "clause": "ENC-06r", "within": PATIENCE}
        self.say({**step, "any": [*ends, {"outcome": "disconnected", "warns": "ROB-04r"}]})
        call.loose = True

    # ---- cancels

    def reap(self, call: Call, variant: int) -> None:
        """See the CANCEL of a call that the driver gives up, and answer it in one of many ways."""
        kill = self.name("k")
        self.say({"cancelled": kill, "target": call.name, "clause": "CXL-01s", "within": PATIENCE})
        ANSWERS[variant % len(ANSWERS)](self, call, kill)

    # ---- the connection

    def barrier(self) -> None:
        """A fresh echo returns, and nothing has come that was not owed."""
        loud = [call.name for call in self.calls if call.loud]
        step: Step = {"barrier": True, "within": PATIENCE}
        self.say({**step, "allow": loud} if loud else step)

    def lost(self, clause: str, *, closed: str | None = None) -> None:
        """The connection is over: every op ends, and the driver lives.

        `closed`: the clause by which the driver closes it.
        """
        if closed is not None:
            self.say({"closed": "a", "clause": closed, "within": PATIENCE})
        for call in self.live:
            self.cut_off(call, clause)
        self.say({"alive": True, "within": PATIENCE})
        self.ended = True

    def cut_off(self, call: Call, clause: str) -> None:
        """The connection of a call is over, and its op ends."""
        if call.leaving:
            ends = [{"outcome": end} for end in _CUT_OFF]
            self.say({"outcome": call.op, "any": ends, "clause": clause, "within": PATIENCE})
            call.over = True
        else:
            self.contained(call, closes=True, clause=clause)

    def finish(self) -> None:
        """End all that goes on, and see that nothing is left."""
        if self.ended:
            return
        for call in self.live:
            self.finish_call(call)
        self.barrier()
        if len(self.calls) > 1:
            self.say({"fresh": [call.name for call in self.calls]})
        for call in self.calls:
            if call.over and call.mute and not call.loud:
                self.say({"silent": call.name, "clause": "TRM-03s"})
