"""How a training computes on a processor: the quickest way on this machine under its present load, found by trying."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from cadsight_learning.runtime.devices import CPU, device_of_module
from cadsight_learning.runtime.precision import full_precision, may_bfloat16

T = TypeVar("T")
Loss = Callable[[Any], tuple[Tensor, Any]]
# Fewer steps in all are done before it pays to try how they are done fastest.
_LONG_ENOUGH = 300
# When steps take so many times as long as before, it is tried again.
_FALLEN = 3.0
# Steps of each mode that is tried: the first makes what the others reuse.
_TRIED = 2
# What is under this fraction of the usual mode's time is taken instead; less would be noise.
_FASTER = 0.85
# A shorter step has nothing to win.
_QUICK_S = 0.01


@dataclass(frozen=True)
class Mode:
    """Ways to compute the same step, apart from the noise of floating point.

    Attributes:
        threads: of torch.
        bfloat16: convolutions in bfloat16, where precision allows it and the processor has it.
        channels_last: the colours of a pixel side by side.
    """

    threads: int
    bfloat16: bool
    channels_last: bool

    @staticmethod
    def usual() -> "Mode":
        """The mode where nothing is tried."""
        return Mode(torch.get_num_threads(), may_bfloat16(), True)

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        numbers = "bfloat16" if self.bfloat16 else "float32"
        return f"{threads}, {numbers}, channels {'last' if self.channels_last else 'first'}"

    def precision(self) -> contextlib.AbstractContextManager[None]:
        """The context to compute losses in."""
        return contextlib.nullcontext() if self.bfloat16 else full_precision()

    def prepare(self, module: nn.Module) -> None:
        """Set torch's threads and lay the weights out."""
        torch.set_num_threads(self.threads)
        module.to(memory_format=self._layout)  # type: ignore[call-overload]

    def laid_out(self, batch: T) -> T:
        """``batch`` with its images, however they are nested, laid out as the weights are."""
        moved: Any = batch
        if isinstance(batch, Tensor):
            moved = batch.contiguous(memory_format=self._layout) if batch.ndim == 4 else batch
        elif isinstance(batch, Mapping):
            moved = {key: self.laid_out(value) for key, value in batch.items()}
        elif isinstance(batch, list | tuple):
            moved = type(batch)(self.laid_out(value) for value in batch)
        return moved

    @property
    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


def quickest(seconds: Callable[[Mode], float], now: Mode, threads: int, threads_only: bool = False) -> Mode:
    """The mode of those about ``now`` whose step takes the fewest ``seconds``; ``now`` unless another pays.

    One thing is changed at a time: the number of threads, to ``threads`` or half of them, then, unless
    ``threads_only``, float32 for bfloat16 and the layout.
    """
    best, least = now, seconds(now)
    if least < _QUICK_S:
        return now
    changes: list[dict[str, Any]] = [{"threads": n} for n in {threads, max(threads // 2, 1)} - {now.threads}]
    if not threads_only:
        changes += [{"bfloat16": False}] * now.bfloat16 + [{"channels_last": not now.channels_last}]
    for change in changes:
        other = dataclasses.replace(best, **change)
        if (took := seconds(other)) < least * _FASTER:
            best, least = other, took
    return best


def step_seconds(module: nn.Module, loss: Loss, batch: Any, mode: Mode) -> float:
    """Seconds of one step of ``module`` on ``batch``, forth and back; it learns nothing and uses no random numbers."""
    before = {name: value.clone() for name, value in module.named_buffers()}
    rng_state = torch.get_rng_state()
    mode.prepare(module)
    took = []
    for _ in range(_TRIED):
        started = time.perf_counter()
        with mode.precision():
            value, _ = loss(mode.laid_out(batch))
        value.backward()
        module.zero_grad(set_to_none=True)
        took.append(time.perf_counter() - started)
    with torch.no_grad():
        for name, buffer in module.named_buffers():
            buffer.copy_(before[name])
    torch.set_rng_state(rng_state)
    return min(took[1:])


class Computing:
    """How the steps of one training are computed: tried before the first one, the threads again when the pace falls.

    Later the threads alone are tried: they change nothing of what is learned.

    Attributes:
        mode: how, or None where nothing is tried, on a GPU and in a training of few steps.
    """

    def __init__(self, module: nn.Module, loss: Loss, steps: int) -> None:
        """``steps`` are those of the whole training."""
        self.mode: Mode | None = None
        self._module, self._loss = module, loss
        self._tries = device_of_module(module) == CPU and steps >= _LONG_ENOUGH
        self._threads = torch.get_num_threads()
        self._usual_s = math.inf

    def choose(self, batch: Any, step_s: float | None) -> bool:
        """Whether another mode was chosen, by steps of ``batch``; ``step_s`` is what a step takes now, if known."""
        if not self._tries:
            return False
        fallen = step_s is not None and step_s > _FALLEN * self._usual_s
        if self.mode is not None and not fallen:
            self._usual_s = min(self._usual_s, math.inf if step_s is None else step_s)
            return False

        def seconds(mode: Mode) -> float:
            return step_seconds(self._module, self._loss, batch, mode)

        before, self._usual_s = self.mode, math.inf
        self.mode = quickest(seconds, before or Mode.usual(), self._threads, threads_only=before is not None)
        self.mode.prepare(self._module)
        return self.mode != before

    def precision(self) -> contextlib.AbstractContextManager[None]:
        """The context to compute losses in."""
        return self.mode.precision() if self.mode else contextlib.nullcontext()

    def laid_out(self, batch: T) -> T:
        """``batch`` as the weights are laid out."""
        return self.mode.laid_out(batch) if self.mode else batch

    @property
    def state(self) -> tuple[Any, ...] | None:
        """For :meth:`resume`."""
        return dataclasses.astuple(self.mode) if self.mode else None

    def resume(self, state: tuple[Any, ...] | None) -> None:
        """Go on as a training did that was ended."""
        if state:
            self.mode = Mode(*state)
            self.mode.prepare(self._module)


@contextlib.contextmanager
def threads_kept() -> Iterator[None]:
    """Give torch its number of threads back at the end."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
