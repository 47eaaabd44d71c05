"""The verbs of a fuzzer of callers, and the script that a list of actions makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from iptc_fuzz.live_caller import floods, on_calls, on_connection
from iptc_fuzz.live_caller.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptc_fuzz.live.drawing import Action

Act = Callable[[Script, int, int, Any], None]
"""`(script, pick, choice, value)`."""


def script_of(actions: Sequence[Action]) -> Script:
    """The script that a list of actions makes."""
    script = Script()
    for verb, _slot, pick, choice, *value in actions:
        if not script.ended:
            ACTS[verb](script, pick, choice, value[0] if value else 1)
    script.finish()
    return script


ACTS: dict[str, Act] = {
    "ask": on_calls.do_ask,
    "answer": on_calls.do_answer,
    "item": on_calls.do_item,
    "fail": on_calls.do_fail,
    "early": on_calls.do_early,
    "again": on_calls.do_again,
    "wrong": on_calls.do_wrong,
    "kind": on_calls.do_wrong_kind,
    "late": on_calls.do_late,
    "cancel": on_calls.do_cancel,
    "together": on_calls.do_together,
    "odd": on_calls.do_odd,
    "notice": on_calls.do_notice,
    "barrier": on_connection.do_barrier,
    "stray": on_connection.do_stray,
    "open": on_connection.do_open,
    "shut": on_connection.do_shut,
    "leave": on_connection.do_leave,
    "quit": on_connection.do_quit,
    "hello": on_connection.do_hello,
    "garbage": on_connection.do_garbage,
    "flood": floods.do_flood,
}
"""What each verb does."""
