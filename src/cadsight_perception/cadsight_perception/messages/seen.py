"""What the detector made of an image, as a message."""

import array
from typing import TYPE_CHECKING

import numpy as np
from std_msgs.msg import Header

from cadsight_interfaces.msg import SeenImage

if TYPE_CHECKING:
    from cadsight_learning.detection.evidence import Evidence

    from cadsight_perception.serving.models import Served


def seen_to_message(evidence: "Evidence", header: Header, served: "Served") -> SeenImage:
    """``evidence`` of one image, with the models that are served."""
    return SeenImage(
        header=header,
        generation=served.generation,
        detector_sha256=served.detector.version,
        features_sha256=getattr(served.detector.model, "features_sha256", "") if evidence.image_features.size else "",
        classes=list(served.pipeline.classes),
        boxes=_floats(evidence.boxes),
        scores=_floats(evidence.scores),
        object_features=_floats(evidence.features),
        image_features=_floats(evidence.image_features),
    )


def _floats(values: np.ndarray) -> "array.array[float]":
    # As the message keeps them: from a list each number would be checked by itself.
    return array.array("f", np.ascontiguousarray(values, np.float32).tobytes())
