"""Put the figures of the last `make bench` into docs/performance.md: its tables lie between marks.

A table is left as it is where its benchmark has not been run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import codec, fairness, growth, report, required, rpc
from bench.profiles import Profile
from bench.report import markdown, say
from bench.stats import Spread, number, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FUNCTIONS = 6

PAGE = report.ROOT / "docs" / "performance.md"


def _required(results: required.Results) -> str:
    return markdown(required.HEAD, [row.cells(results) for row in required.ROWS])


def _codec_mix(result: dict[str, Any]) -> str:
    rows = []
    for what, scripts in result["figures"].items():
        variants = scripts["mix of all kinds"]
        for variant, took in variants.items():
            nanoseconds = str(Spread.of([one * 1e9 for one in took]))
            rows.append([what, variant, nanoseconds, str(ratio(took, variants[codec.LIMIT]))])
    return markdown(["", "variant", "ns a message", f"/ {codec.LIMIT}"], rows)


def _codec_kinds(result: dict[str, Any]) -> str:
    figures = result["figures"]
    names = list(figures["decode"])
    rows = [[name, *(_ours(figures[what][name], codec.OURS[what]) for what in figures)] for name in names]
    return markdown(["messages", *(f"{what}: {codec.OURS[what]}" for what in figures)], rows)


def _ours(variants: dict[str, list[float]], name: str) -> str:
    return str(ratio(variants[name], variants[codec.LIMIT]))


def _by_system(result: dict[str, Any], title: str, find: Callable[[Any], list[float]]) -> str:
    figures = result["figures"]
    rows = [[name, *(_cell(find(found[name])) for found in figures.values())] for name in _systems(result)]
    return markdown([title, *(rpc.WORKLOADS[one] for one in figures)], rows)


def _cell(found: list[float]) -> str:
    return str(Spread.of(found)) if found else "-"


def _ratios(result: dict[str, Any]) -> str:
    figures = {one: found for one, found in result["figures"].items() if one != "small_batches"}
    rows = [
        [name, *(str(rpc.compared(found[rpc.OURS], found[name]) or "-") for found in figures.values())]
        for name in _systems(result)
        if name != rpc.OURS
    ]
    return markdown([f"{rpc.OURS} /", *(rpc.WORKLOADS[one] for one in figures)], rows)


def _latencies(result: dict[str, Any]) -> str:
    rows = []
    for name, measured in result["figures"]["call"].items():
        timed = [one for one in measured if "p50" in one]
        cells = (
            [str(Spread.of([one[p] * 1e6 for one in timed])) for p in ("p50", "p99")] if timed else ["-"] * 2
        )
        rows.append([name, *cells])
    return markdown(["one call at a time", "p50, µs", "p99, µs"], rows)


def _systems(result: dict[str, Any]) -> list[str]:
    return list(next(iter(result["figures"].values())))


def _growth(result: dict[str, Any]) -> str:
    parts = [f"{title}:\n\n{markdown(head, rows)}" for title, (head, rows) in growth.tables(result).items()]
    return "\n\n".join(parts)


def _on(result: dict[str, Any]) -> str:
    on = result["on"]
    where = f"{on['system']} on {on['processors']} processors, load {number(on['load'][0])} at the end"
    versions = ", ".join(f"{name} {on[name]}" for name in ("msgspec", "trio") if name in on)
    return f"{where}; Python {on['python']}, {versions}; {result['rounds']} rounds."


def _profiles(result: dict[str, Any]) -> str:
    rows = []
    for workload, ends in result["profiles"].items():
        for end, counts in ends.items():
            profile = Profile(**counts)
            top = [f"`{name.rpartition(':')[2]}` {own:.0%}" for name, own, _ in profile.top(_FUNCTIONS)]
            rows.append([rpc.WORKLOADS[workload], end, f"{profile.waiting:.0%}", ", ".join(top)])
    return markdown(["workload", "process", "waits", "of the rest, in"], rows)


def sections(results: required.Results) -> dict[str, str]:
    """The tables of every benchmark that has been run, by the name of their marks."""
    made = {"required": _required(results)}
    if result := results.get("codec"):
        made |= {"codec-mix": _codec_mix(result), "codec-kinds": _codec_kinds(result)}
    if result := results.get("rpc"):
        made |= {
            "on": _on(result),
            "rpc-rates": _by_system(result, "per second", rpc.rates),
            "rpc-ratios": _ratios(result),
            "rpc-latency": _latencies(result),
            "rpc-processor": _by_system(result, "processor µs, both ends", rpc.processor),
        }
    if result := results.get("growth"):
        made |= {"growth": _growth(result)}
    if result := results.get("fairness"):
        made |= {"fairness": markdown(fairness.HEAD, fairness.rows(result["figures"]))}
    if result := results.get("profiles"):
        made |= {"profiles": _profiles(result)}
    return made


def put(page: str, made: dict[str, str]) -> str:
    """The page with these sections. Raises `ValueError` for one that it has no marks for."""
    for name, text in made.items():
        begin, end = f"<!-- figures: {name} -->\n", "<!-- end -->"
        before, mark, rest = page.partition(begin)
        _, other_mark, after = rest.partition(end)
        if not (mark and other_mark):
            raise ValueError(f"the page has no place for the figures {name!r}")
        page = f"{before}{begin}\n{text}\n\n{end}{after}"
    return page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = report.options(__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    asked = parser.parse_args(arguments)
    made = sections(required.read(asked.out))
    asked.page.write_text(put(asked.page.read_text(), made))
    say(f"{asked.page}: {', '.join(made)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
