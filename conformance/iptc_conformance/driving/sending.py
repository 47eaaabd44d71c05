"""The steps that send, in either role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_conformance.msgpack_writer import encode
from iptc_conformance.wire import frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.session import Talk

SENDING_VERBS = (
    "open",
    "cancel",
    "item",
    "end",
    "fail",
    "overrun",
    "ack",
    "started",
    "result",
    "fatal",
    "goodbye",
    "send",
    "frame",
    "bytes",
)


def verb_of(step: Step) -> str:
    """Which of the sending verbs a step is."""
    return next(verb for verb in SENDING_VERBS if verb in step)


def is_sending(step: Step) -> bool:
    """Whether a step only sends."""
    return "do" not in step and any(verb in step for verb in SENDING_VERBS)  # an op may say `send` too


def frames_of(step: Step, session: Talk) -> list[bytes]:
    """The frames that a sending step puts on the wire."""
    make = _MAKERS[verb_of(step)]
    made = []
    for index in range(step.get("times", 1)):
        session.bindings.round = index
        made.append(make(step, session))
    return made


def conn_of(step: Step, session: Talk, default: str | None = None) -> str:
    """The connection that a step sends on, and from now on its call's; `default` if the step names none."""
    verb = verb_of(step)
    if verb == "goodbye":
        return str(step["goodbye"])
    if verb not in {"fatal", "send", "frame", "bytes"}:
        return session.home_name(step[verb], step.get("on", default))
    return str(step.get("on", default or "a"))


def do_send(step: Step, session: Talk) -> None:
    """Send what a step says."""
    session.link(conn_of(step, session)).send(frames_of(step, session))


def do_together(step: Step, session: Talk) -> None:
    """Send several steps' frames in one write, or cut into pieces of `split` bytes."""
    made: list[bytes] = []
    for part in step["together"]:
        conn_of(part, session)
        made.extend(frames_of(part, session))
    session.link(step.get("on", conn_of(step["together"][0], session))).send(made, step.get("split"))


def _open(step: Step, session: Talk) -> bytes:
    value = session.bindings.value
    other = {key: value(step[key]) for key in ("ns", "uid") if key in step}
    conn = conn_of(step, session)
    return session.open_frame(step["open"], conn, step["func"], value(step.get("kwargs", {})), **other)


def _cancel(step: Step, session: Talk) -> bytes:
    kwargs = {"cid": session.bindings.cid(step["target"])}
    return session.open_frame(step["cancel"], conn_of(step, session), "_cancel_task", kwargs, ns="self")


def _message(key: str, verb: str, *, default: Any) -> Callable[[Step, Talk], bytes]:
    def make(step: Step, session: Talk) -> bytes:
        value = session.bindings.value(step["value"]) if "value" in step else default
        return frame(encode({key: value, "cid": session.bindings.cid(step[verb])}))

    return make


def _error(step: Step, session: Talk) -> bytes:
    verb = "fail" if "fail" in step else "overrun"
    type_str = step.get("type", "ValueError") if verb == "fail" else "StreamOverrun"
    body = {"tb_str": "", "type_str": type_str}
    return frame(encode({"error": body, "cid": session.bindings.cid(step[verb])}))


def _ack(step: Step, session: Talk) -> bytes:
    return frame(
        encode(
            {"functype": session.bindings.value(step["functype"]), "cid": session.bindings.cid(step["ack"])}
        )
    )


def _fatal(step: Step, _session: Talk) -> bytes:
    return frame(encode({"error": {"tb_str": "", "type_str": step["fatal"]}}))


def _fragments(step: Step, session: Talk) -> bytes:
    parts = []
    for fragment in step["frame" if "frame" in step else "bytes"]:
        if isinstance(fragment, str):
            parts.append(bytes.fromhex(fragment))
        elif "value" in fragment:
            parts.append(encode(session.bindings.value(fragment["value"])))
        elif "text" in fragment:
            parts.append(fragment["text"].encode())
        else:
            parts.append(bytes.fromhex(fragment["repeat"]) * fragment["times"])
    return b"".join(parts)


_MAKERS: dict[str, Callable[[Step, Talk], bytes]] = {
    "open": _open,
    "cancel": _cancel,
    "item": _message("yield", "item", default=None),
    "end": _message("stop", "end", default=True),
    "fail": _error,
    "overrun": _error,
    "ack": _ack,
    "started": _message("started", "started", default=None),
    "result": _message("return", "result", default=None),
    "fatal": _fatal,
    "goodbye": lambda _step, _session: frame(b"\xc0"),
    "send": lambda step, session: frame(encode(session.bindings.value(step["send"]))),
    "frame": lambda step, session: frame(_fragments(step, session)),
    "bytes": _fragments,
}
