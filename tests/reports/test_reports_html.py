"""The page: complete, bounded, and safe whatever a peer has sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from iptc_conformance.cases.match import Inbound
from iptc_conformance.driving.expecting import unlike
from iptc_conformance.driving.recorder import Recorder
from iptc_conformance.driving.result import Draft
from iptc_conformance.driving.verdict import take_failure
from iptc_conformance.reporting.html import page
from iptc_conformance.reporting.html.talk import Budget, rows_of
from tests.reports.reports_support import (
    CID,
    HOSTILE,
    baseline_of,
    case_of,
    every_verdict,
    framed,
    result_of,
    run_of,
    summary_of,
    talk,
)

PAGE_BYTES = 5_000_000


class Read(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script" and data.strip():
            self.scripts[-1] += data

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]

    def data(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.scripts[0])
        return loaded


def hostile_page() -> str:
    recorder = talk(HOSTILE)
    recorder.frame("a", "acceptor", framed({"return": 1, "cid": HOSTILE}))
    recorder.failed("STR-03s", HOSTILE)
    results = [
        result_of(case_of("bad"), "fail", recorder, detail=HOSTILE),
        result_of(case_of("text"), "fail", None, detail=HOSTILE, conversation=(HOSTILE,)),
    ]
    summary = summary_of(results, missing={HOSTILE: HOSTILE})
    return page(summary, baseline_of(), run_of(peer=HOSTILE, command=HOSTILE))


def test_nothing_that_a_peer_sends_becomes_markup() -> None:
    """Elements are those of a page whose peer is tame: none was added, and no script ended early."""
    read = Read(hostile_page())
    tags = [tag for tag, _ in read.elements]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    assert read.scripts[1].rstrip().endswith("})();")
    assert "alert(1)" in json.dumps(read.data())
    assert not set("<>&") & set(read.scripts[0]), "nor half an element, nor a comment"


def test_control_characters_are_written_as_escapes() -> None:
    text = hostile_page()
    assert not re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2066-\u2069]", text)
    assert "\\x1b[31m" in text
    assert "\\u202e" in text


def test_lone_surrogates_do_not_stop_the_page() -> None:
    text = page(summary_of([result_of(case_of("one"), "fail", detail="\ud800")]), baseline_of(), run_of())
    assert "\\ud800" in text.encode().decode()


def test_the_policy_allows_the_two_inlined_files_and_nothing_else() -> None:
    text = page(summary_of(every_verdict()), baseline_of(), run_of())
    read = Read(text)
    policy = next(at["content"] for tag, at in read.elements if tag == "meta" and "http-equiv" in at)
    script = text.rsplit("<script>", 1)[1].split("</script>", 1)[0]
    style = text.split("<style>", 1)[1].split("</style>", 1)[0]
    for kind, content in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in (policy or "")
    assert "default-src 'none'" in (policy or "")
    outside = [
        at
        for _, at in read.elements
        if at.get("src") or not (at.get("href") or "#").startswith(("#", "data:"))
    ]
    assert outside == []
    assert not [at for _, at in read.elements if "style" in at]


def test_every_case_is_in_the_page_once_with_its_verdict_and_conversation() -> None:
    results = every_verdict()
    read = Read(page(summary_of(results), baseline_of(), run_of()))
    ids = read.ids()
    assert len(ids) == len(set(ids))
    shown = {at["id"]: at["data-v"] for tag, at in read.elements if tag == "details" and "data-v" in at}
    assert shown == {f"case-{result.case.id}": result.verdict for result in results}
    assert set(read.data()["cases"]) == {result.case.id for result in results}


def test_new_known_and_stale_stand_apart() -> None:
    results = [
        result_of(case_of("is-new"), "fail"),
        result_of(case_of("is-known"), "fail"),
        result_of(case_of("is-mended"), "pass"),
    ]
    baseline = baseline_of(is_known="fail", is_mended="fail", is_gone="fail")
    text = page(summary_of(results, baseline), baseline, run_of())
    assert text.index('id="part-new"') < text.index('id="case-is-new"') < text.index('id="part-known"')
    assert text.index('id="part-known"') < text.index('id="case-is-known"') < text.index('id="part-passed"')
    stale = text.split('id="stale"', 1)[1].split("</section>", 1)[0]
    assert "is-mended" in stale
    assert "is-gone" in stale
    assert "is-known" not in stale
    assert "1 new failure, 2 entries of the baseline out of date" in text


def test_five_hundred_cases_of_a_peer_that_never_stops_fit_into_the_page() -> None:
    """The longest conversations that a recorder keeps, of the longest messages that are kept."""
    recorder = Recorder()
    for at in range(300):  # each of another call, so that nothing can be folded
        recorder.frame("a", "acceptor", framed({"yield": "x" * 3000, "cid": f"{at}-{'c' * 200}"}))
    flooded = result_of(case_of("case"), "fail", recorder, detail="y" * 100_000)
    results = [replace(flooded, case=case_of(f"case-{number}")) for number in range(500)]
    text = page(summary_of(results), baseline_of(), run_of())
    assert len(text.encode()) < PAGE_BYTES
    cases = Read(text).data()["cases"]
    assert len(cases) == 500
    assert len(cases["case-0"]["talk"]) > 100
    assert cases["case-499"]["talk"] == [{"cut": 300, "full": True}]


def rows(recorder: Recorder) -> list[dict[str, Any]]:
    return rows_of(result_of(case_of("one"), "fail", recorder), Budget(1_000_000))


def test_bytes_are_cut_and_their_number_is_kept() -> None:
    frame = framed({"yield": "x" * 5000, "cid": CID})
    recorder = Recorder()
    recorder.frame("a", "acceptor", frame)
    (row,) = rows(recorder)
    assert base64.b64decode(row["b"]) == frame[:512]
    assert row["n"] == len(frame)
    assert len(row["v"]) < 300


def test_a_flood_is_folded_and_counted() -> None:
    shown = rows(talk(*range(100)))
    assert [row["fold"] for row in shown if "fold" in row] == [96]
    assert len(shown) < 15


def test_a_violation_in_a_flood_stays_in_sight() -> None:
    recorder = talk()
    for _ in range(50):
        recorder.frame("a", "acceptor", framed({"yield": 1, "cid": CID}))
    flagged = [row for row in rows(recorder) if "f" in row]
    assert len(flagged) == len({finding.seq for finding in recorder.findings}) > 1


def test_what_the_recorder_left_out_is_counted_in() -> None:
    recorder = Recorder()
    for number in range(2000):
        recorder.frame("a", "acceptor", framed({"yield": 1, "cid": str(number)}))
    shown = rows(recorder)
    (cut,) = (row["cut"] for row in shown if "cut" in row)
    assert cut + len(shown) - 1 == 2000


def test_the_place_of_a_failure_is_a_row_of_its_own() -> None:
    recorder = talk()
    recorder.failed("STR-06s", "nothing came", at=3)
    assert rows(recorder)[-1] == {"x": "nothing came", "cl": "STR-06s", "at": 3}


@pytest.mark.parametrize(
    ("verdicts", "expected", "exit_code"),
    [
        (["pass"], "Nothing to fix: the one case passed.", 0),
        (["pass", "pass"], "Nothing to fix: all 2 cases passed.", 0),
        (["pass", "warn"], "Nothing that counts: 1 of 2 cases passed, none broke a MUST.", 0),
        (["pass", "fail"], "1 new failure. 1 of 2 cases passed.", 1),
        (["untestable"], "Nothing was judged: no case could ask this peer anything.", 2),
        (["harness-fault"], "A fault of the suite itself in 1 case: please report it.", 3),
    ],
)
def test_the_outcome_in_one_sentence(verdicts: list[str], expected: str, exit_code: int) -> None:
    summary = summary_of([result_of(case_of(f"c{at}"), verdict) for at, verdict in enumerate(verdicts)])
    assert summary.exit_code == exit_code
    assert expected in page(summary, baseline_of(), run_of())


def test_a_message_that_was_not_expected_is_marked_at_its_place() -> None:
    recorder, draft = talk(1), Draft()
    wrong = Inbound("item", CID, 1, seq=5)
    take_failure(unlike(wrong, "END", {}), case_of("one"), recorder, draft)
    assert draft.failed == ["STR-03s"]
    assert rows(recorder)[-1]["at"] == 5
