"""Sorts generated images: green, yellow, white or red, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from cadsight_core.running.progress import step
from cadsight_core.sample import Sample
from cadsight_learning.detection.detector import Detector
from torch import Tensor

from cadsight_generation.sorting.faulty import learned_faults, quality_scores, usual_scores
from cadsight_generation.sorting.measures.conformal import needed, p_values, refuse_too_few
from cadsight_generation.sorting.measures.objects import copied_alone, objects_of
from cadsight_generation.sorting.measures.overall import Overall, overall
from cadsight_generation.sorting.measures.quality import PatchBank, combined, drawn
from cadsight_generation.sorting.measures.residual import AlignedResidual, Small
from cadsight_generation.sorting.options import COLOURS, Colour, SortingOptions
from cadsight_generation.sorting.sets import Seeing, check_generated, check_real, common_side
from cadsight_generation.sorting.verdict import Measured, SortedImage, sorted_image


@dataclass(frozen=True)
class Sorting:
    """Generated images sorted.

    Attributes:
        threshold: the largest residual at which an image is red.
        side: pixels of the square at which images were compared.
    """

    images: tuple[SortedImage, ...]
    overall: Overall
    options: SortingOptions
    trained_on: int
    held_out: int
    threshold: float
    side: int
    detector: str
    notes: tuple[str, ...]

    def count(self) -> dict[Colour, int]:
        """How many images have each colour."""
        return {colour: sum(one.colour == colour for one in self.images) for colour in COLOURS}


def sort_images(
    generated: Sequence[Sample],
    trained_on: Sequence[Sample],
    held_out: Sequence[Sample],
    options: SortingOptions,
    detector: Detector | None = None,
    detector_name: str = "",
) -> Sorting:
    """Sort ``generated`` images.

    Args:
        trained_on: the images that the generator learned from.
        held_out: real images of the same kind that it never saw, by which every p-value is counted.
        detector: what finds objects; without one the labels of the images count, where all three sets have some.

    Raises:
        CadsightError: for fewer held-out images than the strictest level takes, sets by which nothing can be told (see
            :func:`.sets.check_real` and :func:`.sets.check_generated`), and an unreadable image.
    """
    refuse_too_few(len(held_out), options.strictest)
    seeing = Seeing(common_side([*generated, *trained_on, *held_out]))
    real = [*trained_on, *held_out]
    rng, count = np.random.default_rng([options.seed, 0x50A7]), PatchBank.per_image(len(real))
    kept: list[Tensor] = []
    learned, unseen = (
        seeing.of(samples, what, lambda patches: kept.extend(drawn(patches, count, rng)))
        for samples, what in ((trained_on, "training"), (held_out, "held-out"))
    )
    check_real(learned, unseen)
    bank = PatchBank.of(kept)
    rows: list[Array] = []
    models = learned_faults(seeing, bank, real, rng)
    made = seeing.of(generated, "generated", lambda patches: rows.append(quality_scores(bank, models, patches)))
    check_generated(made, unseen)
    usual = usual_scores(seeing, bank, models, unseen.samples, first=len(learned))
    distance, usual_distance = (combined(one, usual) for one in (np.concatenate(rows), usual))
    quality_p = p_values(-distance, -usual_distance)
    with step("images aligned"):
        residual = AlignedResidual.of(learned.small)
        to_training = residual.between(made.small, learned.small)
        calibration = residual.between(unseen.small, learned.small).min(axis=1)
        threshold = _threshold(calibration, options.red)
        alike = residual.between(made.small, made.small, mirrored=False) < _nearest_pair(
            residual, np.concatenate([learned.small, unseen.small])
        )
    copy_p = p_values(to_training.min(axis=1), calibration)
    objects, copied, nothing_is_poor, notes = _objects(generated, trained_on, held_out, detector, options)
    images = tuple(
        sorted_image(
            Measured(
                sample,
                trained_on[int(to_training[number].argmin())],
                float(to_training[number].min()),
                float(copy_p[number]),
                float(distance[number]),
                float(quality_p[number]),
                objects[number],
                copied[number],
            ),
            options,
            nothing_is_poor,
        )
        for number, sample in enumerate(generated)
    )
    with step("sets compared"):
        judge = seeing.judge.name
        together = overall(made.judged, learned.judged, unseen.judged, alike, judge, options.seed)
    return Sorting(
        images, together, options, len(learned), len(unseen), threshold, seeing.side, detector_name, tuple(notes)
    )


def _nearest_pair(residual: AlignedResidual, real: Small) -> float:
    """The residual of the two real images that are most alike."""
    pairs = residual.between(real, real, mirrored=False)
    np.fill_diagonal(pairs, np.inf)
    return float(pairs.min())


def _threshold(calibration: Array, level: float) -> float:
    """The residual below which an image is a copy: its p-value is at most ``level``."""
    below = int(level * (len(calibration) + 1) + 1e-9)
    return float(np.nextafter(np.sort(calibration)[below - 1], 0.0))


def _objects(
    generated: Sequence[Sample],
    trained_on: Sequence[Sample],
    held_out: Sequence[Sample],
    detector: Detector | None,
    options: SortingOptions,
) -> tuple[Sequence[int | None], Sequence[int | None], bool, list[str]]:
    """Objects of each generated image, how many are copies, whether none at all means poor, and notes."""
    unknown: list[int | None] = [None] * len(generated)
    if detector is None and not all(any(s.instances for s in one) for one in (generated, trained_on, held_out)):
        return unknown, unknown, False, ["without a detector and without labels nothing is told of single objects"]
    found, learned, unseen = (
        objects_of(samples, detector, what)
        for samples, what in ((generated, "generated"), (trained_on, "training"), (held_out, "held-out"))
    )
    notes = []
    empty = sum(count == 0 for count in unseen.count)
    nothing_is_poor = detector is not None and (1 + empty) / (1 + len(held_out)) <= options.white
    if detector is not None and not nothing_is_poor:
        notes.append(
            f"the detector finds nothing in {empty} of {len(held_out)} held-out images either, so that an image in "
            "which it finds nothing is not called poor for that"
        )
    copied = copied_alone(found, learned, unseen, options.red)
    if copied and copied[0] is None:
        notes.append(
            f"{len(unseen.small)} objects of held-out images and {len(learned.small)} of training images came, too few "
            f"to tell objects that are copies: expected at least {needed(options.red)} and 2"
        )
    return list(found.count), copied, nothing_is_poor, notes
