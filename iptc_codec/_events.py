"""What `Connection.receive` reports, beside the messages that took effect and `Violation`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ._errors import Violation
from ._messages import CallMessage, Fatal


class HelloReceived(Struct, frozen=True):
    """The other side has said who it is. `extra` is what its hello had beyond that, reserved (EXT-01r)."""

    uid: tuple[str, str]
    extra: tuple[Any, ...] = ()


class GoodbyeReceived(Struct, frozen=True):
    """The other side sends no more. Cancel and answer what it opened, then say GOODBYE (DSC-02r)."""


class ConnectionLost(Struct, frozen=True):
    """The other side's stream has ended, inside a frame if `truncated`. All calls are over (DSC-04r)."""

    truncated: bool = False


class Items(Struct, frozen=True):
    """The values of items of one call that came one after the other, and the lengths of their bodies."""

    cid: str
    values: list[object]
    sizes: list[int]


Event = CallMessage | Fatal | HelloReceived | GoodbyeReceived | ConnectionLost | Violation
