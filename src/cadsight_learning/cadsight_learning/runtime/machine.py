"""What this machine computes with, found without torch where possible: it takes seconds to load."""

import ctypes
import functools
import os
from pathlib import Path

from cadsight_core.errors import CadsightError

from cadsight_learning.options import check_device

_BFLOAT16 = {"avx512_bf16", "amx_bf16"}
# What torch's threads hang on too.
_THREADS = ("MKL_NUM_THREADS", "OMP_NUM_THREADS")


@functools.cache
def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself; elsewhere it would be slower than float32."""
    with open("/proc/cpuinfo") as lines:
        flags = next((line for line in lines if line.startswith("flags")), "")
    return not _BFLOAT16.isdisjoint(flags.split())


def usual_threads() -> int:
    """Threads of one call of a network where no option sets them, as torch chooses them: one a core that this process
    may use, or fewer where ``MKL_NUM_THREADS`` or ``OMP_NUM_THREADS`` says so."""
    folder = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    try:
        cores = len({Path(folder.format(n)).read_text() for n in os.sched_getaffinity(0)})
    except OSError:  # a container that hides them
        cores = len(os.sched_getaffinity(0))
    limit = next((int(os.environ[name]) for name in _THREADS if os.environ.get(name, "").isdigit()), 0)
    return min(limit, cores) if limit else cores


def gpus() -> int:
    """How many GPUs torch can use; torch is loaded only where there is a driver for any."""
    if not _has_driver():
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def device_name(option: str) -> str:
    """The device of an option as torch names it: ``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda`` or
    ``cuda:N``.

    Raises:
        CadsightError: for another word, or a GPU that is not there.
    """
    check_device(option)
    if option == "cpu":
        return option
    there = gpus()
    if option == "auto":
        return "cuda:0" if there else "cpu"
    number = int(option.partition(":")[2] or 0)
    if number >= there:
        available = f"{there} GPU{'' if there == 1 else 's'}" if there else "no GPU that torch can use"
        raise CadsightError(f"the device is {option!r} and this machine has {available}, expected auto or cpu")
    return f"cuda:{number}"


def _has_driver() -> bool:
    if Path("/dev/kfd").exists():  # AMD's
        return True
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True
