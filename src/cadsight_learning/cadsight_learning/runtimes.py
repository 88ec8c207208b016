"""What runs a network: torch, or a library for exported networks on a processor."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray

from cadsight_learning.options import RUNTIMES

Session = Callable[[NDArray[np.float32]], NDArray[np.float32]]
# The file that each runtime reads.
FORMATS = {"onnxruntime": "onnx", "openvino": "openvino"}


def runtime_of(name: str, device: torch.device) -> str:
    """The runtime of an option: ``auto`` is the first of them that is installed, and torch on a GPU.

    Raises:
        CadsightError: for an unknown name, one that is not installed, or one that does not go with ``device``.
    """
    if name not in RUNTIMES:
        raise CadsightError(f"the runtime is {name!r}, expected one of {', '.join(RUNTIMES)}")
    if device.type != "cpu" and name not in ("auto", "torch"):
        raise CadsightError(f"the runtime is {name!r} and the device {device}, expected torch, or the device cpu")
    if name == "auto":
        wanted = [r for r in RUNTIMES[1:] if _is_there(r)] if device.type == "cpu" else ["torch"]
        return wanted[0]
    if not _is_there(name):
        raise CadsightError(f"the runtime {name} is not installed, expected what make setup installs, or torch")
    return name


def open_session(runtime: str, path: Path, threads: int | None = None) -> Session:
    """A function from pictures to what the exported network in ``path`` makes of them, on the processor in float32.

    Args:
        threads: threads of one call; None: as many as torch uses.

    Raises:
        CadsightError: when the runtime is not installed, or cannot read the file.
    """
    runtime_of(runtime, torch.device("cpu"))
    opener = _onnxruntime if runtime == "onnxruntime" else _openvino
    try:
        return opener(path, threads or torch.get_num_threads())
    except Exception as error:  # both libraries raise classes of their own for a file that they cannot read
        raise CadsightError(f"{runtime} could not open the network {path}: {error}") from error


def _onnxruntime(path: Path, threads: int) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning take the processor from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pictures: np.asarray(session.run(None, {name: pictures})[0])


def _openvino(path: Path, threads: int) -> Session:
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        # On processors that multiply bfloat16 it would compute in that, and differ in the third digit.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()
    return lambda pictures: np.array(request.infer({0: pictures}, share_inputs=True, share_outputs=True)[0])


def _is_there(runtime: str) -> bool:
    return importlib.util.find_spec(runtime) is not None
