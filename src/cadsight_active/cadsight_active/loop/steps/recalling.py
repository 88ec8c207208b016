"""What a model makes of images that the pool keeps, before it is served: so the pool knows them by its features."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from cadsight_core.imaging.images import read_image
from cadsight_core.sample import Sample
from cadsight_learning.detection.evidence import Evidence, EvidenceDetector
from cadsight_learning.models import load_detector
from cadsight_learning.registry.store import version

from cadsight_active.pool.seen import Seen

_AT_ONCE = 8


def look_again(samples: Sequence[Sample], model: Path, progress: Callable[[int], None]) -> list[Seen]:
    """What the detector in ``model`` makes of each image, with no stamp; nothing of one that has no features.

    Args:
        progress: is called with how many are done.

    Raises:
        CadsightError: when the model or an image cannot be read.
    """
    sha256, detector = version(model), load_detector(model)
    if not isinstance(detector, EvidenceDetector):
        return []
    found: list[Seen] = []
    left = iter(samples)
    while some := list(islice(left, _AT_ONCE)):
        evidence = detector.evidence([read_image(sample.image) for sample in some])
        # Known after the first inference, where another runtime runs it.
        image_sha256 = detector.features_sha256
        if not image_sha256:
            return []
        found += [_seen(one, sha256, image_sha256) for one in evidence]
        progress(len(found))
    return found


def _seen(evidence: Evidence, model: str, image_model: str) -> Seen:
    return Seen(0, evidence.boxes, evidence.scores, evidence.features, evidence.image_features, model, image_model)
