"""What every program that we start does first, between fork and exec."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Be interrupted when the parent dies, and take interrupts at all (for ``subprocess``'s ``preexec_fn``)."""
    # A shell lets what it starts in the background ignore interrupts, which are what we stop our programs with.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
