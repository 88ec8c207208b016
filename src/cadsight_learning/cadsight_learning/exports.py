"""Networks exported for other runtimes, one a shape of picture, beside the weights that they were made of.

MODEL/exports/FORMAT-WIDTHxHEIGHT/model.onnx    or model.xml and model.bin (OpenVINO)
MODEL/exports/FORMAT-WIDTHxHEIGHT/export.json   what it was made of; the folder appears when it is whole

Where nothing can be written beside the weights, they are in ~/.cache/cadsight/exports (or $XDG_CACHE_HOME).
"""

import contextlib
import hashlib
import json
import logging
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.files import write_atomically
from cadsight_core.images import Rgb
from cadsight_core.output_file import json_with
from cadsight_core.output_folder import refuse_foreign, whole_folder
from numpy.typing import NDArray
from torch import Tensor, nn

from cadsight_learning.agreement import Agreement, agreement
from cadsight_learning.frames import fitted
from cadsight_learning.runtimes import FORMATS, Session, open_session
from cadsight_learning.validation_pictures import load_pictures

EXPORTS, ABOUT = "exports", "export.json"
FORMAT = "cadsight-export-2"
# How far an exported network may be from torch's: of scores, of components of a normal, and of a pixel or, from there
# on, of the number of pixels.
LARGEST_DIFFERENCE = 1e-3
_FILES = {"onnx": ("model.onnx",), "openvino": ("model.xml", "model.bin")}
_OPSET = 17
_log = logging.getLogger(__name__)


def untold(_: str) -> None:
    """What is told of an export where nobody listens."""


@dataclass(frozen=True)
class Exports:
    """The exports of one model.

    Attributes:
        folder: where they are; one folder an export.
        weights_sha256: of the file of weights that they have to be made of.
        about: what is written beside each: kind, architecture, classes, range of the colours.
        pictures: folder of the model, for those that it was validated on; None: there are none.
        tell: is told each step of making one, and nothing (an empty string) at its end.
        spare: where they are when nothing can be written into ``folder``; None: nowhere.
    """

    folder: Path
    weights_sha256: str
    about: Mapping[str, Any] = field(default_factory=dict)
    pictures: Path | None = None
    spare: Path | None = None
    tell: Callable[[str], None] = untold

    def find(self, kind: str, shape: tuple[int, int]) -> Path | None:
        """The network for pictures of ``shape`` (rows, columns) if it was made of these weights, else None."""
        found = (self._whole(folder, kind) for folder in self._folders(kind, shape))
        return next((path for path in found if path), None)

    def _whole(self, folder: Path, kind: str) -> Path | None:
        try:
            about = json.loads((folder / ABOUT).read_text())
        except (OSError, ValueError):
            return None
        made_of = (about.get("format"), about.get("weights_sha256")) if isinstance(about, dict) else None
        whole = all((folder / name).is_file() for name in _FILES[kind])
        return folder / _FILES[kind][0] if whole and made_of == (FORMAT, self.weights_sha256) else None

    def make(self, network: nn.Module, kind: str, shape: tuple[int, int]) -> Path:
        """Export ``network``, which takes pictures (1, 3, *shape), and compare what both make of a few pictures.

        Raises:
            CadsightError: when it cannot be exported, differs by more than :data:`LARGEST_DIFFERENCE`, its folder
                holds what we did not write, or the disk refuses the bytes.
        """
        place = self._place(kind, shape)
        name = self.about.get("architecture", "the network")
        what = f"exporting {name} to {kind} for {shape[1]} x {shape[0]} pixels, step"
        with tempfile.TemporaryDirectory(prefix="cadsight_export_") as scratch:
            self.tell(f"{what} 1 of 3: writing it down")
            path = _exported(network, kind, shape, Path(scratch))
            self.tell(f"{what} 2 of 3: comparing it with torch's")
            runtime = next(r for r, k in FORMATS.items() if k == kind)
            difference = _difference(network, open_session(runtime, path), shape)
            if not difference <= LARGEST_DIFFERENCE:
                raise CadsightError(
                    f"the network exported to {kind} differs from torch's by {difference:.2g}, "
                    f"expected at most {LARGEST_DIFFERENCE:g}; nothing was written"
                )
            self.tell(f"{what} 3 of 3: keeping it")
            try:
                return self._write(path, place, kind, shape, difference)
            except CadsightError as error:
                for folder in self._folders(kind, shape):
                    with contextlib.suppress(CadsightError):
                        return self._write(path, folder, kind, shape, difference)
                raise error

    def _place(self, kind: str, shape: tuple[int, int]) -> Path:
        """The first folder that holds nothing of others."""
        refused = []
        for folder in self._folders(kind, shape):
            try:
                return refuse_foreign(folder, earlier=earlier_export)
            except CadsightError as error:
                refused.append(error)
        raise refused[0]

    def bfloat16(self, path: Path) -> Agreement:
        """How far OpenVINO in bfloat16 is from float32 with the export ``path``, measured once and then kept in its
        ``export.json``.

        Raises:
            CadsightError: when this processor does not multiply bfloat16, or the export cannot be opened.
        """
        about = json.loads((path.parent / ABOUT).read_text())
        if (known := Agreement.from_json(about.get("bfloat16"))) is not None:
            return known
        kept = None if self.pictures is None else load_pictures(self.pictures)
        pictures = [] if kept is None else [self._input(one, about["input"][2:]) for one in kept]
        exact, near = (open_session(runtime, path) for runtime in ("openvino", "openvino-bf16"))
        found = agreement(exact, near, pictures, self.about["kind"], len(self.about["classes"]))
        about["bfloat16"] = found.to_json()
        # In a folder where nothing can be written it is measured anew at each start.
        with contextlib.suppress(CadsightError):
            write_atomically(path.parent / ABOUT, json.dumps(about, indent=1) + "\n")
        return found

    def _input(self, picture: Rgb, shape: Sequence[int]) -> NDArray[np.float32]:
        """A picture as the network takes it (1, 3, *shape)."""
        low, high = self.about["colours"]
        fit = fitted(picture, (shape[0], shape[1])).astype(np.float32) / 255 * (high - low) + low
        return np.ascontiguousarray(fit.transpose(2, 0, 1)[None])

    def _write(self, path: Path, folder: Path, kind: str, shape: tuple[int, int], difference: float) -> Path:
        about = {
            "format": FORMAT,
            "weights_sha256": self.weights_sha256,
            "input": [1, 3, *shape],
            **self.about,
            "difference": difference,
            "torch": torch.__version__,
        }
        with whole_folder(folder, earlier=earlier_export) as work:
            for name in _FILES[kind]:
                write_atomically(work / name, (path.parent / name).read_bytes())
            write_atomically(work / ABOUT, json.dumps(about, indent=1) + "\n")
        return folder / _FILES[kind][0]

    def _folders(self, kind: str, shape: tuple[int, int]) -> list[Path]:
        name = f"{kind}-{shape[1]}x{shape[0]}"
        return [place / name for place in (self.folder, self.spare) if place]


class Served:
    """A network that another runtime than torch runs, exported for each shape of picture when it is first seen.

    Several threads may call it at once; of those that bring a new shape one exports and the others wait.

    Args:
        network: makes the network that is exported; it is wanted only where an export is missing.
        may_stay: whether a network that cannot be exported is run by torch, with a warning, instead of refused, and
            in float32 where bfloat16 does not agree with it (see :mod:`cadsight_learning.agreement`).

    Attributes:
        runtime: what runs it.
    """

    def __init__(self, network: Callable[[], nn.Module], runtime: str, exports: Exports, may_stay: bool) -> None:
        self._network, self._exports, self._may_stay = network, exports, may_stay
        self._sessions: dict[tuple[int, int], Session] = {}
        self._opening = threading.Lock()
        self.runtime = runtime

    def __call__(self, pictures: Tensor) -> Tensor:
        """What the network makes of pictures (N, 3, rows, columns), which go through it one by one.

        Raises:
            CadsightError: when it cannot be exported for their shape.
        """
        shape = pictures.shape[2], pictures.shape[3]
        session = self._session(shape)
        arrays = pictures.contiguous(memory_format=torch.contiguous_format).numpy()
        return torch.from_numpy(np.concatenate([session(one[None]) for one in arrays]))

    def _session(self, shape: tuple[int, int]) -> Session:
        session = self._sessions.get(shape)
        if session is not None:
            return session
        with self._opening:
            if shape not in self._sessions:
                self._sessions[shape] = self._opened(shape)
            return self._sessions[shape]

    def _opened(self, shape: tuple[int, int]) -> Session:
        kind = FORMATS[self.runtime] if self.runtime != "torch" else None
        try:
            if kind is not None:
                path = self._exports.find(kind, shape) or self._made(kind, shape)
                if self.runtime == "openvino-bf16" and self._may_stay:
                    self._choose_precision(path)
                return open_session(self.runtime, path)
        except CadsightError as error:
            if not self._may_stay:
                raise
            _log.warning("%s; torch runs the network", error)
            self.runtime = "torch"
            self._sessions.clear()
        return _in_torch(self._network())

    def _choose_precision(self, path: Path) -> None:
        found = self._exports.bfloat16(path)
        if not found.agrees:
            name = self._exports.about.get("architecture", "the network")
            _log.info("%s, so %s runs in float32", found, name)
            self.runtime = "openvino"
            self._sessions.clear()

    def _made(self, kind: str, shape: tuple[int, int]) -> Path:
        name = self._exports.about.get("architecture", "the network")
        _log.info("exporting %s to %s for %d x %d pixels, once for these weights", name, kind, shape[1], shape[0])
        began = time.monotonic()
        try:
            path = self._exports.make(self._network(), kind, shape)
        finally:
            self._exports.tell("")
        _log.info("exported %s in %.1f s", name, time.monotonic() - began)
        return path


def earlier_export(folder: Path) -> list[str] | None:
    """The files of an export of an earlier version, which left no mark (see :mod:`cadsight_core.output_folder`)."""
    try:
        if not json_with("weights_sha256", "input")((folder / ABOUT).read_bytes()):
            return None
    except OSError:
        return None
    return [ABOUT, *(name for names in _FILES.values() for name in names if (folder / name).is_file())]


def sha256(path: str | Path) -> str:
    """SHA-256 of a file.

    Raises:
        CadsightError: when it cannot be read.
    """
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror}") from error


def _exported(network: nn.Module, kind: str, shape: tuple[int, int], folder: Path) -> Path:
    path = folder / "model.onnx"
    try:
        with warnings.catch_warnings():
            # Torch warns of this exporter's end; the newer one needs more packages.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.eval(), (torch.zeros(1, 3, *shape),), str(path), dynamo=False, opset_version=_OPSET,
                input_names=["pictures"], output_names=["found"],
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
    """The largest difference in any output (axis 1), as a share of the output's largest number where that is above 1.

    A box's place in pixels is so compared as a share of the picture, a score as it is.
    """
    here = _in_torch(network)
    largest = 0.0
    for picture in _few_pictures(shape):
        wanted, found = here(picture), session(picture)
        if wanted.shape != found.shape:
            raise CadsightError(f"the exported network gives {found.shape}, expected {wanted.shape} as torch")
        others = tuple(axis for axis in range(wanted.ndim) if axis != 1)
        scale = np.maximum(np.abs(wanted).max(axis=others, keepdims=True), 1.0)
        largest = max(largest, float((np.abs(found - wanted) / scale).max(initial=0.0)))
    return largest


def _few_pictures(shape: tuple[int, int]) -> Iterator[NDArray[np.float32]]:
    """A flat picture, one of coloured spots and one of noise (1, 3, *shape), 0 to 1."""
    rng = np.random.default_rng(0)
    yield np.full((1, 3, *shape), 0.5, np.float32)
    for coarse in ((8, 8), shape):
        spots = cv2.resize(rng.uniform(size=(*coarse, 3)).astype(np.float32), shape[::-1])
        yield np.ascontiguousarray(spots.transpose(2, 0, 1)[None])


def _in_torch(network: nn.Module) -> Session:
    def run(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(pictures)).numpy())

    network.eval()
    return run
