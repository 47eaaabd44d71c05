"""The codec beside msgspec on plain values, and beside other msgpack libraries.

All variants of a figure take turns: as many passes over a script as take msgspec a millisecond. A round's
figure is the median turn. The garbage collector runs only between them, and what it takes out of the caches
is paid for by the first pass of a turn: a single one would be mostly that.

decode: chunks of whole frames, about 64 KiB each, are cut into bodies and every body is decoded. `strict` is
the codec's own reading, inline as in its reader; `Connection.batches` holds every message to the call table
as well. The others cut by the loop in `split`.
encode: the message is made and becomes a length and a body. `strict` is the codec's own writing, with a look
at what may not be said; `Connection.parts` holds it to the call table as well.
body: the same without frames and conversation, on what was made or cut before: `encode` and `decode` alone.
"""

from __future__ import annotations

import gc
import importlib
import random
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any

import msgspec

from bench import report, tagged
from bench.report import say
from bench.scripts import all_scripts
from bench.stats import Spread, ratio
from iptc_codec import Open, decode, encode
from iptc_codec._readers import (
    AT_ONCE,
    COMMAND,
    ERROR,
    OF_ERROR,
    OF_STOP,
    ONE_ENTRY,
    STOP,
    TRUE,
    TWO_ENTRIES,
    read_end,
    read_fail,
    read_open,
)
from iptc_codec._runs import LEAST, SMALL, peek  # what the reader has inline has no public name
from iptc_codec._writers import WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.scripts import Script
    from iptc_codec import Message

Pass = Callable[[], object]
Variants = dict[str, Callable[[], Pass]]
"""By name: prepares a pass over the script, off the clock; calling what that returns is timed."""

LIMIT, AGAIN = "msgspec untyped", "msgspec untyped, again"
STRICT = "strict"
"""Every check of the bytes or of what is to be said, and no conversation."""
OURS = {
    "decode": "Connection.batches",
    "encode": "Connection.parts",
    "decode body": "decode",
    "encode body": "encode",
}

_TURNS = 5
"""So many of each variant at least, however short a round is to be."""

_TURN_SECONDS = 0.001

_length_at = Struct("<I").unpack_from
_length = Struct("<I").pack
_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder().decode


def split(chunk: bytes, read: Callable[[bytes | memoryview], object]) -> None:
    """Cut a chunk into its bodies and read each: what a reader does that trusts the other side."""
    view = memoryview(chunk)
    at, end = 0, len(view)
    last = end - 4
    while at <= last:
        (length,) = _length_at(chunk, at)
        after = (start := at + 4) + length
        if after > end:
            break
        read((chunk if length < SMALL else view)[start:after])
        at = after


def split_untyped(chunks: list[bytes]) -> None:
    """The same for all chunks, with msgspec's untyped decoder inline: the limit."""
    length_at, read, small = _length_at, _read, SMALL
    for chunk in chunks:
        view = memoryview(chunk)
        at, end = 0, len(view)
        last = end - 4
        while at <= last:
            (length,) = length_at(chunk, at)
            after = (start := at + 4) + length
            if after > end:
                break
            read((chunk if length < small else view)[start:after])
            at = after


def split_strict(chunks: list[bytes]) -> None:
    """The same with the codec's readers, as `Connection.batches` has them inline."""
    peek_at, at_once, two, small = peek, AT_ONCE, TWO_ENTRIES, SMALL
    for chunk in chunks:
        view = memoryview(chunk)
        at, end = 0, len(view)
        last = end - LEAST
        while at <= last:
            length, header, letter = peek_at(chunk, at)
            after = (start := at + 4) + length
            if after > end:
                break
            if header == two:
                if (read := at_once[letter]) is None:
                    if letter == STOP and chunk[start + OF_STOP] == TRUE:
                        read = read_end
                    elif letter == ERROR and chunk[start + OF_ERROR] == two:
                        read = read_fail
                    else:
                        break
            elif header == ONE_ENTRY and letter == COMMAND:
                read = read_open
            else:
                break
            read((chunk if length < small else view)[start:after])
            at = after


def libraries() -> dict[str, tuple[Callable[[Any], bytes], Callable[[Any], Any]]]:
    """How the other msgpack libraries that are installed write and read."""
    names = {"msgpack-python": "msgpack", "ormsgpack": "ormsgpack"}
    found = {}
    for name, module in names.items():
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        found[name] = library.packb, library.unpackb
    return found


def decoders(script: Script) -> Variants:
    """Everything that decodes the script's chunks."""
    chunks = script.chunks()

    def ours() -> Pass:
        conn = script.listener()

        def run() -> None:
            for chunk in chunks:
                for _event in conn.batches(chunk):
                    pass

        return run

    def by(read: Callable[[Any], object], bytes_of: list[bytes]) -> Callable[[], Pass]:
        def run() -> None:
            for chunk in bytes_of:
                split(chunk, read)

        return lambda: run

    return {
        LIMIT: lambda: lambda: split_untyped(chunks),
        STRICT: lambda: lambda: split_strict(chunks),
        OURS["decode"]: ours,
        AGAIN: lambda: lambda: split_untyped(chunks),
        "msgspec untyped, called": by(_read, chunks),
        "msgspec tagged union, called": by(tagged.read, tagged.chunks(script)),
        **{f"{name}, called": by(read, chunks) for name, (_, read) in libraries().items()},
    }


def encoders(script: Script) -> Variants:
    """Everything that encodes the script's messages; each is made anew, as an application has to."""
    makers = [_maker(message) for message in script.spoken]
    plain = [_plain_maker(message) for message in script.spoken]
    unions = [_maker(tagged.union_of(message)) for message in script.spoken]

    def ours() -> Pass:
        parts = script.speaker().parts

        def run() -> None:
            for kind, fields in makers:
                parts(kind(*fields))

        return run

    def by(write: Callable[[Any], bytes]) -> Callable[[], Pass]:
        def run() -> None:
            for make, fields in plain:
                body = write(make(*fields))
                _framed(body)

        return lambda: run

    def union() -> None:
        for kind, fields in unions:
            _framed(_write(kind(*fields)))

    return {
        LIMIT: by(_write),
        STRICT: lambda: partial(_write_strictly, makers),
        OURS["encode"]: ours,
        AGAIN: by(_write),
        "msgspec tagged union": lambda: union,
        **{name: by(write) for name, (write, _) in libraries().items()},
    }


def _write_strictly(makers: list[tuple[Any, tuple[Any, ...]]]) -> None:
    for kind, fields in makers:
        body = WRITERS[kind](kind(*fields))
        if body is None:
            raise ValueError(kind)
        _framed(body)


def _framed(body: bytes) -> tuple[bytes, bytes]:
    return _length(len(body)), body


def _maker(message: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return type(message), msgspec.structs.astuple(message)


def _plain_maker(message: Message) -> tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]:
    """How to make a message as a dict, and of what; the command of an OPEN is a tuple."""
    (first, value), *rest = _read(encode(message)).items()
    if isinstance(message, Open):
        return lambda cmd: {"cmd": cmd}, (tuple(value),)
    ((_, cid),) = rest
    return {
        "functype": lambda value, cid: {"functype": value, "cid": cid},
        "started": lambda value, cid: {"started": value, "cid": cid},
        "yield": lambda value, cid: {"yield": value, "cid": cid},
        "stop": lambda value, cid: {"stop": value, "cid": cid},
        "return": lambda value, cid: {"return": value, "cid": cid},
        "error": lambda value, cid: {"error": value, "cid": cid},
    }[first], (value, cid)


def body_decoders(script: Script) -> Variants:
    """Decoders that are called for bodies cut before."""
    bodies = [encode(message) for message in script.spoken]

    def by(read: Callable[[Any], object]) -> Callable[[], Pass]:
        def run() -> None:
            for body in bodies:
                read(body)

        return lambda: run

    return {LIMIT: by(_read), OURS["decode body"]: by(decode), AGAIN: by(_read)}


def body_encoders(script: Script) -> Variants:
    """Encoders that are called for messages made before."""
    plain = [make(*fields) for make, fields in map(_plain_maker, script.spoken)]

    def by(write: Callable[[Any], object], messages: Iterable[Any]) -> Callable[[], Pass]:
        def run() -> None:
            for message in messages:
                write(message)

        return lambda: run

    return {
        LIMIT: by(_write, plain),
        OURS["encode body"]: by(encode, script.spoken),
        AGAIN: by(_write, plain),
    }


WHAT: dict[str, Callable[[Script], Variants]] = {
    "decode": decoders,
    "encode": encoders,
    "decode body": body_decoders,
    "encode body": body_encoders,
}


def race(variants: Variants, seconds: float, turn: int, passes: int = 1) -> dict[str, float]:
    """One round: every variant in turn until about `seconds` for each are over; median seconds of a pass.

    Seconds of the processor, so that it does not matter who else has it meanwhile. A turn is of so many
    passes. They are shuffled, as a turn pays for what the one before it has left in the caches.
    """
    names, order = list(variants), random.Random(turn)  # noqa: S311  (no secret)
    times: dict[str, list[float]] = {name: [] for name in names}
    until = time.perf_counter() + seconds * len(names)
    gc.collect()
    gc.freeze()  # so that to collect what a turn leaves behind is quick
    gc.disable()
    try:
        while len(times[names[0]]) < _TURNS or time.perf_counter() < until:
            order.shuffle(names)
            for name in names:
                times[name].append(_timed(variants[name], passes))
                gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: statistics.median(turns) for name, turns in times.items()}


def _timed(prepare: Callable[[], Pass], passes: int) -> float:
    """Seconds of a pass, without what has to be prepared for it."""
    took = 0.0
    for _ in range(passes):
        run = prepare()
        start = time.thread_time()
        run()
        took += time.thread_time() - start
    return took / passes


def _passes(variants: Variants) -> int:
    """How many make a turn."""
    quickest = min(_timed(variants[LIMIT], 1) for _ in range(_TURNS))
    return max(1, round(_TURN_SECONDS / quickest))


Figures = dict[str, dict[str, dict[str, list[float]]]]
"""By what, script and variant: seconds a message, one figure a round."""


def measure(scripts: dict[str, Script], rounds: int, seconds: float) -> Figures:
    """Every variant of everything."""
    figures: Figures = {what: {name: {} for name in scripts} for what in WHAT}
    prepared = {
        (what, name): variants(script) for what, variants in WHAT.items() for name, script in scripts.items()
    }
    passes = {key: _passes(variants) for key, variants in prepared.items()}
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        for (what, name), variants in prepared.items():
            for variant, took in race(variants, seconds, turn, passes[what, name]).items():
                per_message = took / len(scripts[name].spoken)
                figures[what][name].setdefault(variant, []).append(per_message)
    return figures


def summary(figures: Figures) -> None:
    """Print nanoseconds a message, and ratios to the limit."""
    for what, scripts in figures.items():
        say(f"\n{what}: ns a message, median [least-most]; ratio to {LIMIT} of the same round")
        rows = []
        for name, variants in scripts.items():
            for variant, took in variants.items():
                cells = [name, variant, str(Spread.of([one * 1e9 for one in took]))]
                rows.append([*cells, str(ratio(took, variants[LIMIT]))])
        report.table(["messages", "variant", "ns", "ratio"], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = report.timing(__doc__, rounds=9, seconds=0.01)
    scripts = all_scripts()
    parser.add_argument("--messages", action="append", choices=list(scripts), help="only these; repeatable")
    asked = parser.parse_args(arguments)
    chosen = {name: scripts[name] for name in asked.messages or scripts}
    figures = measure(chosen, asked.rounds, asked.seconds)
    summary(figures)
    result = {"rounds": asked.rounds, "seconds": asked.seconds, "figures": figures}
    say(f"\n{report.write(asked.out, 'codec', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
