"""The reference codec with one bug each, chosen by the first argument, for the codec role of the suite."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from iptc_codec.verdicts import answer

if TYPE_CHECKING:
    from collections.abc import Callable

Said = dict[str, Any]

DEEP = "91" * 500


def without_clauses(said: Said, line: str) -> Said:
    """Say accept or refuse, and nothing of clauses."""
    return {name: said[name] for name in ("ok", "kind", "message") if name in said}


def lenient_with_repeated_keys(said: Said, line: str) -> Said:
    return {"ok": True, "kind": "ITEM"} if said.get("clause") == "ENC-03s" else said


def lenient_with_errors(said: Said, line: str) -> Said:
    return {"ok": True, "kind": "FAIL"} if said.get("clause") == "ERR-01s" else said


def strict_with_key_order(said: Said, line: str) -> Said:
    cid_first = said["ok"] and isinstance(said.get("message"), dict) and next(iter(said["message"])) == "cid"
    return {"ok": False, "clause": "ENC-05s"} if cid_first or "82a36369" in line else said


def no_integers(said: Said, line: str) -> Said:
    def floats(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floats(item) for key, item in value.items()}
        return {"$float": str(float(value))} if type(value) is int else value

    return {**said, "message": floats(said["message"])} if isinstance(said.get("message"), dict) else said


def no_ext(said: Said, line: str) -> Said:
    changed: Said = json.loads(json.dumps(said).replace('{"$ext": [5', '{"$ext": [6'))
    return changed


def closes_for_all(said: Said, line: str) -> Said:
    return said if said["ok"] else {**said, "reaction": "close", "cid": None}


def fails_calls_for_all(said: Said, line: str) -> Said:
    return said if said["ok"] else {**said, "reaction": "fail-call"}


def one_clause_for_all(said: Said, line: str) -> Said:
    return said if said["ok"] else {**said, "clause": "ENC-05s"}


def reads_another_cid(said: Said, line: str) -> Said:
    return {**said, "cid": "c2"} if said.get("cid") else said


def no_notice(said: Said, line: str) -> Said:
    return {**said, "kind": "FAIL"} if said.get("kind") == "OVERRUN" else said


def cannot_say_bytes(said: Said, line: str) -> Said:
    return {"unsupported": "no bytes here"} if "$bin" in json.dumps(said) else said


def dies_of_depth(said: Said, line: str) -> Said:
    if DEEP in line:
        os.abort()
    return said


def stalls_on_depth(said: Said, line: str) -> Said:
    if DEEP in line:
        time.sleep(60)
    return said


def mute(said: Said, line: str) -> Said:
    time.sleep(60)
    return said


def nonsense(said: Said, line: str) -> Said:
    print("ok!", flush=True)
    return {}


def chatty(said: Said, line: str) -> Said:
    print(json.dumps(said), flush=True)
    return said


def no_ok(said: Said, line: str) -> Said:
    return {"fine": said["ok"]}


def ok_in_words(said: Said, line: str) -> Said:
    return {**said, "ok": "yes"}


def leaves_at_once(said: Said, line: str) -> Said:
    print("no licence", file=sys.stderr)
    raise SystemExit(3)


def honest(said: Said, line: str) -> Said:
    return said


BUGS: dict[str, Callable[[Said, str], Said]] = {
    bug.__name__: bug
    for bug in (
        *(without_clauses, lenient_with_repeated_keys, lenient_with_errors, strict_with_key_order),
        *(no_integers, no_ext, closes_for_all, fails_calls_for_all, one_clause_for_all, reads_another_cid),
        *(no_notice, cannot_say_bytes, dies_of_depth, stalls_on_depth, mute, nonsense, chatty),
        *(no_ok, ok_in_words, leaves_at_once, honest),
    )
}

if __name__ == "__main__":
    for asked in sys.stdin:
        said = BUGS[sys.argv[1]](json.loads(answer(asked)), asked)
        if said:
            print(json.dumps(said), flush=True)
