"""The conversations with a caller, for the hunt of `iptc_fuzz.live`."""

from __future__ import annotations

from iptc_fuzz.live.game import Game
from iptc_fuzz.live_caller.bench import Bench
from iptc_fuzz.live_caller.drawing import actions, sweep
from iptc_fuzz.live_caller.trial import CHECKS, case_of, sound, told

CALLER = Game("caller", Bench, actions, case_of, told, CHECKS, first=sweep, sound=sound)
"""Conversations with a caller."""
