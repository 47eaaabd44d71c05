"""Messages that a caller must not send, or may send in another form, as steps of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from iptc_conformance import wire

if TYPE_CHECKING:
    from iptc_fuzz.live.calls import Call

Step = dict[str, Any]

ERROR = {"tb_str": "", "type_str": "ValueError"}
_OF_CALLER: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ITEM", {"yield": 1}),
    ("END", {"stop": True}),
    ("FAIL", {"error": ERROR}),
    ("ACK_ASYNCFUNC", {"functype": "asyncfunc"}),
    ("STARTED", {"started": 1}),
    ("RESULT", {"return": 1}),
    ("OVERRUN", {"error": {"tb_str": "", "type_str": "StreamOverrun"}}),
    ("MALFORMED", {"stop": False}),
    ("MALFORMED", {"stop": None}),
    ("MALFORMED", {"bogus": 1}),
    ("MALFORMED", {"error": "oops"}),
    ("MALFORMED", {"error": {"type_str": 1, "tb_str": 2}}),
    ("MALFORMED", {"error": {}}),
    ("MALFORMED", {"functype": "function"}),
    ("MALFORMED", {"yield": 1, "more": 2}),
    ("MALFORMED", {"yield": {"$raw": "a2c328"}}),
    ("MALFORMED", {"yield": {"$map": [[{"a": 1}, 2]]}}),
    ("MALFORMED", {"yield": {"$raw": "c703ff010203"}}),
    ("MALFORMED", {}),
    ("MALFORMED", {"yield": 1, "return": 2}),
)
"""What a caller may say of a call: the event of the table, and the message without its cid."""
OF_CALLER = len(_OF_CALLER)


def of_caller(call: Call, choice: int) -> tuple[str, Step]:
    """The event of the table, and the step that sends it."""
    event, message = _OF_CALLER[choice % len(_OF_CALLER)]
    return event, {"send": {**message, "cid": {"$cid": call.name}}, "on": call.conn}


def stray(name: str, choice: int) -> dict[str, Any]:
    """A message of a call that is not of this connection."""
    message = _OF_CALLER[choice % len(_OF_CALLER)][1]
    return {**message, "cid": {"$cid": name}}


_NS: Any = {"$ns": True}
_REFUSED: tuple[tuple[Any, Any, Any, str], ...] = (
    ("iptc_no_such_space", "echo", {"value": 1}, "OPN-06s"),
    ("", "echo", {"value": 1}, "OPN-06s"),
    ("os", "getpid", {}, "RUN-03r"),
    ("builtins", "print", {}, "RUN-03r"),
    (_NS, "iptc_no_such_function", {}, "OPN-06s"),
    (_NS, "", {}, "OPN-06s"),
    (_NS, "trio", {}, "RUN-03r"),
    (_NS, "__name__", {}, "RUN-03r"),
    (_NS, "echo.__globals__", {}, "RUN-03r"),
    (_NS, "echo", {}, "OPN-07s"),
    (_NS, "echo", {"value": 1, "more": 2}, "OPN-07s"),
    (_NS, "count", {"number": 3}, "OPN-07s"),
    (_NS, "ctx_echo", {"second": 1}, "OPN-07s"),
    ("self", "iptc_nobody_has_this", {}, "RUN-01r"),
    ("self", "__init__", {}, "RUN-01r"),
    ("self", "cancel_rpc_tasks", {}, "RUN-01r"),
    ("self", "_cancel_task_", {"cid": "x"}, "RUN-01r"),
    ("self", "get_registry", {}, "RUN-01r"),
)
_UIDS: tuple[Any, ...] = (
    lambda conn: [{"$uuid": conn}, {"$name": conn}],
    lambda conn: [{"$name": conn}, "another"],
    lambda conn: ["another", {"$uuid": conn}],
)
_MALFORMED_OPENS: tuple[Any, ...] = (
    lambda uid: [1, "echo", {}, uid],
    lambda uid: [_NS, None, {}, uid],
    lambda uid: [_NS, "echo", [1], uid],
    lambda uid: [_NS, "cancelled_tags", None, uid],
    lambda uid: [_NS, "echo", {"$map": [[1, 2]]}, uid],
    lambda _: [_NS, "echo", {"value": 1}, "me"],
    lambda _: [_NS, "echo", {"value": 1}, [1, 2]],
    lambda uid: [_NS, "echo", {"value": {"$raw": "a2c328"}}, uid],
    lambda uid: [{"$raw": "a2c328"}, "echo", {"value": 1}, uid],
    lambda uid: [_NS, "echo", {"value": {"$raw": "81a2c32801"}}, uid],
    lambda uid: [_NS, "echo", {"value": {"$raw": "91a1ff"}}, uid],
    lambda uid: [_NS, "echo", {"$raw": "81a1ff01"}, uid],
)
REFUSED = len(_REFUSED) + len(_UIDS) + len(_MALFORMED_OPENS)
_CANCELS: tuple[Any, ...] = ({}, {"cid": "x", "more": 1}, {"cid": 7}, {"cid": [1]}, {"cid": None})
REFUSED += len(_CANCELS)
_TYPED = {"one_of": [{"fail": "ProtocolError"}, {"fail": "*", "warns": "ERR-06s"}]}


def refused(call: Call, choice: int) -> tuple[Step, list[dict[str, Any]], bool, str]:
    """An OPEN that has to be refused: its step, what it is answered, whether it breaks a rule, the clause."""
    plain, uids, opens = len(_REFUSED), len(_UIDS), len(_MALFORMED_OPENS)
    at = choice % (plain + uids + opens + len(_CANCELS))
    base: Step = {"open": call.name, "on": call.conn}
    if at < plain:
        ns, func, kwargs, clause = _REFUSED[at]
        step = {**base, "func": func, "kwargs": kwargs, "ns": ns}
        return step, [{"fail": "*"}], False, clause
    if at < plain + uids:
        step = {**base, "func": "echo", "kwargs": {"value": 1}, "uid": _UIDS[at - plain](call.conn)}
        return step, [_TYPED], True, "OPN-08r"
    if at < plain + uids + opens:
        cmd = _MALFORMED_OPENS[at - plain - uids]({"$uid": call.conn})
        return {"send": {"cmd": [*cmd, {"$cid": call.name}]}, "on": call.conn}, [_TYPED], True, "OPN-01r"
    kwargs = _CANCELS[at - plain - uids - opens]
    step = {**base, "func": "_cancel_task", "kwargs": kwargs, "ns": "self"}
    answer = {"one_of": [{"fail": "*"}, {"result": False}]}
    return step, [{"ack": "asyncfunc", "times": "?"}, answer], True, "CXL-09r"


_LEGAL_HELLOS: tuple[list[Any], ...] = ([3], ["more", None, {"a": 1}], [1, 2, 3])
_FALSE_HELLOS: tuple[Any, ...] = (
    *([], ["x"], ["", "b"], ["x", ""], [1, 2], [None, None], [{"$bin": "78"}, {"$bin": "79"}]),
    *(
        None,
        5,
        "ab",
        True,
        {"name": "x"},
        {"yield": 1, "cid": "c"},
        {"error": {"tb_str": "", "type_str": "X"}},
    ),
)
HELLOS = len(_LEGAL_HELLOS) + len(_FALSE_HELLOS)


def hello(choice: int) -> tuple[Any, bool]:
    """A first frame, and whether it is a legal hello (then only what follows its two parts)."""
    at = choice % (len(_LEGAL_HELLOS) + len(_FALSE_HELLOS))
    if at < len(_LEGAL_HELLOS):
        return _LEGAL_HELLOS[at], True
    return _FALSE_HELLOS[at - len(_LEGAL_HELLOS)], False


def odd(call: Call, choice: int) -> Step:
    """An OPEN with its cid first, or in longer forms than need be."""
    cmd = [_NS, "echo", {"value": call.value}, {"$uid": call.conn}, {"$cid": call.name}]
    if choice & 1:
        return {
            "together": [{"send": {"cmd": cmd}, "on": call.conn}],
            "split": 1 + choice % 9,
            "on": call.conn,
        }
    # map 32, str 8 "cmd", array 16: longer than need be, and as good
    parts = [{"value": _NS}, "d9046563686f", "de0001d90576616c7565", {"value": call.value}]
    rest = [{"value": {"$uid": call.conn}}, {"value": {"$cid": call.name}}]
    return {"frame": ["df00000001d903636d64dc0005", *parts, *rest], "on": call.conn}


NOISE: tuple[tuple[list[Any], bool], ...] = (
    (["ffffffff"], True),
    (["01000004"], True),
    (["00000000"], True),
    (["474554202f20485454502f312e310d0a0d0a"], True),
    (["01000000c1"], True),
    (["02000000c0c0"], True),
    (["0100000005"], True),
    (["0100000090"], True),
    (["0a00000092a1"], False),
    (["0000"], False),
    (["00000004"], False),
)
"""Bytes, and whether they cost the connection at once (the others are a frame cut short)."""


def noise(choice: int) -> list[Any]:
    """Fragments for a `bytes` step."""
    return NOISE[choice % len(NOISE)][0]


class Meaning(NamedTuple):
    """What a body costs: `close`, `refuse` (an OPEN that has to be answered under this cid), or `drop`.

    `cid`: the one that it names, if any.
    """

    effect: str
    cid: str | None = None
    clause: str = "ROB-02r"


_DEEP = 60


def meaning(body: bytes) -> Meaning | None:
    """What a body means on a connection where its cid is not in use; None where that is left open."""
    seen = wire.classify(body)
    clause = f"{seen.clause[:-1]}r" if seen.clause else "ROB-02r"
    if seen.depth > _DEEP or body.count(b"\x91") > _DEEP:
        return None
    if seen.event.value in {"HELLO", "MALFORMED_OBJECT", "MALFORMED_BYTES"}:
        return Meaning("close", clause=clause)
    if seen.event.value in {"FATAL", "GOODBYE"}:
        return None
    if seen.opens or seen.kind == "OPEN":
        return Meaning("refuse", seen.cid, clause if seen.clause else "OPN-02s")
    return Meaning("drop", seen.cid)
