"""Weights on the disk: tensors and plain values only, never code."""

import hashlib
import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import write_atomically
from torch import Tensor, nn


def save_checkpoint(path: str | Path, data: Mapping[str, Any]) -> None:
    """Write tensors and plain values atomically.

    Raises:
        CadsightError: when the disk refuses the bytes.
    """
    write_atomically(path, checkpoint_bytes(data))


def checkpoint_bytes(data: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint of tensors and plain values."""
    buffer = io.BytesIO()
    torch.save(dict(data), buffer)
    return buffer.getvalue()


def checkpoint_of(data: bytes) -> dict[str, Any]:
    """What the bytes of a checkpoint hold, nothing for those of another file; no code in them is run."""
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception:  # whatever bytes make of a reader of pickles: an IndexError, an AssertionError, ...
        return {}
    return found if isinstance(found, dict) else {}


def is_state_dict(found: Mapping[str, Any]) -> bool:
    """Whether these are tensors by their names, and some."""
    return bool(found) and all(isinstance(value, Tensor) for value in found.values())


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote; a file that holds code is refused before any of it runs.

    Raises:
        CadsightError: when the file is missing, cut, foreign, or holds anything but tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise CadsightError(f"the weights {path} do not exist, expected a file of a state_dict")
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CadsightError(
            f"the weights {path} hold something that is no tensor or are no checkpoint at all; "
            "expected a state_dict saved by torch.save, and nothing in it was run"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # whatever bytes make of a reader of pickles: an IndexError, an AssertionError, ...
        raise CadsightError(f"the weights {path} are cut or no checkpoint, expected a state_dict") from error
    if not isinstance(data, dict):
        raise CadsightError(f"the weights {path} hold a {type(data).__name__}, expected a state_dict")
    return data


def load_state(path: str | Path) -> dict[str, Tensor]:
    """A state_dict in float32.

    Raises:
        CadsightError: as :func:`load_checkpoint`, and when a value is no tensor.
    """
    data = load_checkpoint(path)
    wrong = next((k for k, v in data.items() if not isinstance(v, Tensor)), None)
    if wrong is not None or not data:
        raise CadsightError(f"the weights {path} hold {wrong or 'nothing'}, expected the tensors of a state_dict")
    return {k: v.float() if v.is_floating_point() else v for k, v in data.items()}


def fill(module: nn.Module, state: Mapping[str, Tensor], where: str | Path) -> None:
    """Load a state_dict that was saved from a module of the same architecture.

    Raises:
        CadsightError: naming the first tensor that is missing, superfluous or of another shape.
    """
    own = module.state_dict()
    for name in sorted(own.keys() | state.keys()):
        if name not in state or name not in own:
            raise CadsightError(f"the weights {where} {'lack' if name in own else 'hold the unknown'} {name}")
        if own[name].shape != state[name].shape:
            raise CadsightError(
                f"the weights {where} have {name} of {tuple(state[name].shape)}, expected {tuple(own[name].shape)}"
            )
    module.load_state_dict(dict(state))


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of names and values of tensors, wherever they are."""
    digest = hashlib.sha256()
    for name, value in state.items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def fill_matching(module: nn.Module, state: Mapping[str, Tensor]) -> int:
    """Load the tensors that fit by name and shape; returns how many of the module's own did."""
    own = module.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    module.load_state_dict(fitting, strict=False)
    return len(fitting)
