"""From an image to detections with normals: the detector, crops of what it found, their normals."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Array, unit
from cadsight_core.imaging.crops import crop
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance

from cadsight_learning.detection.detector import Detector
from cadsight_learning.detection.evidence import FLOOR, Evidence, evidence_of
from cadsight_learning.normals.regressor import Regressor, crop_rotation
from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS


@dataclass(frozen=True)
class Inference:
    """The results for one image.

    Attributes:
        instances: most confident first; each has a normal in the camera's optical frame when there was a camera and a
            regressor.
        covariances: (3, 3) of each instance's normal in that frame; None where there is no normal.
        detector_ms: the bare call of the detector.
        regressor_ms: the bare call of the regressor on all crops at once; 0 when there was none.
        evidence: what the detector made of the image before it decided; None where it was not asked for.
    """

    instances: tuple[Instance, ...]
    covariances: tuple[Array | None, ...]
    detector_ms: float
    regressor_ms: float
    evidence: Evidence | None = None


class Pipeline:
    """A detector and a regressor that work together; without a regressor there are no normals.

    Args:
        confidence: detections below it are left out; may be changed at any time, by any thread.
        max_detections: most detections an image.
    """

    def __init__(
        self,
        detector: Detector,
        regressor: Regressor | None,
        confidence: float = CONFIDENCE,
        max_detections: int = MAX_DETECTIONS,
    ) -> None:
        self.detector, self.regressor = detector, regressor
        self.confidence, self._max_detections = confidence, max_detections

    @property
    def classes(self) -> Sequence[str]:
        return self.detector.classes

    def infer(self, image: Rgb, camera: Camera | None, with_evidence: bool = False) -> Inference:
        """Detections in ``image`` (H, W, 3), with normals where ``camera`` says how it was taken.

        All crops go through the regressor in one batch; each normal is turned from its crop's viewing frame into
        the camera's, and its covariance with it. Detections and evidence come from one run of the detector; where there
        is evidence, detections have no masks.
        """
        size = ImageSize(image.shape[1], image.shape[0])
        confidence = self.confidence
        started = time.perf_counter()
        evidence = None
        if with_evidence:
            (evidence,) = evidence_of(self.detector, [image], min(FLOOR, confidence))
            instances = evidence.instances(size, confidence, self._max_detections)
        else:
            (instances,) = self.detector.predict([image], confidence, self._max_detections)
        detector_ms = (time.perf_counter() - started) * 1e3
        if not instances or camera is None or self.regressor is None:
            return Inference(tuple(instances), (None,) * len(instances), detector_ms, 0.0, evidence)
        crops = np.stack([crop(image, instance.box) for instance in instances])
        started = time.perf_counter()
        normals, covariances = self.regressor.predict(crops)
        regressor_ms = (time.perf_counter() - started) * 1e3
        rotations = [crop_rotation(camera, instance.box, size) for instance in instances]
        return Inference(
            tuple(
                replace(instance, normal=rotation @ normal)
                for instance, rotation, normal in zip(instances, rotations, unit(normals), strict=True)
            ),
            tuple(rotation @ c @ rotation.T for rotation, c in zip(rotations, covariances, strict=True)),
            detector_ms,
            regressor_ms,
            evidence,
        )
