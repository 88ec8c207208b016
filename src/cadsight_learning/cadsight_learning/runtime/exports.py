"""Networks exported for other runtimes, one a shape of image, beside the weights that they were made of.

MODEL/exports/FORMAT-WIDTHxHEIGHT/model.onnx    or model.xml and model.bin (OpenVINO)
MODEL/exports/FORMAT-WIDTHxHEIGHT/export.json   what it was made of; the folder appears when it is whole

Where nothing can be written beside the weights, they are in the user's cache (see
:mod:`cadsight_core.storage.cache`).
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.storage.documents import document_in
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import json_with
from cadsight_core.storage.output_folder import refuse_foreign, whole_folder
from numpy.typing import NDArray

from cadsight_learning.data.letterbox import as_input, fitted
from cadsight_learning.data.validation_images import load_images
from cadsight_learning.runtime.agreement import Agreement, agreement
from cadsight_learning.runtime.sessions import open_session

EXPORTS, ABOUT = "exports", "export.json"
FORMAT = "cadsight-export-2"
# In export.json of a network that gives features, and an attribute of the module that is exported.
FEATURES_SHA256 = "features_sha256"
_FILES = {"onnx": ("model.onnx",), "openvino": ("model.xml", "model.bin")}


def unreported(_: str) -> None:
    """The ``tell`` that reports no step."""


@dataclass(frozen=True)
class Exports:
    """The exports of one model.

    Attributes:
        folder: where they are; one folder an export.
        weights_sha256: of the file of weights that they have to be made of.
        about: what is written beside each: kind, architecture, classes, range of the colours.
        model: folder of the model.
        tell: is called with each step of making one, and with an empty string at its end.
        spare: where they are when nothing can be written into ``folder``; None: nowhere.
    """

    folder: Path
    weights_sha256: str
    model: Path
    about: Mapping[str, Any] = field(default_factory=dict)
    spare: Path | None = None
    tell: Callable[[str], None] = unreported

    def find(self, kind: str, shape: tuple[int, int]) -> Path | None:
        """The network for images of ``shape`` (rows, columns) if it was made of these weights, else None."""
        found = (self._whole(folder, kind) for folder in self._folders(kind, shape))
        return next((path for path in found if path), None)

    def _whole(self, folder: Path, kind: str) -> Path | None:
        try:
            about = document_in((folder / ABOUT).read_bytes(), FORMAT)
        except OSError:
            return None
        made_of = about.get("weights_sha256") if about else None
        whole = all((folder / name).is_file() for name in _FILES[kind])
        return folder / _FILES[kind][0] if whole and made_of == self.weights_sha256 else None

    def keep(self, path: Path, kind: str, shape: tuple[int, int], difference: float) -> Path:
        """Where the export that was written to ``path`` is now: ``folder``, else ``spare``.

        Args:
            difference: of what it and torch make of the same images.

        Raises:
            CadsightError: when every one of these folders holds what we did not write, or the disk refuses the bytes.
        """
        return self._in_first(kind, shape, lambda folder: self._write(path, folder, kind, shape, difference))

    def refuse_foreign(self, kind: str, shape: tuple[int, int]) -> None:
        """Raise what :meth:`keep` would before an export is made, when no folder may be written."""
        self._in_first(kind, shape, lambda folder: refuse_foreign(folder, earlier=earlier_network_export))

    def _in_first(self, kind: str, shape: tuple[int, int], use: Callable[[Path], Path]) -> Path:
        """What ``use`` gives for the first folder that it does not refuse; if all are, the first error."""
        refused = []
        for folder in self._folders(kind, shape):
            try:
                return use(folder)
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
        kept = load_images(self.model)
        images = [] if kept is None else [self._input(one, about["input"][2:]) for one in kept]
        exact, near = (open_session(runtime, path) for runtime in ("openvino", "openvino-bf16"))
        found = agreement(exact, near, images, self.about["kind"])
        about["bfloat16"] = found.to_json()
        # In a folder where nothing can be written it is measured anew at each start.
        with contextlib.suppress(CadsightError):
            write_atomically(path.parent / ABOUT, json_text(about, indent=1) + "\n")
        return found

    def features_sha256(self, path: Path) -> str:
        """Of the weights that made the features which the export ``path`` gives; empty where it gives none, as those
        that were made before there were such."""
        return str(json.loads((path.parent / ABOUT).read_text()).get(FEATURES_SHA256, ""))

    def _input(self, image: Rgb, shape: Sequence[int]) -> NDArray[np.float32]:
        """An image as the network takes it (1, 3, *shape)."""
        return np.ascontiguousarray(as_input(fitted(image, (shape[0], shape[1]))[None], *self.about["colours"]))

    def _write(self, path: Path, folder: Path, kind: str, shape: tuple[int, int], difference: float) -> Path:
        about = {
            "format": FORMAT,
            "weights_sha256": self.weights_sha256,
            "input": [1, 3, *shape],
            **self.about,
            "difference": difference,
            "torch": version("torch"),
        }
        with whole_folder(folder, earlier=earlier_network_export) as work:
            for name in _FILES[kind]:
                write_atomically(work / name, (path.parent / name).read_bytes())
            write_atomically(work / ABOUT, json_text(about, indent=1) + "\n")
        return folder / _FILES[kind][0]

    def _folders(self, kind: str, shape: tuple[int, int]) -> list[Path]:
        name = f"{kind}-{shape[1]}x{shape[0]}"
        return [folder / name for folder in (self.folder, self.spare) if folder]


def earlier_network_export(folder: Path) -> list[str] | None:
    """The files of an export of an earlier version, which left no mark (:mod:`cadsight_core.storage.output_folder`)."""
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
