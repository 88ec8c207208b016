"""Where networks compute, and the error when its memory does not suffice."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch
from cadsight_core.errors import CadsightError
from torch import Tensor, nn

from cadsight_learning.runtime.machine import device_name

T = TypeVar("T")
CPU = torch.device("cpu")


def device_of(name: str) -> torch.device:
    """The device of an option: ``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        CadsightError: for another word, or a GPU that is not there.
    """
    return torch.device(device_name(name))


def device_of_module(module: nn.Module) -> torch.device:
    """Where the weights of ``module`` are."""
    return next(module.parameters()).device


def on_device(batch: T, device: torch.device) -> T:
    """``batch`` with every tensor in it, however its lists, tuples and mappings are nested, on ``device``."""
    moved: Any = batch
    if isinstance(batch, Tensor):
        moved = batch.to(device, non_blocking=True)
    elif isinstance(batch, Mapping):
        moved = {key: on_device(value, device) for key, value in batch.items()}
    elif isinstance(batch, list | tuple):
        moved = type(batch)(on_device(value, device) for value in batch)
    return moved


@contextlib.contextmanager
def out_of_memory_explained(settings: str) -> Iterator[None]:
    """Turns the many errors of a device without memory left into one sentence that names ``settings`` to lower.

    Raises:
        CadsightError: when the body ran out of memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error).lower()
        if not isinstance(error, MemoryError) and "out of memory" not in words and "can't allocate memory" not in words:
            raise
        raise CadsightError(f"the memory does not suffice, expected lower settings: {settings}") from error
