"""The page: one self-contained file that opens from disk and asks no network for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from iptc_conformance import _specdata
from iptc_conformance.driving.result import VERDICTS
from iptc_conformance.reporting.grouping import what_to_fix
from iptc_conformance.reporting.html.matrix import matrix
from iptc_conformance.reporting.html.talk import Budget, rows_of
from iptc_conformance.reporting.words import (
    LETTERS,
    area_name,
    clean,
    counted,
    level,
    outcome,
    sentence,
    shortened,
)

if TYPE_CHECKING:
    from pathlib import Path

    from iptc_conformance.driving.result import Result
    from iptc_conformance.reporting.baseline import Baseline, Entry
    from iptc_conformance.reporting.run import Run
    from iptc_conformance.reporting.summary import Summary

PAGE_CHARS = 3_000_000
"""How much all conversations of a page may take: the page stays below 5 MB whatever the peer has sent."""
_DETAIL_CHARS = 1500
_PARTS = (
    ("new", "New failures", "not expected by any baseline"),
    ("known", "Known failures", "as the baseline says"),
    ("warned", "Warnings", "a SHOULD is not kept"),
    ("unjudged", "Not judged", "the peer could not be asked"),
    ("passed", "Passed", ""),
)


@dataclass(frozen=True, slots=True)
class View:
    """One case as the page shows it."""

    result: Result
    standing: str
    stale: bool
    entry: Entry | None
    again: str

    @property
    def detail(self) -> str:
        """What happened."""
        return shortened(clean(self.result.detail), _DETAIL_CHARS)

    @property
    def level(self) -> str:
        """The level that counts here: of the clause that is broken, else of the case."""
        broken = next(iter((*self.result.failed, *self.result.warned)), None)
        return (level(broken) if broken else "") or self.result.case.level


def write_html(path: Path, summary: Summary, baseline: Baseline, run: Run) -> None:
    """Write the page.  Raises OSError."""
    path.write_text(page(summary, baseline, run), encoding="utf-8")


def page(summary: Summary, baseline: Baseline, run: Run, *, budget: int = PAGE_CHARS) -> str:
    """The page of a run. `budget`: how many characters its conversations may take in all."""
    views = _views(summary, baseline, run)
    parts = [
        (key, title, about, [view for view in views if view.standing == key]) for key, title, about in _PARTS
    ]
    style, script = _asset("page.css"), _asset("page.js")
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            run=run,
            summary=summary,
            outcome=outcome(summary),
            tone=_tone(summary),
            verdicts=list(summary.verdicts.items()),
            groups=what_to_fix(summary, baseline),
            matrix=matrix(summary),
            parts=[part for part in parts if part[3]],
            stale=_stale(summary, baseline),
            areas=list(dict.fromkeys(view.result.case.area for view in views)),
            roles=list(dict.fromkeys(view.result.case.role for view in views)),
            levels=list(dict.fromkeys(view.level for view in views)),
            data=_script_safe(_data(views, Budget(budget))),
            style=style,
            script=script,
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
        )
    )


def _views(summary: Summary, baseline: Baseline, run: Run) -> list[View]:
    new = {result.case.id for result in summary.new}
    known = {result.case.id for result in summary.known}
    stale = set(summary.stale)
    order = {verdict: at for at, verdict in enumerate(_BY_URGENCY)}

    def standing(result: Result) -> str:
        if result.case.id in new:
            return "new"
        if result.case.id in known:
            return "known"
        return {"pass": "passed", "warn": "warned"}.get(result.verdict, "unjudged")

    ranked = sorted(summary.results, key=lambda result: (order[result.verdict], result.case.id))
    return [
        View(
            result,
            standing(result),
            result.case.id in stale,
            baseline.entries.get(result.case.id),
            clean(run.rerun(result.case.id)),
        )
        for result in ranked
    ]


_BY_URGENCY = (
    "harness-fault",
    "crash",
    "hang",
    "fail",
    *(v for v in VERDICTS if v not in {"harness-fault", "crash", "hang", "fail"}),
)


def _tone(summary: Summary) -> str:
    """How the head of the page looks: good, calm (known failures only), or bad."""
    if summary.exit_code:
        return "bad"
    return "known" if summary.known else "good"


def _stale(summary: Summary, baseline: Baseline) -> list[tuple[str, str, bool]]:
    """Stale entries: the case, what the baseline says of it, and whether it ran."""
    ran = {result.case.id for result in summary.results}
    return [
        (case, baseline.entries[case].reason if case in baseline.entries else "", case in ran)
        for case in summary.stale
    ]


def _data(views: list[View], budget: Budget) -> dict[str, Any]:
    """What the script draws from: clauses, and by case its clauses and its conversation."""
    cases = {view.result.case.id: _case(view, budget) for view in views}
    named = {clause for case in cases.values() for clause in (*case["cl"], *case["vi"])}
    clauses = {
        clause["id"]: {"l": clause["level"], "t": clause["text"], "w": clause.get("rationale") or ""}
        for clause in _specdata.clauses().values()
        if clause["id"] in named
    }
    return {"clauses": clauses, "cases": cases}


def _case(view: View, budget: Budget) -> dict[str, Any]:
    result = view.result
    return {
        "cl": list(result.clauses),
        "fl": list(result.failed),
        "wl": list(result.warned),
        "vi": list(result.case.violates),
        "suite": 1 if result.case.role == "caller" else 0,
        "talk": rows_of(result, budget)
        if result.lines
        else [clean(text) for text in result.conversation[:60]],
    }


def _script_safe(data: dict[str, Any]) -> str:
    """JSON that ends no script element and holds no character that is special in HTML."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(LETTERS=LETTERS)
    environment.filters.update(
        clean=clean, counted=counted, sentence=sentence, level=level, area_name=area_name
    )
    return environment
