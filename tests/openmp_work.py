"""Work for another process; imported there by its name."""

import ctypes
import importlib.util
from pathlib import Path


def load_openmp(number: int) -> int:
    """``number``, from a process that has loaded torch's OpenMP library, without the seconds that torch takes."""
    found = importlib.util.find_spec("torch")
    assert found is not None
    assert found.origin is not None
    ctypes.CDLL(next(Path(found.origin).parent.glob("lib/libgomp*")))
    return number
