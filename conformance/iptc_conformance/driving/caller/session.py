"""What one run of a case holds in the caller role: the ops handed out, and the calls they have opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.caller.host import CONN
from iptc_conformance.driving.sending import frames_of
from iptc_conformance.driving.session import Settings, StepFailure, Talk
from iptc_conformance.msgpack_reader import read
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.tagged import identical, tag, untag

if TYPE_CHECKING:
    from iptc_conformance.cases.match import Inbound
    from iptc_conformance.cases.model import Case, Step
    from iptc_conformance.driving.caller.driver import Outcome
    from iptc_conformance.driving.caller.host import Host
    from iptc_conformance.driving.link import Link

RUNTIME = "self"
CANCEL = "_cancel_task"
_FUNC_AT = 1
_KWARGS_AT = 2
_OF_A_CALL = ("ack", "started", "item", "end", "result", "fail", "overrun")
_VALUES = ("kwargs", "send")


class Unsupported(Exception):  # noqa: N818  (a verdict, not a fault of the suite)
    """The driver can't express an op of the case."""


class Garbled(Exception):  # noqa: N818  (a verdict, not a fault of the suite)
    """The driver says on its stdout what is no answer."""


@dataclass(slots=True)
class Op:
    """An op that was handed to the driver."""

    number: int
    asked: dict[str, Any]
    opened: Inbound | None = None


class Session(Talk):
    """One run of one case."""

    def __init__(self, settings: Settings, host: Host, case: Case) -> None:
        super().__init__(settings, host.recorder, host.signal)
        self.host = host
        self.ops: dict[str, Op] = {}
        self.closing_warns: str | None = None
        """The SHOULD that is broken if the testee has closed the connection where it had to fail a call."""
        self.parted = False
        """The suite has said its last word, in so many words: nothing can be called any more."""
        self.allowed: set[str] = set()
        """The calls of which anything legal may come, from the barrier on that has said so."""
        self.clauses = case.clauses
        self.provokes = bool(case.violates)
        """Whether it is the suite that breaks a rule in this case."""
        self.shrugs = False
        """The testee has taken no notice of a message that should have cost its call."""
        self._cancelled: set[str] = set()
        self._holders: dict[str, str] = {}
        self._awaited = [step["target"] for step in case.steps if "cancelled" in step]
        self._auto_cancel = case.auto_cancel
        self._asked = 0
        self.links[CONN] = host.link
        self.bindings.adopt_uid(CONN, host.uid)
        host.link.forget()
        host.link.on_open = self.settle
        host.signal.starved = False

    @property
    def wire(self) -> Link:
        """The connection."""
        return self.host.link

    def do(self, step: Step) -> Op:
        """Hand an op to the driver."""
        asked = {key: step[key] for key in ("op", "func", "take", "cancel_after") if key in step}
        for key in _VALUES:
            if key in step:
                asked[key] = self._as_json(step[key])
        if step["op"] != "close":
            asked.setdefault("kwargs", {})
        op = Op(self.host.tell(asked), asked)
        self.ops[step["do"]] = op
        return op

    def answer(self, name: str) -> Outcome | None:
        """The outcome of an op, if it has come."""
        return self.host.answer(self.ops[name].number)

    async def answered(self, name: str, seconds: float | None = None) -> Outcome | None:
        """Wait for the outcome of an op; None if it does not come.  Raises Garbled, Unsupported."""
        answers = self.host.driver.answers
        await self.until(
            lambda: self.answer(name) is not None or answers.nonsense is not None or answers.over, seconds
        )
        return self._sensible(name)

    def _sensible(self, name: str) -> Outcome | None:
        """The outcome of an op, if it has come.  Raises Garbled, Unsupported."""
        answer, nonsense = self.answer(name), self.host.driver.answers.nonsense
        if nonsense is not None:
            raise Garbled(nonsense)
        if answer is not None and answer["outcome"] == "unsupported":
            asked = self.ops[name].asked
            what = f"{asked['op']} {asked.get('func', '')}".strip()
            raise Unsupported(f"{what}: {answer.get('detail', 'no reason is given')}")
        return answer

    @property
    def asked(self) -> str:
        """The op of the latest fresh echo."""
        return f"echo{self._asked}"

    async def opened(self, name: str, seconds: float | None = None, clause: str | None = None) -> Inbound:
        """Wait for the OPEN of an op, and take it.  Raises StepFailure, Garbled, Unsupported."""
        op, link = self.ops[name], self.wire
        await self.until(
            lambda: self._opening(op) is not None or link.ended is not None or self.answer(name) is not None,
            seconds,
        )
        found = self._opening(op)
        if found is None:
            raise self._not_opened(name, clause)
        link.opens.remove(found)
        op.opened = found
        if found.clause is not None:
            raise StepFailure(f"OPEN {shown(found.value)}", found.clause)
        return found

    def is_opened(self, name: str) -> bool:
        """Whether the OPEN of an op has come, and nobody has taken it."""
        return self._opening(self.ops[name]) is not None

    async def ask(self, seconds: float | None = None) -> None:
        """Have a fresh echo called, opened, answered and returned.  Raises StepFailure, Garbled."""
        self._asked += 1
        name, value = self.asked, f"echo{self._asked}-{self.bindings.run}"
        self.do({"do": name, "op": "call", "func": "echo", "kwargs": {"value": value}})
        opened = await self.opened(name, seconds)
        self.bindings.bind_cid(name, str(opened.cid))
        if str(opened.cid) not in self._cancelled:
            self.say({"ack": name, "functype": "asyncfunc"}, {"result": name, "value": value})
        answer = await self.answered(name, seconds)
        if answer is None:
            raise StepFailure("a fresh echo was answered, and its op has no outcome", waited=True)
        if answer.get("value") != value or answer["outcome"] != "return":
            raise StepFailure(f"a fresh echo came to {shown(answer)}", "ENC-11r")

    def say(self, *steps: Step) -> None:
        """Send what these steps say, in one write."""
        self.wire.send([frame for step in steps for frame in frames_of(step, self)])

    def settle(self) -> None:
        """Answer what no step asks for, as an honest callee does: cancels, and other calls of the runtime."""
        for opened in list(self.wire.opens):
            if self._is_runtime(opened) and not self._step_waits_for(opened):
                self.wire.opens.remove(opened)
                self._answer_runtime(opened)

    def bind(self, call: str, opened: Inbound) -> None:
        """Give a call of the case the cid of an OPEN, which may have been another call's before (CID-06r)."""
        cid = str(opened.cid)
        if cid in self._holders:
            self.warn("CID-07s", f"{call} has the cid of {self._holders[cid]}, {shown(cid)}")
            if self.live(cid):
                self._cancelled.discard(cid)
        self._holders[cid] = call
        self.wire.rebase(cid)
        self.bindings.bind_cid(call, cid)
        self.settle()

    def is_over(self, step: Step) -> bool:
        """Whether a step would speak in a call that was cancelled: an honest callee is silent then.

        So it is in a call whose cid is another one's by now: it would speak in that one.
        """
        named = next((step[verb] for verb in _OF_A_CALL if verb in step), None)
        if named is None:
            return False
        cid = self.bindings.cid(named)
        return cid in self._cancelled or self._holders.get(cid, named) != named

    def live(self, cid: str) -> bool:
        """Whether a call is open on the wire."""
        return self.recorder.live(CONN, cid)

    def release(self, cid: str) -> None:
        """End a call, if it is open."""
        if self.live(cid):
            self._send_fail(cid, "ContextCancelled")

    def free(self, cid: str) -> None:
        """End a call whose caller waits on, even if the case has said a terminal that it did not take."""
        self.recorder.free(cid)
        self._send_fail(cid, "ContextCancelled")

    def let_go(self) -> None:
        """End what the driver still waits for: all its calls fail."""
        self._awaited.clear()
        self.settle()
        for op in self.ops.values():
            op.opened = op.opened or self._opening(op)
            if op.opened in self.wire.opens:
                self.wire.opens.remove(op.opened)
            if op.opened is not None:
                self.release(str(op.opened.cid))

    def took_cancel(self, target: str) -> None:
        """A step has had the CANCEL that it waits for."""
        self._awaited.remove(target)
        self.settle()

    def foreign(self) -> list[Inbound]:
        """The OPENs that no op asks for."""
        asked = [self._opening(op) for op in self.ops.values() if op.opened is None]
        return [
            opened for opened in self.wire.opens if opened not in asked and self.target_of(opened) is None
        ]

    def _as_json(self, tagged: Any) -> Any:
        return tag(self.bindings.value(tagged))

    def _opening(self, op: Op) -> Inbound | None:
        if "kwargs" not in op.asked:
            return None
        kwargs = read(encode(untag(op.asked["kwargs"])))
        for opened in self.wire.opens:
            if opened.clause is not None:
                return opened
            ns, func, given = opened.value[:3]
            if (ns, func) == (self.settings.namespace, op.asked["func"]) and identical(given, kwargs):
                return opened
        return None

    def _not_opened(self, name: str, clause: str | None) -> StepFailure:
        op, link = self.ops[name], self.wire
        wanted = f"OPEN {op.asked['func']} {shown(op.asked['kwargs'])}"
        other = next((opened for opened in self.foreign() if not self._is_runtime(opened)), None)
        if other is not None:
            same_func = other.value[_FUNC_AT] == op.asked["func"]
            told = "ENC-11r" if same_func else None
            return StepFailure(f"OPEN {shown(other.value)} came where {wanted} was expected", clause or told)
        if (answer := self._sensible(name)) is not None:
            never = f"{wanted} never came: the op ended with {shown(answer)}"
            return StepFailure(never, clause, waited="cancel_after" in op.asked)
        ended = f"the connection ended ({link.ended})" if link.ended else "nothing came"
        return StepFailure(f"expected {wanted}, but {ended}", clause, waited=link.ended is None)

    def _is_runtime(self, opened: Inbound) -> bool:
        return opened.clause is None and opened.value[0] == RUNTIME

    def target_of(self, opened: Inbound) -> str | None:
        """The cid that a CANCEL aims at; None for an OPEN that is none."""
        if opened.clause is not None or opened.value[:2] != [RUNTIME, CANCEL]:
            return None
        kwargs = opened.value[_KWARGS_AT]
        cid = kwargs.get("cid") if isinstance(kwargs, dict) else None
        return cid if isinstance(cid, str) else None

    def _step_waits_for(self, opened: Inbound) -> bool:
        """A step may wait for a CANCEL of this target, or for the OPEN that will tell which call that is."""
        target = self.target_of(opened)
        if target is None or not self._awaited:
            return False
        known = self.bindings.call_of(target)
        return known in self._awaited or known is None

    def _answer_runtime(self, opened: Inbound) -> None:
        cid, target = str(opened.cid), self.target_of(opened)
        if target is None:
            self._send_fail(cid, "LookupError")
            return
        if not self._auto_cancel:
            return
        hit = target != cid and self.live(target)
        self._reply("functype", "asyncfunc", cid)
        if hit:
            self._cancelled.add(target)
            self._send_fail(target, "ContextCancelled")
        self._reply("return", hit, cid)

    def _send_fail(self, cid: str, type_str: str) -> None:
        self._reply("error", {"tb_str": "", "type_str": type_str}, cid)

    def _reply(self, key: str, value: Any, cid: str) -> None:
        """Say what no step says; nothing before the hello or after the last word (DSC-01s, ERR-08s)."""
        if not self.parted and self.wire.spoken:
            self.wire.send([self._message(key, value, cid)])

    def _message(self, key: str, value: Any, cid: str) -> bytes:
        return frames_of({"send": {key: value, "cid": cid}}, self)[0]
