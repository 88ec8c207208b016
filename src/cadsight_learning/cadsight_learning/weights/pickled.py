"""Weights out of files that hold a whole pickled network, as ultralytics writes them, with none of its code run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from cadsight_core.errors import CadsightError
from torch import Tensor

from cadsight_learning.weights.checkpoint import load_checkpoint, load_state

# Of these libraries a file may name classes: each is read as a stand-in that only keeps what it is given.
_LIBRARIES = ("torch.nn.modules.", "ultralytics.")


class _StandIn:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Whatever a class would have made of its arguments, this makes nothing."""

    def __setstate__(self, state: Any) -> None:
        self.state = state


def load_network_state(path: str | Path) -> dict[str, Tensor]:
    """The state_dict in float32 of a file that holds one, or a network pickled whole as ultralytics does.

    Raises:
        CadsightError: as :func:`cadsight_learning.weights.checkpoint.load_state`; a file that names anything but the
            classes of networks is refused before it is read.
    """
    path = Path(path)
    if not path.is_file():
        return load_state(path)
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (RuntimeError, ValueError, EOFError, OSError):
        names = []
    if not names or not all(name.startswith(_LIBRARIES) for name in names):
        return load_state(path)
    with torch.serialization.safe_globals([(_StandIn, name) for name in names]):
        data = load_checkpoint(path)
    network = data.get("ema") or data.get("model")
    state = {
        name: tensor.detach().float() if tensor.is_floating_point() else tensor
        for name, tensor in _tensors(network, "")
    }
    if not state:
        raise CadsightError(f"the weights {path} hold no network, expected one under 'model'")
    return state


def _tensors(module: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of a module that was read as a stand-in, by the names of its state_dict."""
    state = getattr(module, "state", None)
    if not isinstance(module, _StandIn) or not isinstance(state, dict):
        return
    for kind in ("_parameters", "_buffers"):
        for name, tensor in state.get(kind, {}).items():
            if isinstance(tensor, Tensor):
                yield prefix + name, tensor
    for name, child in state.get("_modules", {}).items():
        yield from _tensors(child, f"{prefix}{name}.")
