"""What the benchmarks compute from their figures, and that what they compare is alike."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bench import codec, document, fairness, profiles, report, required, rpc, tagged
from bench.memory import blocks, resident
from bench.processes import Child, ChildError, System
from bench.scripts import all_scripts
from bench.stats import Spread, number, ratio
from bench.systems import driving
from iptc_codec import Goodbye, encode

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = all_scripts()


def test_a_ratio_pairs_the_rounds() -> None:
    found = ratio([10, 40, 90], [10, 20, 30])
    assert (found.median, found.least, found.most, found.rounds) == (2, 1, 3, 3)
    assert found.noise == 0.25


def test_one_round_has_no_spread() -> None:
    assert Spread.of([5.0]) == Spread(5, 5, 5, 5, 5, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.98765, "0.988"), (999.4, "999"), (1000, "1k"), (123_456, "123k"), (1_331_000, "1.33M")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_rounds_that_a_library_has_no_figures_for_are_left_out_of_both() -> None:
    ours = [{"count": 10, "seconds": 1.0}, {"count": 20, "seconds": 1.0}]
    other: list[dict[str, float]] = [{}, {"count": 5, "seconds": 1.0}]
    compared = rpc.compared(ours, other)
    assert compared is not None
    assert (compared.median, compared.rounds) == (4, 1)
    assert rpc.compared(ours, [{}, {}]) is None


# What is compared is alike.


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_a_legal_conversation(name: str) -> None:
    script = SCRIPTS[name]
    listener, speaker = script.listener(), script.speaker()
    events = [event for chunk in script.chunks() for event in listener.events(chunk)]
    assert events == script.spoken
    assert b"".join(speaker.send(message) for message in script.spoken) == b"".join(script.chunks())


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_plain_dict_has_the_bytes_of_its_message(name: str) -> None:
    for message in SCRIPTS[name].spoken[:20]:
        make, fields = codec._plain_maker(message)
        assert msgspec.msgpack.encode(make(*fields)) == encode(message)


def test_all_untyped_variants_read_every_body() -> None:
    script = SCRIPTS["mix of all kinds"]
    read: list[Any] = []
    for chunk in script.chunks():
        codec.split(chunk, lambda body: read.append(msgspec.msgpack.decode(body)))
    assert read == [msgspec.msgpack.decode(encode(message)) for message in script.spoken]


def test_the_tagged_union_says_the_same() -> None:
    for message in SCRIPTS["mix of all kinds"].spoken:
        union = tagged.union_of(message)
        assert tagged.read(msgspec.msgpack.encode(union)) == union


def test_the_tagged_union_has_no_messages_of_a_connection() -> None:
    with pytest.raises(TypeError):
        tagged.union_of(Goodbye())


# Programs under measurement.


def test_a_measurement_grows_until_it_is_long_enough() -> None:
    counts: list[int] = []

    async def run(count: int, latencies: list[float]) -> None:
        counts.append(count)
        latencies += [0.001] * count
        if len(counts) < 3:
            return
        await asyncio.sleep(0.02)

    found = asyncio.run(driving.measure(run, 0.02))
    assert counts == sorted(set(counts))
    assert len(counts) >= 3
    assert found["count"] == counts[-1]
    assert all(count % driving.IN_FLIGHT == 0 for count in counts)
    assert found["p50"] == found["p99"] == 0.001


def test_a_wrong_answer_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="got 1, not 2"):
        driving.expect(1, 2)


def test_a_child_that_has_ended_is_said_to_have() -> None:
    child = Child(System("one", "bench.report"), "serve")
    try:
        with pytest.raises(ChildError, match="one serve has ended"):
            child.line(20)
    finally:
        child.end()
    assert child.process.returncode == 0


def test_a_child_that_says_nothing_is_not_waited_for() -> None:
    child = Child(System("one", "bench.systems.raw", options=("streams",)), "serve")
    try:
        child.line(20)
        with pytest.raises(ChildError, match="said nothing"):
            child.ask({}, 0.01)
        assert child.lost
    finally:
        child.end()
    assert child.process.returncode == 0


def test_memory_is_told() -> None:
    assert resident() > 0
    assert resident("no such process") == 0
    before = blocks()
    kept = [object() for _ in range(10_000)]
    assert 0.9 < (blocks() - before) / len(kept) < 1.1


# What was required.


def rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    assert required.main(["--out", str(folder)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {title: rest for title, *rest in cells}


def test_without_results_nothing_is_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(tmp_path, capsys)
    assert len(found) == len(required.ROWS) + 2
    assert all(found[row.title][-2] == "not measured" for row in required.ROWS)


@pytest.mark.parametrize(("ours", "verdict"), [(30, "goal"), (20, "met"), (19, "NOT MET")])
def test_more_is_better_for_rates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ours: int, verdict: str
) -> None:
    measured = {
        "iptc": [{"count": ours, "seconds": 1, "cpu": 1}],
        "tractor 0.1.0a5": [{"count": 10, "seconds": 1, "cpu": 1}],
    }
    report.write(tmp_path, "rpc", {"figures": {"call": measured}})
    found = rows(tmp_path, capsys)["one call at a time x tractor"]
    assert found[-2:] == [verdict, f"{ours / 10:g} [{ours / 10:g}-{ours / 10:g}]"]


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, "goal"), (1.1, "met"), (1.2, "NOT MET")])
def test_less_is_better_for_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ours: float, verdict: str
) -> None:
    took = {codec.LIMIT: [1.0], codec.STRICT: [ours]}
    report.write(tmp_path, "codec", {"figures": {"decode": {"mix of all kinds": took}}})
    found = rows(tmp_path, capsys)
    assert found["strict decode, inlined / msgspec untyped, mix"][-2] == verdict


@pytest.mark.parametrize(
    ("calls", "per_call", "verdict"),
    [(1_000_000, 0.2, "goal"), (1_000_000, 8.0, "NOT MET"), (1000, 0.0, "not measured")],
)
def test_kept_memory_is_held_to_what_can_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], calls: int, per_call: float, verdict: str
) -> None:
    kept = {"calls": calls, "bytes_per_call": per_call, "blocks_per_call": 0.0}
    report.write(tmp_path, "growth", {"memory_of_finished_calls": {"codec": kept}})
    assert rows(tmp_path, capsys)["kept per finished call / 1 B or 0.01 blocks"][-2] == verdict


# The page.


def results() -> required.Results:
    """One round of everything, made up."""
    one = {"count": 100, "seconds": 1.0, "cpu": 0.5, "p50": 0.001, "p99": 0.002}
    codec_times = {
        what: {"mix of all kinds": {codec.LIMIT: [1e-7], codec.STRICT: [1e-7], ours: [2e-7]}}
        for what, ours in codec.OURS.items()
    }
    kept = {"calls": 1, "blocks": 2, "bytes": 3, "blocks_per_call": 2, "bytes_per_call": 3}
    found: required.Results = {
        "codec": {"figures": codec_times},
        "rpc": {"rounds": 1, "figures": {name: {"iptc": [one], "rpyc": [{}]} for name in rpc.WORKLOADS}},
        "growth": {
            "messages_by_open_calls": {"1": [1e-6], "100000": [3e-6]},
            "memory_of_open_call": {"codec": 178.0, "peers": 8000.0},
            "memory_of_finished_calls": {"codec": kept, "peers": kept},
            "connections": {"1": {"rate": [5000.0], "bytes": [0.0]}},
        },
        "fairness": {
            "figures": {name: {"p50": [1e-4], "p99": [2e-4], "most": [3e-4]} for name in fairness.SITUATIONS}
        },
    }
    sampled = {"own": {"a.py:f": 1, "b.py:EpollIOManager.get_events": 3}, "with_callees": {"a.py:f": 1}}
    found["profiles"] = {"profiles": {"call": {"server": sampled, "driver": sampled}}}
    return {name: {"on": report.machine(), **result} for name, result in found.items()}


def test_every_table_has_its_place_on_the_page() -> None:
    page = document.PAGE.read_text()
    made = document.sections(results())
    assert len(made) == page.count("<!-- figures: ") == page.count("<!-- end -->")
    written = document.put(page, made)
    assert all(text in written for text in made.values())
    assert document.put(written, made) == written


def test_a_profile_tells_work_from_waiting() -> None:
    own = {"a.py:f": 6, "a.py:g": 2, "x/_io_epoll.py:EpollIOManager.get_events": 24}
    profile = profiles.Profile(
        own, {"a.py:f": 6, "a.py:g": 8, "x/_io_epoll.py:EpollIOManager.get_events": 24}
    )
    assert profile.waiting == 0.75
    assert profile.top(5) == [("a.py:f", 0.75, 0.75), ("a.py:g", 0.25, 1.0)]


def test_a_table_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the figures 'codec-mix'"):
        document.put("<!-- figures: codec -->\n<!-- end -->", {"codec-mix": "|"})


def test_the_page_is_written_from_the_files(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures: required -->\nold\n<!-- end -->\nafter\n")
    assert document.main(["--out", str(tmp_path), "--page", str(page)]) == 0
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "not measured" in written


def test_processor_time_is_of_both_processes() -> None:
    async def run(_count: int, _latencies: list[float]) -> None:
        sum(range(200_000))

    found = asyncio.run(driving.measure(run, 0.0, os.getpid()))
    assert found["cpu"] > 0
    assert "cpu" not in asyncio.run(driving.measure(run, 0.0))
