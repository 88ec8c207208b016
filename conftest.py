"""Loads and sets what must be so before any test, whichever run in one process."""

import importlib.util
import signal

# A shell lets what runs in the background ignore interrupts, and programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Torch's optimisers load triton, which carries an LLVM of its own. Loaded after Mesa's LLVM, which draws the simulated
# cell, it takes that one's symbols and crashes; loaded before, each keeps to itself.
if importlib.util.find_spec("triton") is not None:
    import triton  # noqa: F401
