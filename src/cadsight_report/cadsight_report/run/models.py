"""How good the two models are on the test session, and their predictions there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import angle_between, unit
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.running.progress import step, with_progress
from cadsight_core.sample import Instance, Sample
from cadsight_core.storage.json_text import with_nan
from cadsight_learning.evaluation.evaluate import Symmetries, looking_the_same
from cadsight_learning.evaluation.saliency import normal_saliency
from cadsight_learning.inference import Pipeline
from cadsight_learning.models import load_detector, load_regressor
from cadsight_learning.normals.crops import views
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import CARD

from cadsight_report.graphics.drawing import data_uri, heat
from cadsight_report.page import PageImage

__all__ = ["Symmetries", "load_detector", "load_regressor"]

Panels = list[tuple[str, Mapping[str, Sequence[float]]]]

_DETECTOR_PANELS = (
    ("box loss", {"train": "train/box_loss", "valid": "valid/box_loss"}),
    ("object and class loss", {"train": "train/class_loss", "valid": "valid/class_loss"}),
    ("mean average precision", {"mAP50": "valid/map50", "mAP50:95": "valid/map50_95"}),
)
_NORMALS_PANELS = (
    ("loss (equation 1)", {"train": "train/loss", "valid": "valid/loss"}),
    ("error on validation, degrees", {"mean": "valid/mean_deg", "median": "valid/median_deg"}),
)


def card(folder: Path) -> ModelCard | None:
    """The card of the model in ``folder``, or None where none was trained."""
    return load_card(folder) if (folder / CARD).is_file() else None


def sentence(model: ModelCard) -> str:
    """What the model is, in words."""
    origin = model.started_from or model.architecture
    epochs = f"{model.epochs} epoch{'' if model.epochs == 1 else 's'} in {model.seconds:.0f} s"
    stop = f" ({model.stopped})" if model.stopped else ""
    kept = f"number {model.best_epoch} was the best by validation and is kept"
    return f"{origin[:1].upper()}{origin[1:]}, {epochs}{stop}; {kept}."


def as_trained(samples: Sequence[Sample], detector: ModelCard) -> list[Sample]:
    """``samples`` with boxes made 1:1 where the detector learnt such boxes (Comillas, section 3.3)."""
    if not detector.options.get("square", False):
        return list(samples)
    return [replace(s, instances=tuple(replace(i, box=i.box.squared(s.size)) for i in s.instances)) for s in samples]


def detector_curves(folder: Path) -> Panels:
    """Losses and precision by epoch; no panels where no curves were kept."""
    return _panels(folder, _DETECTOR_PANELS)


def normals_curves(folder: Path) -> Panels:
    """Loss and error by epoch; no panels where no curves were kept."""
    return _panels(folder, _NORMALS_PANELS)


def constant_error_deg(
    samples: Sequence[Sample], training: Sequence[Sample], symmetries: Symmetries | None = None
) -> float | None:
    """Mean error on ``samples``, up to the symmetry of their parts, of always answering the mean normal of
    ``training``; None where that has none."""
    known = [i.normal for s in training for i in s.instances if i.normal is not None]
    if not known:
        return None
    constant = unit(np.mean(known, axis=0))
    instances = [i for s in samples for i in s.instances if i.normal is not None]
    same = [looking_the_same(np.asarray(i.normal), constant, i, symmetries or {}) for i in instances]
    return float(np.mean(angle_between(same, constant)))


def infer_samples(pipeline: Pipeline, samples: Sequence[Sample]) -> list[tuple[Instance, ...]]:
    """Predictions on the image of each sample, normals in the camera's optical frame."""
    read = with_progress(samples, len(samples), "images inferred")
    return [pipeline.infer(image_of(sample), sample.camera).instances for sample in read]


def caption(sample: Sample, found: Sequence[Instance], symmetries: Symmetries | None = None) -> str:
    """Overlap, score and angle, up to symmetry, between what is there and the best of what was found."""
    if not sample.instances:
        return f"{sample.name}: nothing there, {len(found)} found"
    true = sample.instances[0]
    if not found:
        return f"{sample.name}: missed"
    best = max(found, key=lambda i: i.box.iou(true.box))
    text = f"{sample.name}: IoU {best.box.iou(true.box):.2f}, score {best.score or 0:.2f}"
    if best.normal is not None and true.normal is not None:
        same = looking_the_same(np.asarray(true.normal), np.asarray(best.normal), true, symmetries or {})
        text += f", normal off by {float(angle_between(best.normal, same)):.1f} degrees"
    return text if len(found) == len(sample.instances) else f"{text}; {len(found)} found"


def saliency_images(regressor: NormalRegressor, samples: Sequence[Sample]) -> list[PageImage]:
    """Saliency maps of the regressor on the crop of each sample (Comillas, figures 20 and 23)."""
    seen = views(samples)
    with step("saliency"):
        maps = normal_saliency(regressor, np.stack([v.crop for v in seen]))
    return [
        PageImage(v.name, data_uri(np.hstack([v.crop, heat(v.crop, m)]), max_width=448), v.name)
        for v, m in zip(seen, maps, strict=True)
    ]


def image_of(sample: Sample) -> Rgb:
    """The image (H, W, 3) of a sample whose image path is absolute."""
    return read_image(sample.image)


def _panels(folder: Path, layout: Sequence[tuple[str, Mapping[str, str]]]) -> Panels:
    path = folder / "curves.json"
    if not path.is_file():
        return []
    try:
        rows: list[dict[str, float]] = [with_nan(row) for row in json.loads(path.read_text())]
        panels: Panels = []
        for title, lines in layout:
            values = {name: [row[key] for row in rows] for name, key in lines.items() if rows and key in rows[0]}
            if values:
                panels.append((title, values))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CadsightError(f"{path} could not be read ({error}), expected one row an epoch") from error
    return panels
