"""Which sets each of the papers' experiments trains on, and how."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cadsight_core.config.parameters import from_mapping
from cadsight_learning.detection.families import detector_options
from cadsight_learning.options import DetectorOptions, NormalOptions

from cadsight_experiments.papers.scales import Scale
from cadsight_experiments.plan import Plan
from cadsight_experiments.training_set import TrainingSet


@dataclass(frozen=True)
class Material:
    """Folders of labelled images; '' where there is none.

    Attributes:
        real, synthetic, translated: to train on; translated ones are synthetic ones made to look real.
        augmented: the synthetic images with changed copies.
        test: real images to evaluate models on.
    """

    real: str
    synthetic: str
    test: str
    translated: str = ""
    augmented: str = ""


Planner = Callable[[Material, Scale], Plan]


def comillas(material: Material, scale: Scale) -> Plan:
    """Real against synthetic against translated, for each size of YOLO and for the regressor (tables 1 and 2)."""
    sets = []
    for size in scale.sizes:
        for kind in ("real", "synthetic", "translated"):
            folder = getattr(material, kind)
            if folder:
                how = _detector(scale, size=size, square=True)
                has_normals = size == scale.sizes[0]
                facts = {"size": size}
                sets.append(
                    TrainingSet(f"{kind}-{size}", (folder,), detector=how, has_normals=has_normals, facts=facts)
                )
    return _plan(sets, material, scale, _detector(scale, square=True), _normals(scale))


def morato(material: Material, scale: Scale, most_real: int, most_synthetic: int) -> Plan:
    """Number of images from CAD by number of real ones: CAD only, real only, mixed (section 6, the sweep).

    Args:
        most_real, most_synthetic: images that there are; a larger step takes all of them.
    """
    sets = []
    real_steps, synthetic_steps = (
        sorted({min(step, most) for step in steps})
        for steps, most in ((scale.real_steps, most_real), (scale.synthetic_steps, most_synthetic))
    )
    for cad in synthetic_steps:
        for real in real_steps:
            parts = [(f, n) for f, n in ((material.synthetic, cad), (material.real, real)) if n]
            if parts:
                folders, counts = zip(*parts, strict=True)
                sets.append(TrainingSet(f"cad{cad}-real{real}", folders, counts, facts={"cad": cad, "real": real}))
    return _plan(sets, material, scale, _detector(scale), None)


def rudenko(material: Material, scale: Scale) -> Plan:
    """Mask R-CNN on rendered masks, as they are and with augmented copies, tested on photographs (section 6)."""
    sets = [TrainingSet("rendered", (material.synthetic,))]
    if material.augmented:
        sets.append(TrainingSet("rendered-and-augmented", (material.augmented,)))
    return _plan(sets, material, scale, detector_options(scale.mask, "--detector"), None)


def transfer(material: Material, scale: Scale) -> Plan:
    """Synthetic first, then real for fewer epochs, beside as few and as many epochs on real ones alone."""
    detector, normals = _detector(scale), _normals(scale)
    fewer = max(round(scale.fewer * detector.epochs), 1)
    short = dataclasses.replace(detector, epochs=fewer)
    short_normals = dataclasses.replace(normals, epochs=max(round(scale.fewer * normals.epochs), 1))
    real = (material.real,)
    sets = [
        TrainingSet("synthetic", (material.synthetic,)),
        TrainingSet("real", real),
        TrainingSet("real-fewer-epochs", real, detector=short, normals=short_normals),
        TrainingSet("synthetic-then-real", real, detector=short, normals=short_normals, after="synthetic"),
    ]
    return _plan(sets, material, scale, detector, normals)


def mixing(material: Material, scale: Scale, images: int) -> Plan:
    """The same number of ``images``, more and more of them synthetic."""
    sets = []
    for fraction in scale.fractions:
        synthetic = round(fraction * images)
        counted = ((material.synthetic, synthetic), (material.real, images - synthetic))
        # A set of one image has none left to validate on.
        folders, counts = zip(*[(f, n) for f, n in counted if n > 1], strict=True)
        sets.append(
            TrainingSet(f"synthetic{fraction:.0%}".rstrip("%"), folders, counts, facts={"synthetic_share": fraction})
        )
    return _plan(sets, material, scale, _detector(scale), _normals(scale))


def _plan(
    sets: Sequence[TrainingSet],
    material: Material,
    scale: Scale,
    detector: DetectorOptions,
    normals: NormalOptions | None,
) -> Plan:
    return Plan(tuple(sets), material.test, scale.seeds, detector, normals)


def _detector(scale: Scale, **changes: Any) -> DetectorOptions:
    return detector_options({**changes, **scale.detector}, "--detector")


def _normals(scale: Scale) -> NormalOptions:
    return from_mapping(NormalOptions, scale.normals, "--normals")
