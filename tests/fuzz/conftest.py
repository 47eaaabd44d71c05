"""Redis is asked for only where it is wanted: `make redis-tests` installs it where it may."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("IPTC_REDIS_TESTS") else ["test_fuzz_redis.py"]
