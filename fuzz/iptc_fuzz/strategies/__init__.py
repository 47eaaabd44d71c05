"""What a fuzzer of IPTC draws: values, messages, frames good and bad, chunkings, whole dialogues."""

from __future__ import annotations
