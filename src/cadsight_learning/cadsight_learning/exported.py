"""Models whose networks other runtimes than torch run, by their exports; torch is loaded only where none can be had."""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.images import Rgb
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_learning.decoding import decode
from cadsight_learning.detector import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.export_process import export_in_child
from cadsight_learning.exports import Exports
from cadsight_learning.looking import as_input, look
from cadsight_learning.regressor import Regressor, crops_as_input
from cadsight_learning.runtimes import FORMATS, Session, UnusableNetworkError, open_session

_log = logging.getLogger(__name__)


class ExportedNetwork:
    """A network that is exported for each shape of picture when it is first seen, in a process of its own.

    Several threads may call it at once; of those that bring a new shape one exports and the others wait.

    Args:
        may_stay: whether a network that cannot be exported is run by torch, with a warning, instead of refused, and
            in float32 where bfloat16 does not agree with it (see :mod:`cadsight_learning.agreement`).
        threads: of one call; 0: as many as torch takes.

    Attributes:
        runtime: what runs it.
    """

    def __init__(self, exports: Exports, runtime: str, may_stay: bool, threads: int = 0) -> None:
        self._exports, self._may_stay, self._threads = exports, may_stay, threads
        self._sessions: dict[tuple[int, int], Session] = {}
        self._torch: Session | None = None
        self._opening = threading.Lock()
        self.runtime = runtime

    def __call__(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network makes of pictures (N, 3, rows, columns), which go through it one by one.

        Raises:
            CadsightError: when it cannot be exported for their shape.
        """
        session = self._session((pictures.shape[2], pictures.shape[3]))
        return np.concatenate([session(np.ascontiguousarray(one[None])) for one in pictures])

    def _session(self, shape: tuple[int, int]) -> Session:
        session = self._torch or self._sessions.get(shape)
        if session is not None:
            return session
        with self._opening:
            if self._torch is None and shape not in self._sessions:
                try:
                    self._sessions[shape] = self._opened(shape)
                except UnusableNetworkError as error:
                    if not self._may_stay:
                        raise
                    _log.warning("%s; torch runs the network", error)
                    self._torch = self._in_torch()
            return self._torch or self._sessions[shape]

    def _opened(self, shape: tuple[int, int]) -> Session:
        kind = FORMATS[self.runtime]
        path = self._exports.find(kind, shape) or self._made(kind, shape)
        if self.runtime == "openvino-bf16" and self._may_stay:
            self._choose_precision(path)
        return open_session(self.runtime, path, self._threads)

    def _in_torch(self) -> Session:
        from cadsight_learning.exporting import exportable, in_torch

        network = exportable(self._exports.model, self._threads)
        self.runtime = "torch"
        self._sessions.clear()
        return in_torch(network)

    def _choose_precision(self, path: Path) -> None:
        found = self._exports.bfloat16(path)
        if not found.agrees:
            _log.info("%s, so %s runs in float32", found, self._name)
            self.runtime = "openvino"
            self._sessions.clear()

    def _made(self, kind: str, shape: tuple[int, int]) -> Path:
        words = "exporting %s to %s for %d x %d pixels, once for these weights"
        _log.info(words, self._name, kind, shape[1], shape[0])
        began = time.monotonic()
        try:
            path = export_in_child(self._exports, kind, shape)
        finally:
            self._exports.tell("")
        _log.info("exported %s in %.1f s", self._name, time.monotonic() - began)
        return path

    @property
    def _name(self) -> Any:
        return self._exports.about["architecture"]


class ExportedDetector:
    """A detector whose network an :class:`ExportedNetwork` is (see :class:`cadsight_learning.detector.Detector`)."""

    at_once, gives_masks = 1, False

    def __init__(self, architecture: str, classes: Sequence[str], image_size: int, network: ExportedNetwork) -> None:
        self.architecture, self.image_size = architecture, image_size
        self._classes, self._network = tuple(classes), network

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def runtime(self) -> str:
        return self._network.runtime

    def predict(
        self, images: Sequence[Rgb], confidence: float = CONFIDENCE, max_detections: int = MAX_DETECTIONS
    ) -> list[list[Instance]]:
        """Parts of each picture, surest first, boxes in its own pixels; pictures may differ in size."""

        def answer(pictures: NDArray[np.uint8]) -> list[Array]:
            return [decode(one, confidence, max_detections) for one in self._network(as_input(pictures, 0.0, 1.0))]

        return look(images, self.image_size, answer)


class ExportedRegressor(Regressor):
    """A regressor of normals whose network an :class:`ExportedNetwork` is.

    It is made as :class:`cadsight_learning.regressor.Regressor`, with its network.
    """

    def __init__(self, network: ExportedNetwork, *given: Any) -> None:
        super().__init__(*given)
        self._network = network

    @property
    def runtime(self) -> str:
        return self._network.runtime

    def outputs(self, crops: NDArray[np.uint8]) -> Array:
        found = [self._network(crops_as_input(one[None], self.image_size)) for one in crops]
        return np.concatenate(found).astype(float)
