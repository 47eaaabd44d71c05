"""What a raw caller sees of a serving peer: kinds of call, refusals, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from iptc_codec import Limits
from iptc_codec.peer import Exports, ServedContext, Settings
from tests.peer.peer_support import NS, UID, cancel, cmd, error, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def types(answers: list[dict[str, object]]) -> list[str]:
    """Which messages these are, failures by their type."""
    kinds = []
    for answer in answers:
        body = answer.get("error")
        kinds.append(str(body["type_str"]) if isinstance(body, dict) else next(iter(answer)))
    return kinds


async def test_unary_call() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "echo", value={"a": [1, None, b"x"]}))
        assert await raw.receive_many(2) == [
            {"functype": "asyncfunc", "cid": "c"},
            {"return": {"a": [1, None, b"x"]}, "cid": "c"},
        ]


async def test_generator() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "count", n=2))
        assert await raw.receive_many(4) == [
            {"functype": "asyncgen", "cid": "c"},
            {"yield": 0, "cid": "c"},
            {"yield": 1, "cid": "c"},
            {"stop": True, "cid": "c"},
        ]


async def test_context_with_both_directions() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "ctx_echo", first=1))
        assert await raw.receive_many(2) == [{"functype": "context", "cid": "c"}, {"started": 1, "cid": "c"}]
        await raw.send({"yield": "a", "cid": "c"}, {"yield": "b", "cid": "c"}, {"stop": True, "cid": "c"})
        assert await raw.receive_many(4) == [
            {"yield": "a", "cid": "c"},
            {"yield": "b", "cid": "c"},
            {"stop": True, "cid": "c"},
            {"return": 2, "cid": "c"},
        ]


@pytest.mark.parametrize(
    ("func", "kwargs", "expected"),
    [
        ("ctx_return", {"first": 1, "result": 2}, ["functype", "started", "return"]),
        ("ctx_push", {"first": 1, "n": 2}, ["functype", "started", "yield", "yield", "stop", "return"]),
        ("ctx_fail", {"first": 1, "message": "m"}, ["functype", "started", "FixtureError"]),
        ("ctx_fail_before_started", {"message": "m"}, ["functype", "FixtureError"]),
        ("fail", {"message": "m"}, ["functype", "FixtureError"]),
        ("count_then_fail", {"n": 1, "message": "m"}, ["functype", "yield", "FixtureError"]),
        ("cancelled_tags", {}, ["functype", "return"]),
        ("count", {"n": "x"}, ["functype", "TypeError"]),
    ],
)
async def test_sequences(func: str, kwargs: dict[str, object], expected: list[str]) -> None:
    async with serving() as raw:
        await raw.send(cmd("c", func, **kwargs))
        assert types(await raw.answers("c")) == expected
        assert await raw.barrier("b") == []


async def test_collect_waits_for_the_stop() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "ctx_collect", first=1))
        await raw.receive_many(2)
        await raw.send({"yield": 1, "cid": "c"})
        assert await raw.barrier("b") == []
        await raw.send({"yield": 2, "cid": "c"}, {"stop": True, "cid": "c"})
        assert await raw.receive_many(2) == [{"stop": True, "cid": "c"}, {"return": [1, 2], "cid": "c"}]


@pytest.mark.parametrize(
    ("ns", "func", "kwargs", "type_str"),
    [
        ("nope", "echo", {"value": 1}, "ModuleNotExposed"),
        ("", "echo", {"value": 1}, "ModuleNotExposed"),
        (NS, "nope", {}, "AttributeError"),
        (NS, "", {}, "AttributeError"),
        (NS, "__init__", {}, "AttributeError"),
        (NS, "exports", {}, "AttributeError"),
        (NS, "echo", {}, "TypeError"),
        (NS, "echo", {"value": 1, "more": 2}, "TypeError"),
        (NS, "ctx_echo", {"first": 1, "ctx": 2}, "TypeError"),
        (NS, "ctx_echo", {}, "TypeError"),
        ("self", "cancel", {}, "AttributeError"),
        ("self", "cancel_rpc_tasks", {}, "AttributeError"),
        ("self", "__class__", {}, "AttributeError"),
        ("self", "_cancel_task", {}, "TypeError"),
        ("self", "_cancel_task", {"cid": 1}, "TypeError"),
        ("self", "_cancel_task", {"cid": "x", "more": 1}, "TypeError"),
    ],
)
async def test_refused_without_ack(ns: str, func: str, kwargs: dict[str, object], type_str: str) -> None:
    async with serving() as raw:
        await raw.send(cmd("c", func, ns, **kwargs))
        assert types(await raw.barrier("b")) == [type_str]


async def test_refusals_do_not_quote_at_length() -> None:
    limits = Limits(frame_bytes=10_000)
    async with serving(limits=limits) as raw:
        for cid, opened in (
            ("a", cmd("a", "\0" * 9000)),
            ("b", cmd("b", "echo", "\0" * 9000)),
            ("c", cmd("c", "echo", NS, **{"\0" * 9000: 1})),
            ("d", cmd("d", "\0" * 9000, "self")),
        ):
            await raw.send(opened)
            assert len(str(await raw.receive())) < 1000, cid


async def test_wrong_uid_is_refused() -> None:
    async with serving() as raw:
        await raw.send({"cmd": [NS, "echo", {"value": 1}, ["raw", "u2"], "c"]})
        assert types(await raw.barrier("b")) == ["ProtocolError"]


async def test_malformed_open_is_refused() -> None:
    async with serving() as raw:
        await raw.send({"cmd": [NS, "echo", [1], UID, "c"]})
        assert types(await raw.barrier("b")) == ["ProtocolError"]


async def test_open_calls_are_bounded() -> None:
    async with serving(limits=Limits(open_calls=2)) as raw:
        await raw.send(cmd("a", "ctx_collect", first=1), cmd("b", "hang"))
        await raw.receive_many(3)
        await raw.send(cmd("c", "echo", value=1))
        assert types([await raw.receive()]) == ["ProtocolError"]
        await raw.send({"stop": True, "cid": "a"})
        assert types(await raw.receive_many(2)) == ["stop", "return"]
        assert await raw.barrier("d") == []


async def test_a_context_that_never_started_fails() -> None:
    exports = Exports()

    @exports.context("ns")
    async def forgetful(_ctx: ServedContext) -> int:
        return 1

    async with serving(exports) as raw:
        await raw.send(cmd("c", "forgetful", "ns"))
        assert types(await raw.answers("c")) == ["functype", "RuntimeError"]


async def test_misused_contexts_fail() -> None:
    exports = Exports()

    @exports.context("ns")
    async def twice(ctx: ServedContext) -> None:
        await ctx.started(1)
        await ctx.started(2)

    @exports.context("ns")
    async def early(ctx: ServedContext) -> None:
        async with ctx.stream():
            pass

    @exports.context("ns")
    async def two_streams(ctx: ServedContext) -> None:
        await ctx.started()
        async with ctx.stream():
            pass
        async with ctx.stream():
            pass

    async with serving(exports) as raw:
        await raw.send(cmd("a", "twice", "ns"))
        assert types(await raw.answers("a")) == ["functype", "started", "RuntimeError"]
        await raw.send(cmd("b", "early", "ns"))
        assert types(await raw.answers("b")) == ["functype", "RuntimeError"]
        await raw.send(cmd("c", "two_streams", "ns"))
        assert types(await raw.answers("c")) == ["functype", "started", "stop", "RuntimeError"]


async def test_a_stream_left_by_an_error_is_ended_before_the_result() -> None:
    exports = Exports()

    @exports.context("ns")
    async def recovers(ctx: ServedContext) -> int:
        await ctx.started()
        with pytest.raises(ZeroDivisionError):
            async with ctx.stream():
                raise ZeroDivisionError
        return 1

    async with serving(exports) as raw:
        await raw.send(cmd("c", "recovers", "ns"))
        assert types(await raw.answers("c")) == ["functype", "started", "stop", "return"]


async def test_unencodable_values_fail_their_call_alone() -> None:
    exports = Exports()

    @exports.function("ns")
    async def result() -> object:
        return object()

    @exports.function("ns")
    async def items() -> AsyncIterator[object]:
        yield 1
        yield object()

    @exports.context("ns")
    async def first(ctx: ServedContext) -> None:
        await ctx.started(object())

    async with serving(exports) as raw:
        for func, expected in (("result", 2), ("items", 3), ("first", 2)):
            await raw.send(cmd(func, func, "ns"))
            answers = types(await raw.answers(func))
            assert len(answers) == expected
            assert answers[-1] == "UnencodableValueError"


async def test_a_frame_too_long_fails_its_call_alone() -> None:
    async with serving(limits=Limits(frame_bytes=100)) as raw:
        exports_value = "x" * 60
        await raw.send(cmd("c", "echo", value=exports_value[:20]))
        assert types(await raw.answers("c")) == ["functype", "return"]
    exports = Exports()

    @exports.function("ns")
    async def long() -> str:
        return "x" * 1000

    async with serving(exports, limits=Limits(frame_bytes=400)) as raw:
        await raw.send(cmd("c", "long", "ns"))
        assert types(await raw.answers("c")) == ["functype", "UnencodableValueError"]


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), BaseException("x")])
async def test_whatever_is_raised_ends_one_call(raised: BaseException) -> None:
    exports = Exports()

    @exports.function("ns")
    async def bad() -> None:
        raise raised

    @exports.function("ns")
    async def bad_items() -> AsyncIterator[int]:
        yield 1
        raise raised

    @exports.function("ns")
    async def grouped() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bad)

    async with serving(exports) as raw:
        await raw.send(cmd("a", "bad", "ns"))
        assert types(await raw.answers("a")) == ["functype", type(raised).__name__]
        await raw.send(cmd("b", "grouped", "ns"))
        assert types(await raw.answers("b"))[-1].endswith("ExceptionGroup")
        await raw.send(cmd("c", "bad_items", "ns"))
        assert len(await raw.answers("c")) == 3


async def test_names_and_texts_that_cannot_stand_in_an_error() -> None:
    exports = Exports()

    class StreamOverrun(Exception):  # noqa: N818 - the name of the notice
        pass

    @exports.function("ns")
    async def bad() -> None:
        raise StreamOverrun

    @exports.function("ns")
    async def surrogate() -> None:
        raise ValueError("\ud800")

    async with serving(exports) as raw:
        await raw.send(cmd("a", "bad", "ns"))
        assert types(await raw.answers("a")) == ["functype", "StreamOverrunError"]
        await raw.send(cmd("b", "surrogate", "ns"))
        assert types(await raw.answers("b")) == ["functype", "ValueError"]


async def test_tracebacks_can_be_kept_at_home() -> None:
    for send, expected in ((True, True), (False, False)):
        async with serving(settings=Settings(send_tracebacks=send)) as raw:
            await raw.send(cmd("c", "fail", message="the message"))
            assert ("the message" in (await raw.answers("c"))[-1]["error"]["tb_str"]) is expected


async def test_generators_are_closed_when_cancelled() -> None:
    closed = trio.Event()
    exports = Exports()

    @exports.function("ns")
    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await trio.sleep(1)
        finally:
            closed.set()

    async with serving(exports) as raw:
        await raw.send(cmd("c", "endless", "ns"))
        await raw.receive_many(2)
        await raw.send(cancel("k", "c"))
        assert types(await raw.answers("c"))[-1] == "ContextCancelled"
        assert closed.is_set()


async def test_overrun_notice_of_the_caller_ends_nothing() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "ctx_echo", first=1))
        await raw.receive_many(2)
        await raw.send(error("c", "StreamOverrun"), {"yield": 1, "cid": "c"})
        assert await raw.receive() == {"yield": 1, "cid": "c"}


async def test_calls_run_side_by_side() -> None:
    async with serving() as raw:
        await raw.send(*[cmd(f"h{i}", "hang") for i in range(50)], cmd("c", "echo", value=1))
        assert (await raw.receive_many(52))[-1] == {"return": 1, "cid": "c"}


async def test_actor_cancel_only_where_allowed() -> None:
    calls: list[str] = []

    async def on_cancel() -> bool:
        calls.append("cancelled")
        return True

    async with serving(settings=Settings(on_cancel=on_cancel)) as raw:
        await raw.send(cmd("c", "cancel", "self"))
        assert await raw.receive_many(2) == [
            {"functype": "asyncfunc", "cid": "c"},
            {"return": True, "cid": "c"},
        ]
        assert calls == ["cancelled"]
        await raw.send(cmd("d", "cancel", "self", foo=1))
        assert types([await raw.receive()]) == ["AttributeError"]


async def test_sync_functions_and_forbidden_names_cannot_be_exported() -> None:
    exports = Exports()

    def sync() -> None: ...

    async def fine() -> None: ...

    with pytest.raises(TypeError):
        exports.function("ns")(sync)
    with pytest.raises(ValueError, match="cannot be exported"):
        exports.add("self", fine)
    with pytest.raises(ValueError, match="cannot be exported"):
        exports.add("ns", fine, name="__fine__")
    exports.add("ns", fine)
    with pytest.raises(ValueError, match="cannot be exported"):
        exports.add("ns", fine)
