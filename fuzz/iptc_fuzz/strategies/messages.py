"""Messages as plain values, and as legal frames in every form that a peer has to accept."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from iptc_conformance.msgpack_values import Map
from iptc_fuzz.strategies import encodings
from iptc_fuzz.strategies.values import nested, texts, values
from iptc_fuzz.traffic import frame

FUNCTYPES = ("asyncfunc", "asyncgen", "context")
UIDS = {"initiator": ("alice", "a1"), "acceptor": ("bob", "b1")}
"""Who the two sides are in everything that is drawn here."""

KINDS = ("HELLO", "OPEN", "ACK", "STARTED", "ITEM", "END", "RESULT", "FAIL", "OVERRUN", "FATAL", "GOODBYE")


def cids() -> st.SearchStrategy[str]:
    """Legal cids: few short ones mostly, so that they meet; the longest that there is, and odd ones."""
    few = st.sampled_from(("c1", "c2", "c3"))
    odd = st.sampled_from(("x" * 31, "x" * 32, "x" * 64, "x" * 65, "x" * 256, "é" * 128, "\0", "𝄞"))
    return few | few | odd | st.text(min_size=1, max_size=8)


def uids() -> st.SearchStrategy[tuple[str, str]]:
    """Names and uuids that a hello can say."""
    return st.sampled_from(tuple(UIDS.values())) | st.tuples(st.text(min_size=1), st.text(min_size=1))


def errors() -> st.SearchStrategy[dict[str, str]]:
    """Bodies of errors; the type of the notice among them."""
    kinds = st.sampled_from(("ValueError", "ContextCancelled", "ProtocolError")) | texts()
    return st.fixed_dictionaries({"tb_str": texts(), "type_str": kinds})


def commands(
    cid: st.SearchStrategy[str], uid: st.SearchStrategy[tuple[str, str]], value: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[Any]]:
    """What an OPEN holds: calls, and CANCELs with right and with odd kwargs."""
    kwargs = st.dictionaries(texts(), value, max_size=3)
    calls = st.tuples(texts(), texts(), kwargs, uid, cid)
    targets = st.fixed_dictionaries({"cid": cids() | value}) | kwargs
    cancels = st.tuples(st.just("self"), st.just("_cancel_task"), targets, uid, cid)
    return st.one_of(calls, cancels).map(lambda parts: [*parts[:3], [*parts[3]], parts[4]])


def messages(
    kinds: tuple[str, ...] = KINDS,
    *,
    cid: st.SearchStrategy[str] | None = None,
    uid: st.SearchStrategy[tuple[str, str]] | None = None,
    value: st.SearchStrategy[Any] | None = None,
) -> st.SearchStrategy[Any]:
    """Legal messages of these kinds, as plain values: nil, a list, or a dict whose cid stands last."""
    some_cid, some_uid = cid or cids(), uid or uids()
    some_value = value or (values() | nested())
    overrun = st.fixed_dictionaries({"tb_str": texts(), "type_str": st.just("StreamOverrun")})
    failure = errors().filter(lambda error: error["type_str"] != "StreamOverrun")
    shapes: dict[str, st.SearchStrategy[Any]] = {
        "HELLO": st.builds(lambda who, extra: [*who, *extra], some_uid, st.lists(some_value, max_size=2)),
        "OPEN": st.builds(lambda cmd: {"cmd": cmd}, commands(some_cid, some_uid, some_value)),
        "ACK": _about("functype", st.sampled_from(FUNCTYPES), some_cid),
        "STARTED": _about("started", some_value, some_cid),
        "ITEM": _about("yield", some_value, some_cid),
        "END": _about("stop", st.just(value=True), some_cid),
        "RESULT": _about("return", some_value, some_cid),
        "FAIL": _about("error", failure, some_cid),
        "OVERRUN": _about("error", overrun, some_cid),
        "FATAL": st.builds(lambda error: {"error": error}, errors()),
        "GOODBYE": st.none(),
    }
    return st.one_of([shapes[kind] for kind in kinds])


def _about(
    name: str, value: st.SearchStrategy[Any], cid: st.SearchStrategy[str]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda told, whose: {name: told, "cid": whose}, value, cid)


def turned(message: Any, order: int) -> Any:
    """Return a message with its keys in another order (ENC-09r), those of an error's body too."""
    if not isinstance(message, dict):
        return message
    pairs = [(key, turned(value, order >> 1) if key == "error" else value) for key, value in message.items()]
    return Map(tuple(pairs[::-1] if order & 1 else pairs))


def bodies(message: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[bytes]:
    """Legal bodies: any message, its keys in any order, in any legal form of msgpack."""
    any_order = st.builds(turned, messages() if message is None else message, st.integers(0, 3))
    return encodings.bodies(any_order)


def frames(message: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[bytes]:
    """Legal frames: bodies with their length before them."""
    return bodies(message).map(frame)
