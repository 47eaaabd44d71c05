"""Each benchmark, alone and in its quickest form, yields figures. What they are is nobody's business here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOUND = 120


def figures(script: str, folder: Path, *options: str) -> Any:
    """Run a script as its users do; what its JSON file says."""
    command = [sys.executable, "-m", f"bench.{script}", "--rounds", "1", "--out", str(folder), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BOUND)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return json.loads((folder / f"{script}.json").read_text())


def test_codec_times_every_variant(tmp_path: Path) -> None:
    found = figures("codec", tmp_path, "--seconds", "0.0001")["figures"]
    assert set(found) == {"decode", "encode", "decode body", "encode body"}
    ours = {"decode": "Connection.batches", "encode": "Connection.parts"}
    for what, scripts in found.items():
        assert len(scripts) == 11
        for variants in scripts.values():
            assert {"msgspec untyped", ours.get(what, what.removesuffix(" body"))} <= set(variants)
            assert all(took > 0 for rounds in variants.values() for took in rounds)


def test_rpc_runs_every_workload_on_the_reference_peer_and_at_the_limit(tmp_path: Path) -> None:
    systems = ["iptc", "raw trio", "raw trio, direct"]
    chosen = [part for system in systems for part in ("--system", system)]
    found = figures("rpc", tmp_path, "--seconds", "0.01", *chosen)["figures"]
    assert len(found) == 7
    for workload, measured in found.items():
        assert list(measured) == systems
        assert all(one["count"] > 0 and one["seconds"] > 0 for one in measured["iptc"])
        assert all(bool(one) == (workload != "small_batches") for one in measured["raw trio"])
    assert 0 < found["call"]["iptc"][0]["p50"] <= found["call"]["iptc"][0]["p99"]


def test_growth_measures_cost_memory_and_connections(tmp_path: Path) -> None:
    found = figures("growth", tmp_path, "--quick", "--seconds", "0.01")
    assert all(took[0] > 0 for took in found["messages_by_open_calls"].values())
    assert min(found["memory_of_open_call"].values()) > 0
    assert set(found["memory_of_finished_calls"]) == {"codec", "peers"}
    assert all(one["rate"][0] > 0 for one in found["connections"].values())


def test_fairness_times_a_call_in_every_situation(tmp_path: Path) -> None:
    found = figures("fairness", tmp_path, "--seconds", "0.05")["figures"]
    assert len(found) == 6
    for one in found.values():
        assert 0 < one["p50"][0] <= one["p99"][0] <= one["most"][0]


def test_profiles_name_functions_of_both_ends(tmp_path: Path) -> None:
    options = ("--workload", "small", "--seconds", "0.2")
    found = figures("profiles", tmp_path, *options)["profiles"]["small"]
    for end in ("server", "driver"):
        assert any(name.startswith("peer/") for name in found[end]["own"])
        assert all(found[end]["with_callees"][name] >= own for name, own in found[end]["own"].items())


@pytest.mark.parametrize("script", ["codec", "rpc", "growth", "fairness"])
def test_nothing_is_measured_zero_times(script: str) -> None:
    command = [sys.executable, "-m", f"bench.{script}", "--rounds", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BOUND)
    assert done.returncode == 2
    assert "at least one" in done.stderr
