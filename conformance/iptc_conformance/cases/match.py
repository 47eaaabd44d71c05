"""Patterns over the messages of one call: a small, greedy, deterministic regular language.

A pattern names one message (`{"item": 3}`), or alternatives (`{"one_of": […]}`), or a run (`{"items": […]}`);
`times` makes it optional (`?`), repeatable (`*`) or exact (a number); `warns` and `missing_warns` name the
SHOULD that is broken where it matches, or does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.shown import shown
from iptc_conformance.msgpack_reader import read
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.tagged import identical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KINDS = ("ack", "started", "item", "end", "result", "fail", "overrun")


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of a call, as it came from the testee. `value`: of a FAIL type_str, of an ACK functype."""

    kind: str
    cid: object
    value: Any
    seq: int
    clause: str | None = None

    def __str__(self) -> str:
        text = {"end": "END", "overrun": "OVERRUN"}.get(
            self.kind, f"{self.kind.upper()} {shown(self.value, 60)}"
        )
        return text if self.clause is None else f"{text} (breaks {self.clause})"


@dataclass(frozen=True, slots=True)
class Matched:
    """Whether a message fits a pattern, and the SHOULD that it breaks by fitting."""

    fits: bool
    warns: str | None = None


@dataclass(slots=True)
class _Slot:
    pattern: dict[str, Any]
    least: int
    most: int | None
    missing_warns: str | None
    seen: int = 0


@dataclass(slots=True)
class Matcher:
    """One alternative of an expectation, fed message by message."""

    slots: list[_Slot]
    resolve: Callable[[Any], Any]
    warnings: list[str] = field(default_factory=list)
    dead: bool = False
    _at: int = 0

    @classmethod
    def of(cls, patterns: Iterable[dict[str, Any]], resolve: Callable[[Any], Any]) -> Matcher:
        """Build a matcher; `resolve` turns tagged JSON into a value (Bindings.value)."""
        slots: list[_Slot] = []
        for pattern in patterns:
            slots.extend(_slots(pattern, resolve))
        return cls(slots, resolve)

    @property
    def complete(self) -> bool:
        """Nothing more has to come."""
        return not self.dead and all(slot.seen >= slot.least for slot in self.slots[self._at :])

    @property
    def wants(self) -> str:
        """What has to come next, for people."""
        names = []
        for slot in self.slots[self._at :]:
            names.append(describe(slot.pattern) + ("" if slot.least else " (or not)"))
            if slot.least > slot.seen:
                break
        return " then ".join(names) if names else "nothing more"

    @property
    def wants_kind(self) -> str | None:
        """The kind of message that has to come next; None if there is a choice, or nothing has to."""
        slot = next((slot for slot in self.slots[self._at :] if slot.seen < slot.least), None)
        return None if slot is None else next((key for key in slot.pattern if key in KINDS), None)

    def feed(self, message: Inbound) -> bool:
        """Take one message. False, and dead, if it does not fit here."""
        while self._at < len(self.slots):
            slot = self.slots[self._at]
            matched = self._fits(slot, message)
            if matched.fits and (slot.most is None or slot.seen < slot.most):
                self._take(slot, matched)
                return True
            if slot.seen < slot.least:
                break
            self._leave(slot)
        self.dead = True
        return False

    def finish(self) -> None:
        """Note what was missing although it should have come."""
        for slot in self.slots[self._at :]:
            self._leave(slot)
        self._at = len(self.slots)

    def _take(self, slot: _Slot, matched: Matched) -> None:
        slot.seen += 1
        if matched.warns is not None:
            self.warnings.append(matched.warns)
        if slot.most is not None and slot.seen >= slot.most:
            self._at += 1

    def _leave(self, slot: _Slot) -> None:
        if not slot.seen and slot.missing_warns is not None:
            self.warnings.append(slot.missing_warns)
        self._at += 1

    def _fits(self, slot: _Slot, message: Inbound) -> Matched:
        return fits(slot.pattern, message, self.resolve, slot.seen)


def fits(pattern: dict[str, Any], message: Inbound, resolve: Callable[[Any], Any], index: int = 0) -> Matched:
    """Whether one message fits one pattern; `index` is what `$next` stands for."""
    if "one_of" in pattern:
        for choice in pattern["one_of"]:
            matched = fits(choice, message, resolve, index)
            if matched.fits:
                return matched
        return Matched(fits=False)
    (kind,) = (key for key in pattern if key in KINDS)
    if message.kind != kind:
        return Matched(fits=False)
    good = _value_fits(kind, pattern[kind], message.value, resolve, index)
    return Matched(fits=good, warns=pattern.get("warns") if good else None)


def describe(pattern: dict[str, Any]) -> str:
    """A pattern in words."""
    if "one_of" in pattern:
        return " or ".join(dict.fromkeys(describe(choice) for choice in pattern["one_of"]))
    (kind,) = (key for key in pattern if key in KINDS)
    expected = pattern[kind]
    if kind in {"end", "overrun"} or expected in ({"$any": True}, "*"):
        return kind.upper()
    return f"{kind.upper()} {shown(expected, 60)}"


def _slots(pattern: dict[str, Any], resolve: Callable[[Any], Any]) -> list[_Slot]:
    if "items" in pattern:
        return [_Slot({"item": value}, 1, 1, None) for value in resolve(pattern["items"])]
    times = pattern.get("times", 1)
    bounds: dict[object, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None)}
    least, most = bounds.get(times, (times, times))
    return [_Slot(pattern, least, most, pattern.get("missing_warns"))]


def _value_fits(kind: str, expected: Any, got: Any, resolve: Callable[[Any], Any], index: int) -> bool:
    if kind in {"end", "overrun"} or expected == {"$any": True}:
        return True
    if kind == "fail":
        if isinstance(expected, dict):
            return got not in expected["not"]
        return bool(expected == "*" or got == expected)
    if kind == "ack":
        return bool(got == expected)
    if expected == {"$next": True}:
        return identical(got, index)
    return identical(got, read(encode(resolve(expected))))
