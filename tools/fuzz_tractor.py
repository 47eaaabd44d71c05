"""Name the findings of a fuzzer against tractor 0.1.0a5 by the deviations of PROTOCOL.md's appendix B.

    python tools/fuzz_tractor.py FOLDER [--keep FOLDER]

FOLDER: case files of `iptc fuzz callee`. Prints a table in Markdown: of each deviation its smallest
case, then what has no number. With `--keep` those cases are copied there, under their deviation's name.

A finding is a deviation's if one of the deviation's clauses is what was broken (spec/v1/clauses.json), or the
process ended (ROB-01r), and if what was done is what the deviation is about (`RULES`, first match).

Exit status: 0, or 1 when there are fewer than `WANTED` deviations.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parents[1]
WANTED = 10
SHORT = 110
ANY_WAY = "ROB-01r"


@dataclass(frozen=True)
class Finding:
    """A case file: the clause that it is about, what it came to, what it breaks itself, and its steps."""

    path: Path
    clause: str
    verdict: str
    breaks: frozenset[str]
    steps: tuple[dict[str, Any], ...]

    @property
    def text(self) -> str:
        """The steps as they are written."""
        return json.dumps(self.steps)

    @property
    def size(self) -> tuple[int, int]:
        """Steps, and characters."""
        return len(self.steps), len(self.text)


class Rule(NamedTuple):
    """`clauses` empty: whatever was broken, if the process ended."""

    deviation: str
    clauses: str
    about: Callable[[Finding], bool]


def _anything(_: Finding) -> bool:
    return True


def _says(pattern: str) -> Callable[[Finding], bool]:
    return lambda finding: re.search(pattern, finding.text) is not None


def _breaks(*clauses: str) -> Callable[[Finding], bool]:
    return lambda finding: bool(finding.breaks & {*clauses})


def _empty_cid(finding: Finding) -> bool:
    frames = [frame for step in finding.steps for frame in step.get("frame", ())]
    return any(frame.endswith("a0") for frame in frames) or '"cid": ""' in finding.text


RULES = (
    # The process ended, or the frame was awaited.
    Rule("D19", "", _says('"ns": "self"|a473656c66')),
    Rule("D18", "", _breaks("HSK-01s", "HSK-02s")),
    Rule("D35", "", _says("nest|9191919191")),
    Rule("D22", "", _says('"fatal"')),
    Rule("D20", "", _breaks("CID-01s")),
    Rule("D36", "FRM-03r", _breaks("FRM-03s")),
    Rule("D15", "", lambda finding: finding.breaks <= {"FRM-03s", "FRM-05s"} and '"bytes"' in finding.text),
    Rule("D16", "", _breaks("ENC-01s", "ENC-02s", "FRM-02s", "FRM-04s")),
    Rule("D17", "", _breaks("ENC-04s", "ENC-05s", "OPN-01s", "ERR-01s", "ROB-02s", "STR-05s")),
    # It went on.
    Rule("D2", "TRM-01s CXL-02r", _says('"cancel"')),
    Rule("D4", "CXL-04s", _says('"func": "count')),
    Rule("D5", "CXL-03s CXL-03r CXL-10r", lambda finding: finding.verdict != "warn"),
    Rule("D6", "CXL-06r OPN-11r", _says('"cancel"')),
    Rule("D7", "STR-03s", _anything),
    Rule("D10", "TRM-03s ERR-05s FLW-03s", _anything),
    Rule("D12", "FLW-01r FLW-06r FLW-07s OPN-11r", _anything),
    Rule("D13", "DSC-03r", _anything),
    Rule("D16", "ENC-01r ENC-02r FRM-02r FRM-04r", _anything),
    Rule("D18", "HSK-01r", _anything),
    Rule("D19", "RUN-01r RUN-04r", _anything),
    Rule("D21", "CID-01r", _empty_cid),
    Rule("D20", "CID-01r", _anything),
    Rule("D22", "ERR-04r ERR-08s", _anything),
    Rule("D23", "CID-02r", _anything),
    Rule("D24", "CID-06r TRM-07r", _anything),
    Rule("D25", "CID-05r", _anything),
    Rule("D26", "OPN-08r", _anything),
    Rule("D36", "HSK-05r", _anything),
)


def read(path: Path) -> Finding:
    """Read a case file of one case."""
    (case,) = json.loads(path.read_text(encoding="utf-8"))["cases"]
    verdict = case["title"].split()[0]
    return Finding(
        path, case["clauses"][0], verdict, frozenset(case.get("violates", ())), tuple(case["steps"])
    )


def deviation_of(finding: Finding, answered: dict[str, set[str]]) -> str | None:
    """Return the number of what was found. `answered`: the deviations of each clause."""
    for rule in RULES:
        if rule.clauses:
            fits = finding.clause in rule.clauses.split() and rule.deviation in answered[finding.clause]
        else:
            fits = (
                finding.verdict == "crash" and rule.deviation in answered[finding.clause] | answered[ANY_WAY]
            )
        if fits and rule.about(finding):
            return rule.deviation
    return None


def smallest(findings: Iterable[Finding], answered: dict[str, set[str]]) -> dict[str, Finding]:
    """Return the smallest case of each deviation, in the order of their numbers."""
    best: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda one: one.size):
        number = deviation_of(finding, answered)
        if number is not None:
            best.setdefault(number, finding)
    return dict(sorted(best.items(), key=lambda item: int(item[0][1:])))


def deviations() -> dict[str, set[str]]:
    """Return the deviations that each clause answers."""
    entries = json.loads((ROOT / "spec" / "v1" / "clauses.json").read_text(encoding="utf-8"))["clauses"]
    return {entry["id"]: set(entry["answers"]) for entry in entries}


def row(number: str, finding: Finding) -> str:
    """Return a line of the table."""
    said = finding.text[1:-1]
    said = said if len(said) <= SHORT else said[: SHORT - 1] + "…"
    broken = f"{finding.clause}, {finding.verdict}"
    return f"| {number} | {broken} | {len(finding.steps)} | `{said.replace('|', chr(92) + '|')}` |"


def main() -> int:
    """Print the table, and say whether there is enough in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    findings = [read(path) for path in sorted(options.folder.glob("*.json"))]
    answered = deviations()
    best = smallest(findings, answered)
    print("| Deviation | Clause, verdict | Steps | Case |\n| --- | --- | --- | --- |")
    for number, finding in best.items():
        print(row(number, finding))
    for finding in findings:
        if deviation_of(finding, answered) is None:
            print(row("-", finding))
    print(f"\n{len(findings)} findings, {len(best)} of the deviations D1 to D36")
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        for number, finding in best.items():
            (options.keep / f"{number}.json").write_bytes(finding.path.read_bytes())
    return 0 if len(best) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
