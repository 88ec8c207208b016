"""What makes convolutions fast."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch
from torch import nn

from cadsight_learning.runtime.devices import CPU
from cadsight_learning.runtime.machine import has_bfloat16

_full = ContextVar("full", default=False)


def may_bfloat16() -> bool:
    """Whether :func:`autocast` makes bfloat16 of what a processor computes here."""
    return has_bfloat16() and not _full.get()


def autocast(device: torch.device = CPU) -> contextlib.AbstractContextManager[None]:
    """Compute convolutions on ``device`` in bfloat16 where that is fast, but not within :func:`full_precision`."""
    if _full.get():
        return contextlib.nullcontext()
    fast = has_bfloat16() if device.type == "cpu" else torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Everything in the body is computed in float32."""
    token = _full.set(True)
    try:
        yield
    finally:
        _full.reset(token)


def channels_last(module: nn.Module) -> None:
    """Keep the colours of a pixel side by side, a fifth faster; does nothing to what the module computes."""
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
