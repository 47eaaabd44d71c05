"""Draw docs/performance.svg from the JSON files of the benchmarks. Runs where matplotlib is."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from bench import report
from bench.rpc import DIRECT, LIMIT, OURS, WORKLOADS, rates
from bench.stats import Spread, number

_COLOURS = {OURS: "#1b6ca8", LIMIT: "#9a9a9a", DIRECT: "#c4c4c4"}
_OTHERS = ["#d98c3f", "#7aa874", "#a06cb0", "#c0504d"]
_LEFT_OUT = {"small_batches"}


def _spreads(measured):
    return {name: Spread.of(found) for name, one in measured.items() if (found := rates(one))}


def _workload(axes, title, spreads):
    names = list(reversed(spreads))
    medians = [spreads[name].median for name in names]
    errors = [
        [spreads[name].median - spreads[name].least for name in names],
        [spreads[name].most - spreads[name].median for name in names],
    ]
    others = iter(_OTHERS)
    colours = {name: _COLOURS.get(name) or next(others) for name in spreads}
    bars = axes.barh(
        names, medians, color=[colours[name] for name in names], xerr=errors, ecolor="#404040", capsize=2
    )
    axes.bar_label(bars, [number(median) for median in medians], padding=6, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(min(medians) / 2, max(medians) * 6)
    axes.set_title(title, fontsize=10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    """Draw; 0, or 1 if there is nothing to draw."""
    parser = report.options(__doc__)
    parser.add_argument("--svg", type=Path, default=report.ROOT / "docs" / "performance.svg")
    asked = parser.parse_args()
    result = report.read(asked.out, "rpc")
    if result is None:
        report.say("nothing to draw: run bench.rpc first")
        return 1
    figures = {name: one for name, one in result["figures"].items() if name not in _LEFT_OUT}
    mpl.rcParams |= {"svg.hashsalt": "iptc", "svg.fonttype": "none"}  # the same figures give the same file
    figure, grid = plt.subplots((len(figures) + 1) // 2, 2, figsize=(11, 9), layout="constrained")
    panels = list(grid.flat)
    for axes, (workload, measured) in zip(panels, figures.items(), strict=False):
        _workload(axes, WORKLOADS[workload], _spreads(measured))
    for axes in panels[len(figures) :]:
        axes.set_visible(False)
    figure.suptitle(
        "calls or items per second, logarithmic: median of the rounds, least to most", fontsize=10
    )
    figure.savefig(asked.svg, metadata={"Date": None})
    report.say(f"{asked.svg}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
