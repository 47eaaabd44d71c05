"""What all tests rely on."""

from __future__ import annotations

import signal

# A shell without job control starts what runs in the background with SIGINT ignored, and so would be every
# process that a test starts: then nothing that is to end by Ctrl-C would.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
