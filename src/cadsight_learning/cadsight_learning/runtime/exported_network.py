"""A network that another runtime than torch runs, by its exports; torch is loaded only where none can be had."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cadsight_learning.runtime.export_process import export_in_child
from cadsight_learning.runtime.exports import Exports
from cadsight_learning.runtime.sessions import FORMATS, Session, UnusableNetworkError, open_session

_log = logging.getLogger(__name__)


class ExportedNetwork:
    """A network that is exported for each shape of image when it is first seen, in a process of its own.

    Several threads may call it at once; of those that bring a new shape one exports and the others wait.

    Args:
        may_stay: whether a network that cannot be exported is run by torch, with a warning, instead of refused, and
            in float32 where bfloat16 does not agree with it (see :mod:`cadsight_learning.runtime.agreement`).
        in_torch: loads the network into torch, for what cannot be exported.
        threads: of one call; 0: as many as torch takes.

    Attributes:
        runtime: what runs it.
        features_sha256: of the weights that make its features; empty where it gives none, and before the first call.
    """

    def __init__(
        self, exports: Exports, runtime: str, may_stay: bool, in_torch: Callable[[], Session], threads: int = 0
    ) -> None:
        self._exports, self._may_stay, self._load_torch, self._threads = exports, may_stay, in_torch, threads
        self._sessions: dict[tuple[int, int], Session] = {}
        self._torch: Session | None = None
        self._opening = threading.Lock()
        self.runtime, self.features_sha256 = runtime, ""

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network makes of images (N, 3, rows, columns), which go through it one by one.

        Raises:
            CadsightError: when it cannot be exported for their shape.
        """
        session = self._session((images.shape[2], images.shape[3]))
        return np.concatenate([session(np.ascontiguousarray(one[None])) for one in images])

    def every(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs for one image (1, 3, rows, columns), of which the first is what a call gives.

        Raises:
            CadsightError: as a call does.
        """
        return self._session((image.shape[2], image.shape[3])).every(np.ascontiguousarray(image))

    def _session(self, shape: tuple[int, int]) -> Session:
        session = self._torch or self._sessions.get(shape)
        if session is not None:
            return session
        with self._opening:
            if self._torch is None and shape not in self._sessions:
                try:
                    self._sessions[shape] = self._opened(shape)
                    self.features_sha256 = self._sessions[shape].features_sha256
                except UnusableNetworkError as error:
                    if not self._may_stay:
                        raise
                    _log.warning("%s; torch runs the network", error)
                    self._torch = self._in_torch()
                    self.features_sha256 = self._torch.features_sha256
            return self._torch or self._sessions[shape]

    def _opened(self, shape: tuple[int, int]) -> Session:
        kind = FORMATS[self.runtime]
        path = self._exports.find(kind, shape) or self._made(kind, shape)
        if self.runtime == "openvino-bf16" and self._may_stay:
            self._choose_precision(path)
        session = open_session(self.runtime, path, self._threads)
        return replace(session, features_sha256=self._exports.features_sha256(path))

    def _in_torch(self) -> Session:
        session = self._load_torch()
        self.runtime = "torch"
        self._sessions.clear()
        return session

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
