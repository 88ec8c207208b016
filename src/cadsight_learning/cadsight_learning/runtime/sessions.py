"""What runs a network: torch, or a library for exported networks on a processor."""

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray

from cadsight_learning.options import RUNTIMES
from cadsight_learning.runtime.machine import has_bfloat16, usual_threads

# The file that each runtime reads; of those that read the same the first computes in float32.
FORMATS = {"onnxruntime": "onnx", "openvino": "openvino", "openvino-bf16": "openvino"}


@dataclass(frozen=True)
class Session:
    """A network that can be run, from images (1, 3, rows, columns) to its outputs.

    Attributes:
        run: from images, and how many of the first outputs are wanted (None: all), to these.
        features_sha256: of the weights that make the outputs which are features; empty without such.
    """

    run: Callable[[NDArray[np.float32], int | None], list[NDArray[np.float32]]]
    features_sha256: str = ""

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first output."""
        return self.run(images, 1)[0]

    def every(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs."""
        return self.run(images, None)


class UnusableNetworkError(CadsightError):
    """A network that a runtime cannot run."""


def runtime_of(name: str, device: str) -> str:
    """The runtime of an option: ``auto`` is the first of them that this machine has, and torch on a GPU.

    ``device`` is as :func:`cadsight_learning.runtime.machine.device_name` gives it.

    ``openvino-bf16`` is OpenVINO with the numbers between layers in bfloat16, on a processor that multiplies those
    itself; it differs from the others in the third digit.

    Raises:
        CadsightError: for an unknown name, one that is not there, or one that does not go with ``device``.
    """
    if name not in RUNTIMES:
        raise CadsightError(f"the runtime is {name!r}, expected one of {', '.join(RUNTIMES)}")
    if device != "cpu" and name not in ("auto", "torch"):
        raise CadsightError(f"the runtime is {name!r} and the device {device}, expected torch, or the device cpu")
    if name == "auto":
        installed = [r for r in RUNTIMES[1:] if _is_there(r)] if device == "cpu" else ["torch"]
        return installed[0]
    if name == "openvino-bf16" and not has_bfloat16():
        raise CadsightError(f"the runtime is {name} and this processor does not multiply bfloat16, expected openvino")
    if not _is_there(name):
        raise CadsightError(f"the runtime {name} is not installed, expected what make setup installs, or torch")
    return name


def open_session(runtime: str, path: Path, threads: int = 0) -> Session:
    """The exported network in ``path``, on the processor.

    It may be called from several threads at once.

    Args:
        threads: threads of one call; 0: as many as torch takes.

    Raises:
        CadsightError: when the runtime is not installed, or :class:`UnusableNetworkError` when it cannot read the file.
    """
    runtime_of(runtime, "cpu")
    threads = threads or usual_threads()
    try:
        if runtime == "onnxruntime":
            return _onnxruntime(path, threads)
        # Left to itself it would take bfloat16 wherever the processor has it.
        return _openvino(path, threads, "bf16" if runtime == "openvino-bf16" else "f32")
    except Exception as error:  # both libraries raise classes of their own for a file that they cannot read
        raise UnusableNetworkError(f"{runtime} could not open the network {path}: {error}") from error


def _onnxruntime(path: Path, threads: int) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning take the processor from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    outputs = [one.name for one in session.get_outputs()]
    return Session(lambda images, most: [np.asarray(o) for o in session.run(outputs[:most], {name: images})])


def _openvino(path: Path, threads: int, precision: str) -> Session:
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    own = threading.local()

    def run(images: NDArray[np.float32], most: int | None) -> list[NDArray[np.float32]]:
        # A request that another thread is using refuses to begin, so each thread has one of its own.
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        found = own.request.infer({0: images}, share_inputs=True, share_outputs=True)
        return [np.array(found[place]) for place in range(len(found))[:most]]

    return Session(run)


def _is_there(runtime: str) -> bool:
    if runtime == "openvino-bf16" and not has_bfloat16():
        return False
    return importlib.util.find_spec(runtime.partition("-")[0]) is not None
