"""Target `schema`: the codec against `messages.schema.json`, in both directions.

The schema speaks of the JSON view of msgpack. It cannot say all: how many bytes a cid has, or that a tag like
`{"$bin": …}` is one. What it leaves open is left out here, and no more than that.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
from hypothesis import strategies as st

from iptc_codec import DecodeError, decode
from iptc_conformance import _specdata, tagged
from iptc_conformance.msgpack_values import Map
from iptc_fuzz.strategies import encodings
from iptc_fuzz.strategies.json_schema import generate

INVARIANTS = """What the schema generates, and its validator takes, the codec takes.
What the schema refuses, the codec refuses: the same JSON with one part changed.
Left out: what JSON cannot say, and what begins with a $ and is no tag."""


@cache
def messages_schema() -> dict[str, Any]:
    """Return the schema as it stands."""
    path = _specdata.spec_root() / f"v{_specdata.PROTOCOL_VERSION}" / "messages.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(messages_schema())


def accepts(message: Any) -> bool:
    """Tell whether the schema takes a message, given in the JSON view."""
    return _validator().is_valid(message)


def inputs() -> st.SearchStrategy[bytes]:
    """Messages that the schema generates, as JSON; some with a part of another one in them."""
    whole = generate(messages_schema())
    parts = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3), st.lists, max_leaves=3
    )
    changed = st.builds(_changed, whole, st.integers(0, 30), parts)
    return (whole | changed).map(lambda message: json.dumps(message).encode())


def _changed(message: Any, at: int, part: Any) -> Any:
    """Return a message with one part lost, replaced or added, anywhere at its first two levels."""
    if isinstance(message, list):
        place = at % (len(message) + 1)
        inner = (
            [_changed(message[place], at // 3, part)]
            if at % 3 == 2 and place < len(message)
            else [part][: at % 3]
        )
        return [*message[:place], *inner, *message[place + 1 :]]
    if isinstance(message, dict) and message:
        name = list(message)[at % len(message)]
        rest = {key: value for key, value in message.items() if key != name}
        return [
            rest,
            {**rest, name: part},
            {**message, "more": part},
            {**rest, name: _changed(message[name], at // 3, part)},
        ][at % 4]
    return part


def check(data: bytes) -> None:
    """Raise AssertionError where the codec and the schema differ."""
    try:
        message = json.loads(data)
        value = tagged.untag(message)
        body = encodings.write(value)
    except (ValueError, TypeError, RecursionError, OverflowError):
        return  # no JSON, no tag, or no value of msgpack
    if tagged.tag(value) != message or _long_cid(value):
        return  # not the view that the schema speaks of: 1.0 for 1, a tag for what needs none
    legal = accepts(message)
    try:
        decode(body)
    except DecodeError as error:
        assert not legal or error.clause in _UNSAYABLE, f"the schema takes it, the codec says {error}"
    else:
        assert legal, "the codec takes it, the schema does not"


_UNSAYABLE = {"ENC-02s", "ENC-06r", "ENC-07s", "ENC-08s"}
"""Rules for values, of which the schema asks nothing."""


def _long_cid(value: Any) -> bool:
    """Tell whether a cid has more bytes than it may, and no more characters."""
    if not isinstance(value, dict | Map):
        return False
    pairs = dict(value.items() if isinstance(value, dict) else ())
    cmd = pairs.get("cmd")
    places = [pairs.get("cid"), cmd[4] if isinstance(cmd, list) and len(cmd) > 4 else None]
    return any(isinstance(cid, str) and len(cid.encode("utf-8", "replace")) > 256 for cid in places)
