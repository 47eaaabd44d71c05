"""Driving an implementation under test: a folder per role, and beside them what the roles share.

Shared are a connection (`link`), its frames (`inbound`), the judged record of a case (`recorder`) and a
verdict (`result`).
"""

from __future__ import annotations
