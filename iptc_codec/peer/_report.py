"""What a failed call tells its caller about the exception."""

from __future__ import annotations

import traceback

import trio

from iptc_codec import OVERRUN_TYPE, Fail

from ._errors import CANCELLED_TYPE
from ._settings import TRACEBACK_CHARACTERS, Settings

_DETAIL_CHARACTERS = 500


def name_of(error: BaseException) -> str:
    """The `type_str` of an exception: its type's name, but never that of the notice (ERR-05s)."""
    name = type(error).__name__
    return _encodable(name if name != OVERRUN_TYPE else f"{name}Error")


def failure(error: BaseException, cid: str, settings: Settings, *, cancelled: bool = False) -> Fail:
    """The FAIL for an exception; the end of its traceback goes with it unless that is to stay at home."""
    type_str = CANCELLED_TYPE if cancelled else name_of(error)
    return Fail.of(type_str, _traceback_of(error) if settings.send_tracebacks else "", cid)


def shortened(detail: str, settings: Settings) -> str:
    """A detail that may quote either end at any length; empty if such things are to stay at home."""
    if not settings.send_tracebacks:
        return ""
    detail = _encodable(detail)
    return detail if len(detail) <= _DETAIL_CHARACTERS else f"{detail[:_DETAIL_CHARACTERS]}…"


def is_clean_up(error: BaseException) -> bool:
    """Whether all of it was raised on the way out of a cancellation: the call ends as cancelled (CXL-04s)."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_clean_up(part) for part in error.exceptions)
    seen: set[int] = set()  # an application can tie contexts into a ring
    at: BaseException | None = error
    while at is not None and id(at) not in seen and not isinstance(at, trio.Cancelled):
        seen.add(id(at))
        at = at.__context__
    return isinstance(at, trio.Cancelled)


def _traceback_of(error: BaseException) -> str:
    return _encodable("".join(traceback.format_exception(error))[-TRACEBACK_CHARACTERS:])


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
