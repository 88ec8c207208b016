"""Loads and sets what must be so before any test, whichever run in one process."""

import signal

# A shell lets what runs in the background ignore interrupts, and programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
