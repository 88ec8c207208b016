"""What a reader may take for one input, and how it is measured."""

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What one input may take.

    Attributes:
        seconds: of processor time, so that a busy machine changes nothing; of the clock six times as many, for
            one that waits.
        memory: bytes above what the process had before.
    """

    seconds: float = 10.0
    memory: int = GIB

    @property
    def clock_seconds(self) -> float:
        return 6 * self.seconds + 30.0


def processor_seconds() -> float:
    """Of this process and of those that it started and that ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def resident_peak(*, anew: bool = False) -> int:
    """The most bytes that this process had since the last call with ``anew``; only on Linux."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def bound_address_space(memory: int) -> None:
    """A guard of the machine: far beyond what is allowed, so that the measure above decides."""
    now = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (now + 4 * memory, resource.RLIM_INFINITY))


def tree_uses(pid: int) -> tuple[float, int]:
    """Processor seconds and resident bytes of a process and of all that it started."""
    seconds, memory = 0.0, 0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            memory += process.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
    return seconds, memory


def end_tree(pid: int) -> None:
    """Kill a process and all that it started."""
    for process in reversed(_tree(pid)):
        _unless_gone(process.kill)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _unless_gone(call: Callable[[], None]) -> None:
    try:
        call()
    except psutil.NoSuchProcess:
        return
