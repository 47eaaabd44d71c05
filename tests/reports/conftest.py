"""The tests in `browser/` need Chromium: `make browser-tests` runs them, and says so in the environment."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("IPTC_BROWSER_TESTS") else ["browser"]
