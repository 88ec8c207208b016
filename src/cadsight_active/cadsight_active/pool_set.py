"""Candidates out of data sets: what a detector makes of their images, read one batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_learning.detection.detector import Detector
from cadsight_learning.detection.evidence import Evidence, evidence_of
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.provenance import by_content, content
from cadsight_learning.runtime.exports import sha256
from cadsight_learning.similarity.extractors import ImageFeatures

from cadsight_active.batch import Batch, Chosen, Neighbour, Selection
from cadsight_active.candidates import LOWEST_FLOOR, Candidates
from cadsight_active.difficulty import class_difficulties
from cadsight_active.options import SelectionOptions
from cadsight_active.selection import floor_correlations, nearest_labelled, refuse_too_few, select
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_active.strategies.strategy import Choice

_AT_ONCE = 16


@dataclass(frozen=True)
class PoolSet:
    """Images to choose from and labelled ones.

    Attributes:
        unlabelled: labels that they may have are not looked at.
        labelled: in the class ids of the model.
    """

    unlabelled: Sequence[Sample]
    labelled: Sequence[Sample] = ()

    @staticmethod
    def of(images: Sequence[Sample], labelled: Sequence[Sample]) -> "PoolSet":
        """Those of ``images`` that are none of the ``labelled`` ones, by the content of their files, beside these.

        Raises:
            CadsightError: when an image cannot be read.
        """
        known = by_content(labelled)
        left = [s for s in images if content(s) not in known]
        return PoolSet(left, [replace(s, name=f"labelled/{s.name}") for s in labelled])

    @property
    def samples(self) -> list[Sample]:
        return [*self.unlabelled, *self.labelled]


def select_from(
    pool: PoolSet, options: SelectionOptions, detector: Detector | None = None, folder: str | Path = ""
) -> Selection:
    """Choose images of a pool.

    Args:
        detector: the model; None for a strategy that needs none.
        folder: where it lies, for the record.

    Raises:
        CadsightError: as :func:`cadsight_active.selection.select`, without a model that the strategy needs, and when an
            image cannot be read.
    """
    strategy = STRATEGIES.named(options.strategy)
    if strategy.asks_model and detector is None:
        raise CadsightError(f"the strategy {options.strategy} asks a model and none is given, expected one")
    refuse_too_few(len(pool.unlabelled), options)
    candidates, refused = candidates_of(pool, detector, "common_features" in strategy.needs).finite()
    choice = select(candidates, options)
    by_name = {s.name: s for s in pool.samples}
    near = nearest_labelled(candidates, choice.images)
    weights = sha256(Path(folder) / WEIGHTS) if detector is not None and folder else ""
    notes = choice.notes
    if refused:
        notes += (f"{len(refused)} images have a score or feature that is no number and are left out",)
    batch = Batch(
        options.strategy,
        {name: getattr(options, name) for name in options.__dataclass_fields__},
        str(folder),
        weights,
        () if detector is None else detector.classes,
        (len(candidates.unlabelled), int(candidates.labelled.sum())),
        tuple(_chosen(candidates, choice, place, by_name, near) for place in range(options.k)),
        refused,
        floor_correlations(candidates, options, choice),
        notes,
    )
    return Selection(batch, candidates, choice.values)


def candidates_of(pool: PoolSet, detector: Detector | None = None, common: bool = False) -> Candidates:
    """What a detector makes of every image of a pool, and with ``common`` what ImageNet's features say of it.

    A detector that another runtime runs gives its boxes with one score alone, and no features.

    Raises:
        CadsightError: when an image cannot be read.
    """
    samples = pool.samples
    extractor = ImageFeatures() if common else None
    evidence: list[Evidence] = []
    frozen: list[np.ndarray] = []
    # A strategy that asks nothing needs no image read.
    asked = samples if detector is not None or extractor is not None else []
    left = iter(with_progress(asked, len(asked), "images inferred"))
    while some := list(islice(left, _AT_ONCE)):
        images = [read_image(s.image) for s in some]
        if detector is not None:
            evidence += evidence_of(detector, images, LOWEST_FLOOR)
        if extractor is not None:
            frozen.append(extractor.of(images))
    classes = len(detector.classes) if detector is not None else 1
    if detector is None:
        nothing = Evidence(
            np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros((0, 1), np.float32), np.zeros((0, 0), np.float32)
        )
        evidence = [nothing] * len(samples)
    pooled = [one.image_features for one in evidence]
    labelled = np.arange(len(samples)) >= len(pool.unlabelled)
    return Candidates.of(
        [s.name for s in samples],
        labelled.tolist(),
        evidence,
        classes,
        np.stack(pooled) if len(pooled) and pooled[0].size else None,
        np.concatenate(frozen) if frozen else None,
        class_difficulties(pool.labelled, evidence[len(pool.unlabelled) :], classes)
        if detector is not None and len(pool.labelled)
        else None,
    )


def _chosen(
    candidates: Candidates,
    choice: Choice,
    place: int,
    samples: dict[str, Sample],
    near: tuple[np.ndarray, np.ndarray] | None,
) -> Chosen:
    image = int(choice.images[place])
    sample = samples[candidates.ids[image]]
    alike = None
    if near is not None:
        twin = samples[candidates.ids[int(near[0][place])]]
        alike = Neighbour(twin.name, twin.image, float(near[1][place]))
    cluster = int(choice.clusters[place]) if len(choice.clusters) else None
    return Chosen(
        sample.name, sample.image, content(sample), float(choice.values[image]), cluster, choice.reasons[place], alike
    )
