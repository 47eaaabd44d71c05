"""The ops that a fuzzer hands to a driver, and what each comes to when its callee is honest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from iptc_fuzz.live_caller.script import Step

COUNTS = (3, 0, 1, 64)
_GIVEN_UP = 0.1
"""Seconds after which the application gives up a call, where it does: time enough for the OPEN to be read."""


class Form(NamedTuple):
    """One kind of op.

    `send`: the driver sends the value so often; None: it does not. `take`: it reads so many items.
    `given_up`: the driver gives the call up.
    """

    op: str
    func: str
    send: int | None = None
    take: int | None = None
    given_up: bool = False


FORMS = (
    Form("call", "echo"),
    Form("stream", "count"),
    Form("context", "ctx_return"),
    Form("context", "ctx_echo", send=1),
    Form("context", "ctx_push", send=0),
    Form("context", "ctx_collect", send=3),
    Form("stream", "count", take=1),
    Form("context", "ctx_push", send=0, take=2),
    Form("call", "hang", given_up=True),
    Form("stream", "count", given_up=True),
    Form("context", "ctx_hang", given_up=True),
    Form("context", "ctx_echo", send=1, take=9, given_up=True),
    Form("call", "cancelled_tags"),
    Form("stream", "count", take=2),
    Form("context", "ctx_echo", send=2, take=1),
    Form("call", "fail"),
)
CALL, STREAM, IDLE, ECHO, PUSH, COLLECT, LEFT, TAKING, HANG, STREAM_UP, CONTEXT_UP, ECHO_UP = range(12)
KINDS = {"call": "asyncfunc", "stream": "asyncgen", "context": "context"}
AFTER_ACK = {"call": "unary", "stream": "generator", "context": "starting"}


@dataclass(slots=True)
class Call:
    """An op and its call. `state`: that of the table, as it is once the driver has read all that was said.

    `over`: its outcome was expected. `loose`: a violation has ended it, and it is not spoken in any more.
    `loud`: of its caller anything legal may come. `mute`: nothing of it may come once it is over.
    """

    op: str
    name: str
    form: Form
    value: Any = 1
    count: int = 3
    state: str = "requested"
    sent: list[Any] = field(default_factory=list)
    over: bool = False
    loose: bool = False
    loud: bool = False
    mute: bool = False
    noticed: bool = False
    stopped: bool = False
    clause: str | None = None

    @property
    def left(self) -> bool:
        """Whether it is a stream that the driver leaves before its end."""
        return self.form.op == "stream" and self.form.take is not None

    @property
    def leaving(self) -> bool:
        """Whether the driver leaves it, or has left it already."""
        return self.left and len(self.sent) >= (self.form.take or 0)

    @property
    def talks(self) -> bool:
        """Whether the driver opens a stream in a context."""
        return self.form.op == "context" and (self.form.send is not None or self.form.take is not None)

    @property
    def said(self) -> list[Any]:
        """What the driver sends in the stream."""
        return [self.value] * (self.form.send or 0)

    @property
    def step(self) -> Step:
        """The step that hands the op out."""
        form = self.form
        step: Step = {"do": self.op, "op": form.op, "func": form.func}
        kwargs = self._kwargs
        if kwargs:
            step["kwargs"] = kwargs
        if form.send is not None:
            step["send"] = self.said
        if form.take is not None:
            step["take"] = form.take
        if form.given_up:
            step["cancel_after"] = _GIVEN_UP
        return step

    @property
    def _kwargs(self) -> dict[str, Any]:
        return {
            "echo": {"value": self.value},
            "fail": {"message": "boom"},
            "hang": {"tag": self.op},
            "count": {"n": self.count},
            "ctx_return": {"first": 0, "result": self.value},
            "ctx_hang": {"first": 0},
            "ctx_echo": {"first": 0},
            "ctx_collect": {"first": 0},
            "ctx_push": {"first": 0, "n": self.count},
        }.get(self.form.func, {})

    @property
    def items(self) -> list[Any]:
        """The items that reach the application."""
        return self.sent if self.form.take is None else self.sent[: self.form.take]

    @property
    def success(self) -> dict[str, Any]:
        """What the op comes to when the call ends well."""
        if self.form.op == "call":
            return {"outcome": "return", "value": self.value}
        if self.form.op == "stream":
            done = {"outcome": "closed" if self.leaving else "stop"}
            return {**done, "items": self.items}
        items = {"items": self.items} if self.talks and not self.noticed else {}
        return {"outcome": "return", "first": self.value, **items, "value": self.value}

    @property
    def given_up(self) -> dict[str, Any]:
        """What the op comes to when the driver has given it up."""
        if self.left:
            return {"outcome": "closed", "items": self.items}
        return {"outcome": "cancelled"}
