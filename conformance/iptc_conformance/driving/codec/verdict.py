"""What a codec says of a frame, held against what its vector says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from iptc_conformance import _specdata
from iptc_conformance.driving.codec.vectors import receiving
from iptc_conformance.msgpack_values import Ext, Map, Timestamp
from iptc_conformance.tagged import TagError, identical, untag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iptc_conformance.driving.codec.vectors import Vector

_MEMBERS: dict[str, type | tuple[type, ...]] = {
    "ok": bool,
    "kind": str,
    "clause": str,
    "reaction": str,
    "cid": (str, type(None)),
    "unsupported": str,
}
_REACTIONS = frozenset({"close", "fail-call"})
_SHOWN = 200
_CARRIED = "ENC-12r"
_CALL_ONLY = "ROB-04r"
_LEGAL = "FRM-06r"


class AnswerError(Exception):
    """A line that is no verdict."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one answer is worth: a verdict, the clause that it breaks, and why."""

    verdict: Literal["pass", "fail", "warn", "unsupported"]
    detail: str = ""
    clause: str | None = None


_PASS = Opinion("pass")


def read_answer(line: bytes) -> dict[str, Any]:
    """Read a line.  Raises AnswerError."""
    shown = line[:_SHOWN].decode("utf-8", "replace")
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"the answer is not JSON that can be read ({error}): {shown}") from error
    if not isinstance(answer, dict) or not ("ok" in answer or "unsupported" in answer):
        raise AnswerError(f'the answer has no member "ok": {shown}')
    for name, kind in _MEMBERS.items():
        if name in answer and not isinstance(answer[name], kind):
            raise AnswerError(f'"{name}" is of a wrong type in the answer: {shown}')
    if answer.get("reaction", "close") not in _REACTIONS:
        raise AnswerError(f'"reaction" is neither "close" nor "fail-call": {shown}')
    return answer


def opinion_of(vector: Vector, answer: Mapping[str, Any]) -> Opinion:
    """Hold an answer against the vector."""
    if "unsupported" in answer:
        return Opinion("unsupported", f"the codec cannot say: {answer['unsupported']}"[:_SHOWN])
    if vector.accept is not None:
        return _of_legal(vector.accept, vector.case.clauses[0], answer)
    assert vector.refuse is not None  # noqa: S101  (the schema: a vector is accepted or refused)
    if answer["ok"]:
        return _PASS if vector.may_accept else _taken(vector.refuse, answer)
    return _of_refusal(vector.refuse, answer)


def _of_legal(accept: Mapping[str, Any], clause: str, answer: Mapping[str, Any]) -> Opinion:
    if not answer["ok"]:
        named = f" for {answer['clause']}" if "clause" in answer else ""
        return Opinion("fail", f"a legal {accept['kind']} is refused{named}", clause)
    expected = accept["kind"]
    if answer.get("kind") not in {expected, expected.partition("_")[0]}:
        return Opinion("fail", f"{expected} is taken for {answer.get('kind', 'nothing')}", _LEGAL)
    if "message" not in accept:
        return _PASS
    if expected == "HELLO" and isinstance(answer.get("message"), list):  # EXT-01r: what follows is ignored
        return _of_message(accept["message"][:2], {"message": answer["message"][:2]})
    return _of_message(accept["message"], answer)


def _of_message(expected: Any, answer: Mapping[str, Any]) -> Opinion:
    if "message" not in answer:
        return Opinion("fail", 'the answer has no "message"', _LEGAL)
    shown = f"{json.dumps(expected)[:_SHOWN]} is read as {json.dumps(answer['message'])[:_SHOWN]}"
    try:
        wanted, got = untag(expected), untag(answer["message"])
        if any(identical(_to_micros(wanted, up), _to_micros(got, up)) for up in (0, 500)):
            return _PASS
        carried = identical(_uncarried(wanted), _uncarried(got))
    except (TagError, ValueError, RecursionError) as error:
        return Opinion("fail", f"the message is no value ({error}): {shown}", "ENC-11r")
    if carried:
        return Opinion("warn", shown, _CARRIED)
    return Opinion("fail", shown, "ENC-11r")


def _taken(refuse: Mapping[str, Any], answer: Mapping[str, Any]) -> Opinion:
    clause = receiving(refuse["clause"])
    level = _specdata.clause_level(clause)
    kind = answer.get("kind", "a message")
    return Opinion(
        "fail" if level == "MUST" else "warn",
        f"taken as {kind}, although {refuse['clause']} is broken",
        clause,
    )


def _of_refusal(refuse: Mapping[str, Any], answer: Mapping[str, Any]) -> Opinion:
    clause = receiving(refuse["clause"])
    reaction = answer.get("reaction")
    if reaction == "fail-call" and refuse["reaction"] == "close":
        return Opinion("fail", f"{refuse['clause']} costs the connection, not a call", clause)
    if reaction == "close" and refuse["reaction"] == "fail-call":
        return Opinion("warn", f"{refuse['clause']} costs the call {refuse['cid']!r} only", _CALL_ONLY)
    if answer.get("cid") not in {None, refuse["cid"]}:
        known = "no cid can be read" if refuse["cid"] is None else f"the cid is {refuse['cid']!r}"
        return Opinion("fail", f"{known}, but the codec says {answer['cid']!r}", clause)
    if reaction == "fail-call" and "cid" in answer and answer["cid"] is None:
        return Opinion("fail", f"the cid is {refuse['cid']!r}, but the codec cannot read it", clause)
    if answer.get("clause", refuse["clause"]) not in {refuse["clause"], clause}:
        return Opinion("warn", f"it breaks {refuse['clause']}, not {answer['clause']} (section 5.3)", clause)
    return _PASS


def _to_micros(value: Any, up: int) -> Any:
    """The value with its timestamps cut to microseconds, or rounded: most languages' types hold no more."""
    return _mapped(value, lambda ext: _micro(ext, up) if isinstance(ext, Timestamp) else ext)


def _uncarried(value: Any) -> Any:
    """The value without what a peer only should carry unchanged."""
    return _mapped(value, lambda _: "ext")


def _micro(stamp: Timestamp, up: int) -> Timestamp:
    microseconds = (stamp.seconds * 10**9 + stamp.nanoseconds + up) // 1000
    seconds, rest = divmod(microseconds, 10**6)
    return Timestamp(seconds, rest * 1000)


def _mapped(value: Any, change: Callable[[Ext | Timestamp], Any]) -> Any:
    """The value with each ext and each timestamp in it changed, in keys too."""
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    if isinstance(value, dict | Map):
        pairs = value.items() if isinstance(value, dict) else value.pairs
        return Map(tuple((_mapped(key, change), _mapped(item, change)) for key, item in pairs))
    return change(value) if isinstance(value, Ext | Timestamp) else value
