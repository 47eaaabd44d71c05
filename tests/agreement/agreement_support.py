"""The vectors and dialogues as Python, and one form for the values of three msgpack readers."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgpack  # type: ignore[import-untyped]
import msgspec

from iptc_conformance import msgpack_values

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
V1 = SPEC / "v1"
NANOS = 1_000_000_000
LAST_MICROSECOND = 253_402_300_799_999_999_000  # nanoseconds; of the year 9999

Side = Literal["initiator", "acceptor"]
LONG = 20_000  # bytes


def load(path: Path) -> Any:
    """Return the JSON of a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def other(side: Side) -> Side:
    """Return the other end."""
    return "acceptor" if side == "initiator" else "initiator"


def chunkings(data: bytes, seed: str) -> list[list[bytes]]:
    """Cut bytes in several ways: not at all, everywhere, and at random places, the same ones for one seed.

    A long frame is cut once: what a cut can break does not hang on its length.
    """
    rng = random.Random(seed)  # noqa: S311  (no secret)
    edges = [0, *sorted(rng.randrange(len(data) + 1) for _ in range(4)), len(data)]
    at_random = [data[start:end] for start, end in itertools.pairwise(edges)]
    if len(data) > LONG:
        return [at_random]
    return [[data], [data[at : at + 1] for at in range(len(data))], at_random]


@dataclass(frozen=True)
class Vector:
    """One frame and its verdict; `raw` is the JSON object."""

    raw: dict[str, Any]

    @property
    def id(self) -> str:
        """The id."""
        return str(self.raw["id"])

    @property
    def phase(self) -> str:
        """Either hello or talking."""
        return str(self.raw["phase"])

    @property
    def frame(self) -> bytes:
        """The bytes, the header included."""
        if "frame" in self.raw:
            return bytes.fromhex(self.raw["frame"])
        return b"".join(
            bytes.fromhex(part) if isinstance(part, str) else bytes.fromhex(part["hex"]) * part["times"]
            for part in self.raw["parts"]
        )

    @property
    def accept(self) -> dict[str, Any] | None:
        """What the frame is, if it has to be accepted."""
        return self.raw.get("accept")

    @property
    def refuse(self) -> dict[str, Any] | None:
        """What it violates, if it has to be refused or may be."""
        return self.raw.get("refuse") or self.raw.get("accept_or")

    @property
    def optional(self) -> bool:
        """Whether a receiver may accept it all the same."""
        return "accept_or" in self.raw


@dataclass(frozen=True)
class Dialogue:
    """A conversation and its verdict."""

    id: str
    title: str
    steps: list[dict[str, Any]]
    violations: list[dict[str, Any]]
    kept: list[str]
    twin: str | None = None
    area: str = field(default="", compare=False)

    def of_step(self, index: int) -> list[dict[str, Any]]:
        """Return the violations that a step completes."""
        return [violation for violation in self.violations if violation["step"] == index]

    def as_lived_by(self, seat: Side) -> list[int]:
        """Return the steps in the order of one end: what it sent before a step arrived stands before that."""
        order = list(range(len(self.steps)))
        for index, step in enumerate(self.steps):
            if step["from"] == seat and "sent_before" in step:
                order.remove(index)
                order.insert(order.index(step["sent_before"]), index)
        return order


def vectors() -> list[Vector]:
    """Return every vector, in the order of the files."""
    return [Vector(raw) for path in sorted((V1 / "vectors").glob("*.json")) for raw in load(path)["vectors"]]


def dialogues() -> list[Dialogue]:
    """Return every dialogue, in the order of the files."""
    return [
        Dialogue(
            raw["id"],
            raw["title"],
            raw["steps"],
            raw["expect"]["violations"],
            raw["expect"]["pass"],
            raw.get("twin"),
            path.stem,
        )
        for path in sorted((V1 / "dialogues").glob("*.json"))
        for raw in load(path)["dialogues"]
    ]


# ---- values

Normal = tuple[Any, ...]
"""A value as nested tuples, in which 1, 1.0 and true differ and the order of a map's keys does not count."""


def _wrapped(times: int, inner: Normal, kind: str) -> Normal:
    for _ in range(times):
        inner = ("array", (inner,)) if kind == "$arrays" else ("map", frozenset({(("str", "k"), inner)}))
    return inner


def _map(pairs: Any) -> Normal:
    return ("map", frozenset(pairs))


def _untagged(tag: str, content: Any) -> Normal:
    match tag:
        case "$bin":
            return ("bin", content)
        case "$ext":
            return ("ext", content[0], content[1])
        case "$timestamp":
            return ("timestamp", content[0] * NANOS + content[1])
        case "$int":
            return ("int", int(content))
        case "$float":
            return ("float", repr(float(content)))
        case "$map":
            return _map((from_tagged(key), from_tagged(value)) for key, value in content)
        case "$arrays" | "$maps":
            return _wrapped(content[0], from_tagged(content[1]), tag)
    raise AssertionError(tag)


def from_tagged(value: Any) -> Normal:
    """Return the normal form of a tagged value."""
    if isinstance(value, dict):
        if len(value) == 1 and (tag := next(iter(value))).startswith("$"):
            return _untagged(tag, value[tag])
        return _map((("str", key), from_tagged(item)) for key, item in value.items())
    if isinstance(value, list):
        return ("array", tuple(from_tagged(item) for item in value))
    return _leaf(value)


def _leaf(value: Any) -> Normal:
    match value:
        case None:
            return ("nil",)
        case bool():
            return ("bool", value)
        case int():
            return ("int", value)
        case float():
            return ("float", repr(value))
        case str():
            return ("str", value)
        case bytes() | bytearray() | memoryview():
            return ("bin", bytes(value).hex())
    return _special(value)


def _special(value: Any) -> Normal:
    match value:
        case msgpack.Timestamp():
            return ("timestamp", value.seconds * NANOS + value.nanoseconds)
        case msgspec.msgpack.Ext():
            return ("ext", value.code, bytes(value.data).hex())
        case msgpack_values.Timestamp():
            return ("timestamp", value.seconds * NANOS + value.nanoseconds)
        case msgpack_values.Ext():
            return ("ext", value.type, value.data.hex())
        case dt.datetime():
            since = value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
            return ("timestamp", (since // dt.timedelta(microseconds=1)) * 1000)
    raise AssertionError(type(value))


def read_independently(body: bytes) -> Normal:
    """Return what a msgpack library that the project does not use makes of a body."""
    # Arrays as tuples, so that they can be keys. Its own class for ext values takes no negative types.
    value = msgpack.unpackb(body, strict_map_key=False, use_list=False, ext_hook=msgpack_values.Ext)
    return normal(value)


def normal(value: Any) -> Normal:
    """Return the normal form of what any of the readers gives."""
    if isinstance(value, dict):
        return _map((normal(key), normal(item)) for key, item in value.items())
    if isinstance(value, msgpack_values.Map):
        return _map((normal(key), normal(item)) for key, item in value.pairs)
    if isinstance(value, list | tuple):
        return ("array", tuple(normal(item) for item in value))
    return _leaf(value)


def to_microseconds(value: Normal) -> Normal:
    """Return the same with timestamps rounded to microseconds: Python's datetime holds no more (ENC-12r)."""
    match value:
        case ("timestamp", nanos):
            return ("timestamp", min((nanos + 500) // 1000 * 1000, LAST_MICROSECOND))
        case ("array", items):
            return ("array", tuple(map(to_microseconds, items)))
        case ("map", pairs):
            return _map((to_microseconds(key), to_microseconds(item)) for key, item in pairs)
    return value
