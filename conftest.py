"""Loads what must be loaded first, whichever tests run in one process."""

import importlib.util

# Torch's optimisers load triton, which carries an LLVM of its own. Loaded after Mesa's LLVM, which draws the simulated
# cell, it takes that one's symbols and crashes; loaded before, each keeps to itself.
if importlib.util.find_spec("triton") is not None:
    import triton  # noqa: F401
