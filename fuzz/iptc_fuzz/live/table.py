"""The verbs of a live fuzzer, and the script that a list of actions makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from iptc_fuzz.live import on_calls, on_connections, on_flow, on_hellos, on_names
from iptc_fuzz.live.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptc_fuzz.live.drawing import Action

Act = Callable[[Script, int, int, int, Any], None]
"""`(script, slot, pick, choice, value)`."""


def script_of(actions: Sequence[Action]) -> Script:
    """The script that a list of actions makes."""
    script = Script()
    for slot in dict.fromkeys(action[1] for action in actions):
        script.conn(slot)
    for verb, slot, pick, choice, *value in actions:
        ACTS[verb](script, slot, pick, choice, value[0] if value else 1)
    script.finish()
    return script


ACTS: dict[str, Act] = {
    "open": on_calls.do_open,
    "await": on_calls.do_await,
    "item": on_calls.do_item,
    "end": on_calls.do_end,
    "cancel": on_calls.do_cancel,
    "fail": on_calls.do_fail,
    "late": on_calls.do_late,
    "wrong": on_calls.do_wrong,
    "reuse": on_calls.do_reuse,
    "barrier": on_calls.do_barrier,
    "together": on_calls.do_together,
    "burst": on_calls.do_burst,
    "many": on_calls.do_many,
    "flood": on_calls.do_flood,
    "refused": on_connections.do_refused,
    "notice": on_connections.do_notice,
    "close": on_connections.do_close,
    "goodbye": on_connections.do_goodbye,
    "fatal": on_connections.do_fatal,
    "same": on_connections.do_same,
    "early": on_connections.do_early,
    "hello": on_connections.do_hello,
    "again": on_connections.do_again,
    "stray": on_connections.do_stray,
    "odd": on_connections.do_odd,
    "garbage": on_connections.do_garbage,
    "noise": on_connections.do_noise,
    "deaf": on_connections.do_deaf,
    "named": on_names.do_named,
    "talk": on_names.do_talk,
    "twin": on_names.do_twin,
    "foreseen": on_names.do_foreseen,
    "hold": on_flow.do_hold,
    "pour": on_flow.do_pour,
    "feed": on_flow.do_feed,
    "choke": on_flow.do_choke,
    "crossing": on_flow.do_crossing,
    "slow": on_flow.do_slow,
    "crowd": on_flow.do_crowd,
    "visitors": on_flow.do_visitors,
    "bulk": on_flow.do_bulk,
    "largest": on_flow.do_largest,
    "silent": on_hellos.do_silent,
    "listen": on_hellos.do_listen,
    "behind": on_hellos.do_behind,
    "form": on_hellos.do_form,
    "body": on_hellos.do_body,
}
"""What each verb does."""
