"""A disk that refuses bytes, for the tests of the pool."""

import contextlib
import resource
import signal


@contextlib.contextmanager
def small_files(limit):
    """No file may grow past ``limit`` bytes, as on a disk with no more room."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, before)
