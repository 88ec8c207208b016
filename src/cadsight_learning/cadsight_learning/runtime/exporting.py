"""Networks written down for other runtimes than torch; torch is loaded here, and not where exports run."""

import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray
from torch import nn

from cadsight_learning.runtime.exports import FEATURES_SHA256, Exports
from cadsight_learning.runtime.sessions import FORMATS, Session, open_session

# How far an exported network may be from torch's: of scores, of components of a normal, and of a pixel or, from there
# on, of the number of pixels.
LARGEST_DIFFERENCE = 1e-3
_OPSET = 17


def export(exports: Exports, network: nn.Module, kind: str, shape: tuple[int, int]) -> Path:
    """Export a network for images of ``shape`` (rows, columns), and compare what both make of a few images.

    Raises:
        CadsightError: when it cannot be exported, differs by more than :data:`LARGEST_DIFFERENCE`, its folder holds
            what we did not write, or the disk refuses the bytes.
    """
    exports.refuse_foreign(kind, shape)
    if sha256 := getattr(network, FEATURES_SHA256, ""):
        exports = replace(exports, about={**exports.about, FEATURES_SHA256: sha256})
    what = f"exporting {exports.about['architecture']} to {kind} for {shape[1]} x {shape[0]} pixels, step"
    with tempfile.TemporaryDirectory(prefix="cadsight_export_") as scratch:
        exports.tell(f"{what} 1 of 3: writing it down")
        path = _exported(network, kind, shape, Path(scratch))
        exports.tell(f"{what} 2 of 3: comparing it with torch's")
        runtime = next(r for r, k in FORMATS.items() if k == kind)
        difference = _difference(network, open_session(runtime, path), shape)
        if not difference <= LARGEST_DIFFERENCE:
            raise CadsightError(
                f"the network exported to {kind} differs from torch's by {difference:.2g}, "
                f"expected at most {LARGEST_DIFFERENCE:g}; nothing was written"
            )
        exports.tell(f"{what} 3 of 3: keeping it")
        return exports.keep(path, kind, shape, difference)


def _exported(network: nn.Module, kind: str, shape: tuple[int, int], folder: Path) -> Path:
    path = folder / "model.onnx"
    try:
        with warnings.catch_warnings():
            # Torch warns of this exporter's end; the newer one needs more packages.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.eval(), (torch.zeros(1, 3, *shape),), str(path), dynamo=False, opset_version=_OPSET,
                input_names=["images"],
            )  # fmt: skip
    except (ImportError, RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        raise CadsightError(f"the network could not be exported: {error}".splitlines()[0]) from error
    if kind == "onnx":
        return path
    try:
        import openvino
    except ImportError as error:
        raise CadsightError("openvino is not installed, expected what make setup installs") from error
    openvino.save_model(openvino.Core().read_model(path), folder / "model.xml", compress_to_fp16=False)
    return folder / "model.xml"


def _difference(network: nn.Module, session: Session, shape: tuple[int, int]) -> float:
    """The largest difference in any channel (axis 1) of any output, relative to its largest number where that is above
    1.

    A box's place in pixels is so compared as a fraction of the image, a score as it is.
    """
    here = in_torch(network)
    largest = 0.0
    for image in _few_images(shape):
        wanted, there = here.every(image), session.every(image)
        shapes = [o.shape for o in wanted], [o.shape for o in there]
        if shapes[0] != shapes[1]:
            raise CadsightError(f"the exported network gives {shapes[1]}, expected {shapes[0]} as torch")
        for expected, found in zip(wanted, there, strict=True):
            others = tuple(axis for axis in range(expected.ndim) if axis != 1)
            scale = np.maximum(np.abs(expected).max(axis=others, keepdims=True), 1.0)
            largest = max(largest, float((np.abs(found - expected) / scale).max(initial=0.0)))
    return largest


def _few_images(shape: tuple[int, int]) -> Iterator[NDArray[np.float32]]:
    """A flat image, one of coloured spots and one of noise (1, 3, *shape), 0 to 1."""
    rng = np.random.default_rng(0)
    yield np.full((1, 3, *shape), 0.5, np.float32)
    for coarse in ((8, 8), shape):
        spots = cv2.resize(rng.uniform(size=(*coarse, 3)).astype(np.float32), shape[::-1])
        yield np.ascontiguousarray(spots.transpose(2, 0, 1)[None])


def in_torch(network: nn.Module) -> Session:
    """``network`` run by torch, as a runtime runs its export."""

    def run(images: NDArray[np.float32], most: int | None) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            outputs = network(torch.from_numpy(images))
        return [one.numpy() for one in (outputs if isinstance(outputs, tuple) else (outputs,))[:most]]

    network.eval()
    return Session(run, getattr(network, FEATURES_SHA256, ""))
