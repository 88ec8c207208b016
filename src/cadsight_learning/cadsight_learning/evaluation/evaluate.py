"""How good a model is on labelled images: the columns of the paper's table 1, and its angle errors."""

import contextlib
import dataclasses
from collections.abc import Sequence

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, angle_between
from cadsight_core.imaging.images import read_image
from cadsight_core.parts.symmetry import equal_normal
from cadsight_core.running.progress import step, with_progress
from cadsight_core.sample import Instance, Sample
from cadsight_core.shapes import is_crowd

from cadsight_learning.detection.detector import Detector, TorchDetector
from cadsight_learning.evaluation.normal_metrics import CropResult, NormalMetrics, Vector
from cadsight_learning.metrics.angles import angle_figures, angle_intervals, squared_distance
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.detection import detection_figures
from cadsight_learning.metrics.masks import mask_figures
from cadsight_learning.metrics.per_image import per_image
from cadsight_learning.metrics.results import DetectionMetrics
from cadsight_learning.normals.calibration import calibration
from cadsight_learning.normals.crops import Symmetries as Symmetries
from cadsight_learning.normals.crops import views
from cadsight_learning.normals.task import nearest
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.normals.von_mises_fisher import concentrations
from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS
from cadsight_learning.runtime.devices import out_of_memory_explained


def evaluate_detector(
    detector: Detector,
    samples: Sequence[Sample],
    confidence: float = CONFIDENCE,
    max_detections: int = MAX_DETECTIONS,
    square: bool = False,
    batch: int | None = None,
) -> DetectionMetrics:
    """Table 1 of the paper (Comillas, section 4.2): everything counts only detections of at least ``confidence``.

    Class ids of ``samples`` are the detector's (see :func:`in_classes_of`). YOLO's ``object_loss`` is its class loss,
    which also says whether there is a part at all; losses are those of training, on these images.

    Boxes are compared in the images' own pixels, whatever size the network sees them at. It sees
    ``batch`` images at once, by default as many as suit it.

    Raises:
        CadsightError: for an empty set, one without labels that is not of backgrounds, an unreadable image, or a
            device without memory left.
    """
    batch = _checked(samples, batch, detector.at_once)
    if not any(s.instances or s.record.get("background") is True for s in samples):
        raise CadsightError(
            f"the {len(samples)} test images have no labels, expected some, or images that are marked to "
            "show nothing, as `cadsight data frames --background` adds them"
        )
    found_instances: list[list[Instance]] = []
    with _out_of_memory_explained(batch, detector.image_size):
        starts = range(0, len(samples), batch)
        for start in with_progress(starts, len(starts), "inferring"):
            images = [read_image(s.image) for s in samples[start : start + batch]]
            found_instances += detector.predict(images, confidence, max_detections)
        losses = detector.losses(samples, square, batch) if isinstance(detector, TorchDetector) else {}
    truth = [_boxes(list(s.instances), s, square) for s in samples]
    found: list[Boxes] = [_boxes(instances, s, False) for instances, s in zip(found_instances, samples, strict=True)]
    with step("figures and intervals"):
        metrics = detection_figures(truth, found, detector.classes, max_detections)
        count = len(detector.classes)
        masks = mask_figures(samples, found_instances, count, max_detections) if detector.gives_masks else None
    return dataclasses.replace(
        metrics,
        # YOLO's class loss also says whether there is a part at all; R-CNNs have a loss of their own for that.
        losses={"object_loss": losses["class_loss"], **losses} if "class_loss" in losses else losses,
        masks=masks,
        confidence=confidence,
        max_detections=max_detections,
        square=square,
        per_image=per_image(metrics.matches, detector.classes, [s.name for s in samples], truth, found),
    )


def evaluate_normals(
    regressor: NormalRegressor,
    samples: Sequence[Sample],
    symmetries: Symmetries | None = None,
    batch: int | None = None,
) -> NormalMetrics:
    """Angles between predicted and labelled normals, against the vertical component of the true one.

    The camera looks straight down, so the vertical is its optical axis: ``vertical`` is the file's ``w`` = -z of the
    true normal in the camera's optical frame, 1 for a surface that faces the camera (Comillas, figure 24).

    Where ``symmetries`` has the class of an instance whose pose is known, its angle is the smallest over the normals
    that look the same. The network sees ``batch`` crops at once.

    Raises:
        CadsightError: for an empty set, one without normals, an unreadable image, or a device without memory left.
    """
    batch = _checked(samples, batch, regressor.at_once)
    with _out_of_memory_explained(batch, regressor.image_size):
        all_views = views(samples, symmetries=symmetries)
        answers = [
            regressor.predict(np.stack([v.crop for v in all_views[start : start + batch]]))
            for start in with_progress(range(0, len(all_views), batch), -(-len(all_views) // batch), "inferring")
        ]
    normals, covariances = (np.concatenate(each) for each in zip(*answers, strict=True))
    viewing = np.stack([v.normal for v in all_views])
    rotations = np.stack([v.rotation for v in all_views])
    alike = nearest([v.same for v in all_views], normals)
    predicted, true, same = (np.einsum("nij,nj->ni", rotations, n) for n in (normals, viewing, alike))
    instances = [i for s in samples for i in s.instances if i.normal is not None]
    angles, kappas = np.asarray(angle_between(predicted, same)), concentrations(covariances)
    images = [s.name for s in samples for i in s.instances if i.normal is not None]
    return NormalMetrics(
        **angle_figures(predicted, same),
        intervals=angle_intervals(angles, images),
        loss=squared_distance(predicted, same),
        crops=len(all_views),
        symmetric=sum(_has_symmetry(i, symmetries or {}) for i in instances),
        calibration=calibration(angles, kappas),
        per_image=tuple(
            CropResult(view.name, image, float(angle), float(-t[2]), float(kappa), _vector(p), _vector(t))
            for view, image, angle, kappa, p, t in zip(all_views, images, angles, kappas, predicted, true, strict=True)
        ),
    )


def looking_the_same(normal: Array, seen: Array, instance: Instance, symmetries: Symmetries) -> Array:
    """Of the normals (3,) that look the same on ``instance`` as ``normal``, the one nearest to ``seen``."""
    if not _has_symmetry(instance, symmetries):
        return normal
    assert instance.camera_from_part is not None
    return equal_normal(normal, seen, instance.camera_from_part, symmetries[instance.class_id])


def _has_symmetry(instance: Instance, symmetries: Symmetries) -> bool:
    return bool(symmetries.get(instance.class_id)) and instance.camera_from_part is not None


def in_classes_of(samples: Sequence[Sample], names: Sequence[str], classes: Sequence[str]) -> list[Sample]:
    """``samples`` labelled with ``names``, relabelled with the ids of ``classes``, in any order and number.

    Raises:
        CadsightError: when a class that occurs is not among ``classes``.
    """
    used = {i.class_id for s in samples for i in s.instances}
    ids = {}
    for class_id in sorted(used):
        if class_id >= len(names) or names[class_id] not in classes:
            name = names[class_id] if class_id < len(names) else class_id
            raise CadsightError(f"the data hold the class {name!r}, expected one of the model's: {', '.join(classes)}")
        ids[class_id] = list(classes).index(names[class_id])
    if all(a == b for a, b in ids.items()):
        return list(samples)
    return [
        dataclasses.replace(s, instances=tuple(dataclasses.replace(i, class_id=ids[i.class_id]) for i in s.instances))
        for s in samples
    ]


def _vector(row: Array) -> Vector:
    x, y, z = map(float, row)
    return x, y, z


def _checked(samples: Sequence[Sample], batch: int | None, own: int) -> int:
    """``batch``, or the network's ``own`` where none is given."""
    if not samples:
        raise CadsightError("the test set is empty, expected at least one labelled image")
    if batch is not None and batch < 1:
        raise CadsightError(f"batch is {batch}, expected at least 1 image at once")
    return batch or own


def _out_of_memory_explained(batch: int, image_size: int) -> contextlib.AbstractContextManager[None]:
    return out_of_memory_explained(f"batch {batch}, or the image_size {image_size} of the model's training")


def _boxes(instances: Sequence[Instance], sample: Sample, square: bool) -> Boxes:
    boxes = [i.box.squared(sample.size) if square else i.box for i in instances]
    return Boxes(
        np.array([b.as_tuple() for b in boxes], float).reshape(-1, 4),
        np.array([i.class_id for i in instances], int),
        np.array([i.score if i.score is not None else 1.0 for i in instances], float),
        np.array([is_crowd(i) for i in instances], bool),
    )
