"""The codec role against the reference, odd but honest codecs, and wrong ones, each found for its reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from iptc_conformance.__main__ import main

ODD = Path(__file__).with_name("odd_codec.py")


class Run:
    """One run of the role by its command line."""

    def __init__(
        self, folder: Path, bug: str | None, *arguments: str, timeout: float = 2.0, longest: int = 1 << 20
    ) -> None:
        jsonl = folder / "results.jsonl"
        command = ["--", sys.executable, str(ODD), bug] if bug else []
        options = ["--max-frame", str(longest), "--timeout", str(timeout), "--jsonl", str(jsonl)]
        self.code = main(["conform", "codec", *options, *arguments, *command])
        lines = [json.loads(line) for line in jsonl.read_text().splitlines()] if jsonl.exists() else []
        self.cases: dict[str, dict[str, Any]] = {line["case"]: line for line in lines if "case" in line}
        self.verdicts: dict[str, int] = lines[-1]["summary"]["verdicts"] if lines else {}

    def of(self, verdict: str) -> dict[str, set[str]]:
        """The cases with this verdict, and the clauses that each has broken."""
        return {
            name: {*line["failed"], *line["warned"]}
            for name, line in self.cases.items()
            if line["verdict"] == verdict
        }

    def blamed(self, verdict: str) -> set[str]:
        """All clauses that were broken with this verdict."""
        return set().union(*self.of(verdict).values())


def only(*globs: str) -> list[str]:
    return [word for glob in globs for word in ("--only", glob)]


def test_the_reference_codec_passes_every_vector(tmp_path: Path) -> None:
    run = Run(tmp_path, None)
    assert run.code == 0
    assert run.verdicts == {"pass": 724, "not-applicable": 1}  # 64 MiB, above --max-frame
    assert run.of("not-applicable").keys() == {"codec-frame-at-limit"}


def test_the_longest_legal_frame_is_sent_too(tmp_path: Path) -> None:
    run = Run(tmp_path, None, *only("codec-frame-at-limit"), longest=1 << 27)
    assert (run.code, run.verdicts) == (0, {"pass": 1})


def test_a_codec_that_knows_no_clauses_takes_part(tmp_path: Path) -> None:
    run = Run(tmp_path, "without_clauses")
    assert run.code == 0
    assert run.verdicts == {"pass": 724, "not-applicable": 1}


@pytest.mark.parametrize(
    ("bug", "verdict", "clauses"),
    [
        ("lenient_with_repeated_keys", "fail", {"ENC-03r"}),
        ("strict_with_key_order", "fail", {"ENC-09r"}),
        ("no_integers", "fail", {"ENC-11r"}),
        ("reads_another_cid", "fail", {"ENC-03r"}),
        ("no_notice", "fail", {"FRM-06r"}),
        ("fails_calls_for_all", "fail", {"ENC-01r", "CID-01r", "ROB-02r", "FRM-03r", "HSK-01r"}),
        ("lenient_with_errors", "warn", {"ERR-01r"}),
        ("no_ext", "warn", {"ENC-12r"}),
        ("closes_for_all", "warn", {"ROB-04r"}),
        ("one_clause_for_all", "warn", {"ENC-02r", "OPN-01r"}),
        ("dies_of_depth", "crash", {"ENC-06r"}),
    ],
)
def test_a_wrong_codec_is_found(tmp_path: Path, bug: str, verdict: str, clauses: set[str]) -> None:
    run = Run(tmp_path, bug)
    assert clauses <= run.blamed(verdict)
    assert run.code == (0 if verdict == "warn" else 1)
    assert run.verdicts["pass"] > 300
    assert not run.of("fail") or verdict == "fail"


def test_a_bug_costs_only_its_own_vectors(tmp_path: Path) -> None:
    run = Run(tmp_path, "lenient_with_repeated_keys")
    assert run.blamed("fail") == {"ENC-03r"}
    assert run.verdicts["fail"] == sum("ENC-03r" in line["clauses"] for line in run.cases.values())


def test_what_a_codec_cannot_say_is_unsupported_and_a_finding(tmp_path: Path) -> None:
    run = Run(tmp_path, "cannot_say_bytes")
    assert run.code == 1
    assert "codec-value-bin-empty" in run.of("unsupported")
    assert run.verdicts.keys() == {"pass", "unsupported", "not-applicable"}


def test_strict_makes_a_finding_of_a_should(tmp_path: Path) -> None:
    assert Run(tmp_path, "closes_for_all", *only("codec-enc*", "codec-key*"), "--strict").code == 1


def test_a_codec_that_dies_is_started_again_and_says_why(tmp_path: Path) -> None:
    run = Run(tmp_path, "dies_of_depth", *only("codec-nesting-*"))
    crashed = run.of("crash")
    assert "codec-nesting-100000" in crashed
    assert "codec-nesting-2" in run.of("pass")
    assert list(run.cases)[-1] in run.of("pass") | crashed
    assert all("signal 6" in run.cases[name]["detail"] for name in crashed)


def test_a_codec_that_stalls_is_given_up_in_time(tmp_path: Path) -> None:
    run = Run(tmp_path, "stalls_on_depth", *only("codec-nesting-100000", "codec-nesting-2"), timeout=0.3)
    assert run.of("hang") == {"codec-nesting-100000": {"ENC-06r"}}
    assert run.of("pass").keys() == {"codec-nesting-2"}


@pytest.mark.parametrize(
    ("bug", "verdict", "timeout"),
    [("mute", "hang", 0.2), ("leaves_at_once", "crash", 2.0), ("chatty", "fail", 2.0)],
)
def test_a_codec_of_no_use_is_not_asked_for_ever(
    tmp_path: Path, bug: str, verdict: str, timeout: float
) -> None:
    run = Run(tmp_path, bug, *only("codec-ack-*"), timeout=timeout)
    assert run.code == 1
    assert len(run.of(verdict)) >= 3  # whoever says too much is out of step, now and then
    assert len(run.of("untestable")) >= 5


def test_the_last_words_of_a_codec_are_shown(tmp_path: Path) -> None:
    run = Run(tmp_path, "leaves_at_once", *only("codec-ack-asyncfunc"))
    detail = run.cases["codec-ack-asyncfunc"]["detail"]
    assert "it ended with 3" in detail
    assert "no licence" in detail


@pytest.mark.parametrize("bug", ["nonsense", "no_ok", "ok_in_words"])
def test_an_answer_that_is_no_verdict_fails(tmp_path: Path, bug: str) -> None:
    run = Run(tmp_path, bug, *only("codec-ack-asyncfunc", "codec-goodbye"))
    assert run.verdicts == {"fail": 2}
    assert "answer" in run.cases["codec-goodbye"]["detail"]


def test_a_command_that_does_not_start_judges_nothing(tmp_path: Path) -> None:
    assert main(["conform", "codec", "--", str(tmp_path / "absent")]) == 2


def test_a_baseline_holds_a_codec_to_its_faults(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    keys = only("codec-key-*")
    written = Run(tmp_path, "lenient_with_repeated_keys", *keys, "--write-baseline", str(baseline))
    assert written.code == 0
    assert Run(tmp_path, "lenient_with_repeated_keys", *keys, "--expect", str(baseline)).code == 0
    assert Run(tmp_path, "honest", *keys, "--expect", str(baseline)).code == 1


def test_a_vector_is_shown_with_its_frame_and_the_answer(tmp_path: Path) -> None:
    run = Run(tmp_path, "lenient_with_repeated_keys", *only("codec-first-*", "codec-key-*"))
    lines = [run.cases[name] for name in run.of("fail")]
    assert all(line["role"] == "codec" for line in lines)
    assert lines
    assert all(" talking " in line["conversation"][0] for line in lines)
    assert all('"ok": true' in line["conversation"][1] for line in lines)
