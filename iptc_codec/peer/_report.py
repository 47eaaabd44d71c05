"""What a failed call tells its caller about the exception."""

from __future__ import annotations

import traceback

import trio

from iptc_codec import Fail

from ._errors import CANCELLED_TYPE
from ._settings import TRACEBACK_CHARACTERS, Settings

_NOTICE = "StreamOverrun"
_DETAIL_CHARACTERS = 500


def name_of(error: BaseException) -> str:
    """The `type_str` of an exception: its type's name, but never that of the notice (ERR-05s)."""
    name = type(error).__name__
    return _encodable(name if name != _NOTICE else f"{name}Error")


def failure(error: BaseException, cid: str, settings: Settings, *, cancelled: bool = False) -> Fail:
    """The FAIL for an exception; the end of its traceback goes with it unless that is to stay at home."""
    type_str = CANCELLED_TYPE if cancelled else name_of(error)
    return Fail.of(type_str, _traceback_of(error) if settings.send_tracebacks else "", cid)


def shortened(detail: str) -> str:
    """A detail that may quote the other end at any length."""
    return detail if len(detail) <= _DETAIL_CHARACTERS else f"{detail[:_DETAIL_CHARACTERS]}…"


def is_clean_up(error: BaseException) -> bool:
    """Whether all of it was raised on the way out of a cancellation: the call ends as cancelled (CXL-04s)."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_clean_up(part) for part in error.exceptions)
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, trio.Cancelled):
        seen = seen.__context__
    return seen is not None


def _traceback_of(error: BaseException) -> str:
    return _encodable("".join(traceback.format_exception(error))[-TRACEBACK_CHARACTERS:])


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
