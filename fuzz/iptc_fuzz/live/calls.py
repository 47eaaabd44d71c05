"""The functions of the fixture as a live fuzzer calls them, and what each has to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Events = list[dict[str, Any]]

ANY = {"$any": True}
COUNTS = (3, 0, 1, 100)
FINITE = (
    *("echo", "fail", "count", "count_then_fail", "ctx_return", "ctx_fail", "ctx_fail_before_started"),
    "ctx_push",
)
"""They end by themselves."""
LASTING = (
    *("hang", "ctx_hang", "ctx_echo", "ctx_collect", "count_forever", "ctx_hang_before_started"),
    "slow_cancel",
)
"""They last until somebody ends them."""
FUNCTIONS = (*FINITE, *LASTING)
STREAMS = ("ctx_echo", "ctx_collect", "ctx_hang")
"""To these a caller may send items, once they have started."""
TAGGED = ("hang", "ctx_hang")

_LARGE = 1000


def small(value: Any) -> Any:
    """A value, or 1 for one that is too large to be sent often, or cut into pieces."""
    return 1 if _large(value) else value


def _large(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_large, value))
    if not isinstance(value, dict):
        return False
    argument: Any = next(iter(value.values()), 0)
    if {"$zeros", "$range"} & set(value):
        return bool(argument > _LARGE)
    return bool(argument[1] > _LARGE) if "$repeat" in value else any(map(_large, value.values()))


@dataclass(slots=True)
class Call:
    """A call of the script. `settled`: its first answers were expected; `over`: so was its terminal.

    `loose`: it was broken by the fuzzer, and whether it goes on is the testee's affair.
    """

    name: str
    conn: str
    func: str
    value: Any = 1
    count: int = 0
    settled: bool = False
    over: bool = False
    loose: bool = False
    ended: bool = False
    cancels: list[str] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    echoed: int = 0
    seconds: float = 0.05

    @property
    def tag(self) -> str:
        """The name of its tag in the case."""
        return f"t{self.name}"

    @property
    def lasting(self) -> bool:
        """Whether it does not end by itself."""
        return self.func in LASTING

    @property
    def quiet(self) -> bool:
        """Whether nothing of it may come now."""
        if self.over:
            return True
        if self.ended and self.func != "ctx_hang":
            return False
        done = self.settled and not self.loose and not self.cancels and self.func != "count_forever"
        return done and not (self.func == "ctx_echo" and self.echoed < len(self.items))

    @property
    def kwargs(self) -> dict[str, Any]:
        """Its arguments."""
        return {
            "echo": {"value": self.value},
            "fail": {"message": "boom"},
            "hang": {"tag": {"$tag": self.tag}},
            "slow_cancel": {"seconds": self.seconds},
            "count": {"n": self.count},
            "count_then_fail": {"n": self.count, "message": "boom"},
            "ctx_return": {"first": self.value, "result": self.value},
            "ctx_hang": {"first": 0, "tag": {"$tag": self.tag}},
            "ctx_fail": {"first": self.value, "message": "boom"},
            "ctx_fail_before_started": {"message": "boom"},
            "ctx_echo": {"first": self.value},
            "ctx_collect": {"first": self.value},
            "ctx_push": {"first": self.value, "n": self.count},
        }.get(self.func, {})

    @property
    def open(self) -> dict[str, Any]:
        """The step that opens it."""
        step = {"open": self.name, "func": self.func, "on": self.conn}
        return {**step, "kwargs": self.kwargs} if self.kwargs else step

    @property
    def first(self) -> Events:
        """What it answers at once."""
        kind = self.func.split("_")[0]
        if kind == "ctx":
            started = [] if self.func.endswith("before_started") else [{"started": self._first_value}]
            return [{"ack": "context"}, *started]
        if kind == "count":
            more = [{"item": {"$next": True}, "times": 1 + self.count % 8}] if self.lasting else []
            return [{"ack": "asyncgen"}, *more]
        return [{"ack": "asyncfunc"}]

    @property
    def _first_value(self) -> Any:
        return 0 if self.func == "ctx_hang" else self.value

    @property
    def rest(self) -> Events:
        """What a finite one answers then."""
        items: Events = [{"items": {"$range": self.count}}] if self.count else []
        end = {"end": True, "times": "?", "missing_warns": "STR-07s"}
        endings: dict[str, Events] = {
            "echo": [{"result": self.value}],
            "count": [*items, {"end": True}],
            "count_then_fail": [*items, {"fail": "*"}],
            "ctx_return": [{"result": self.value}],
            "ctx_push": [*items, end if self.count else {"end": True, "times": "?"}, {"result": self.count}],
        }
        return endings.get(self.func, [{"fail": "*"}])

    @property
    def stopped(self) -> Events:
        """What a stream answers to the END of its caller."""
        end = {"end": True, "times": "?"}
        if self.func == "ctx_collect":
            return [end, {"result": self.items}]
        left = [{"item": item} for item in self.items[self.echoed :]]
        warned = {**end, "missing_warns": "STR-07s"} if self.items else end
        return [*left, warned, {"result": len(self.items)}]

    @property
    def endings(self) -> dict[str, Any]:
        """The terminals that it may have when it was cancelled."""
        cancelled = {"fail": "ContextCancelled"}
        if not self.lasting:
            return {"one_of": [self.rest[-1], cancelled]} if "fail" not in self.rest[-1] else {"fail": "*"}
        if self.ended and self.func in {"ctx_echo", "ctx_collect"}:
            return {"one_of": [self.stopped[-1], cancelled]}
        return cancelled
