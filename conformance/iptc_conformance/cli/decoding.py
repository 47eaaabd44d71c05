"""`iptc decode`: what a frame is, or which clause it violates."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from iptc_conformance import _specdata, wire
from iptc_conformance.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXIT_LEGAL = 0
EXIT_MALFORMED = 1


def decode_frames(frames: Sequence[str], *, as_json: bool) -> int:
    """Print one line per frame; 1 if any is malformed.  Raises UsageError for what is not hex."""
    streams = [" ".join(frames)] if frames else list(sys.stdin)
    judged = 0
    worst = EXIT_LEGAL
    for text in streams:
        for facts in _decode(_bytes_of(text)):
            judged += 1
            worst = max(worst, EXIT_MALFORMED if facts["clause"] else EXIT_LEGAL)
            print(json.dumps(facts, ensure_ascii=False) if as_json else _sentence(facts))
    if not judged:
        raise UsageError("no frame to decode")
    return worst


def _bytes_of(text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace("0x", "").replace(":", " ").replace(",", " "))
    except ValueError as error:
        raise UsageError(f"not hex: {text.strip()[:60]!r}") from error


def _decode(data: bytes) -> Iterable[dict[str, Any]]:
    cutter = wire.Deframer()
    for frame in cutter.feed(data):
        got = wire.classify_frame(frame)
        yield {
            "length": frame.length,
            "event": str(got.event),
            "kind": got.kind,
            "cid": got.cid,
            "clause": got.clause,
            "detail": got.detail,
            "message": None if got.message is None else repr(got.message.whole),
        }
    if cutter.pending:
        detail = f"{cutter.pending} bytes of a frame that is cut short"
        yield {
            "length": None,
            "event": None,
            "kind": None,
            "cid": None,
            "clause": "FRM-05s",
            "detail": detail,
            "message": None,
        }


def _sentence(facts: dict[str, Any]) -> str:
    if facts["clause"]:
        call = f" (cid {facts['cid']})" if facts["cid"] is not None else ""
        what = facts["event"] or "TRUNCATED"
        sentence = _specdata.clause_text(facts["clause"])
        return f"{what}{call}: {facts['clause']}: {facts['detail']}. {sentence}"
    return f"{facts['kind']}: {facts['message']}"
