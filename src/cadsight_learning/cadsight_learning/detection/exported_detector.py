"""Models whose networks other runtimes than torch run, by their exports; torch is loaded only where none can be had."""

from collections.abc import Sequence

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance
from numpy.typing import NDArray

from cadsight_learning.data.letterbox import as_input
from cadsight_learning.detection.batches import evidence_batches, predict_batches
from cadsight_learning.detection.decoding import at_centres, decode, decode_candidates
from cadsight_learning.detection.evidence import AT_MOST, FLOOR, Evidence
from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.runtime.exported_network import ExportedNetwork

_NONE = np.zeros(0, np.float32)


class ExportedDetector:
    """A :class:`cadsight_learning.detection.detector.Detector` whose network an :class:`ExportedNetwork` is."""

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
        """Parts of each image, most confident first, boxes in its own pixels; images may differ in size."""

        def answer(batch: NDArray[np.uint8]) -> list[Array]:
            return [decode(one, confidence, max_detections) for one in self._network(as_input(batch, 0.0, 1.0))]

        return predict_batches(images, self.image_size, answer)

    @property
    def features_sha256(self) -> str:
        return self._network.features_sha256

    def evidence(self, images: Sequence[Rgb], floor: float = FLOOR, at_most: int = AT_MOST) -> list[Evidence]:
        """What it makes of each image, as torch's detector of the same network; no features where the network was
        exported before there were such."""

        def answer(batch: NDArray[np.uint8]) -> list[Evidence]:
            (raw,), *features = self._network.every(as_input(batch, 0.0, 1.0))
            rows, candidates = decode_candidates(raw, floor, at_most)
            pooled, maps = (features[0][0], [one[0] for one in features[1:]]) if features else (_NONE, [])
            objects = at_centres(maps, rows[:, :4], batch.shape[1:3])
            return [Evidence(rows[:, :4], rows[:, 5].astype(np.int64), raw[4:, candidates].T, objects, pooled)]

        return evidence_batches(images, self.image_size, 1, answer)
