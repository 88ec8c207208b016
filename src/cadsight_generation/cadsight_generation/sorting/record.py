"""What is written of a sorting, and the answers of people who sorted the same images by eye."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import read_document
from cadsight_learning.registry.provenance import content

from cadsight_generation.sorting.measures.agreement import Agreement, agreement
from cadsight_generation.sorting.options import COLOURS
from cadsight_generation.sorting.sorter import Sorting
from cadsight_generation.sorting.verdict import SortedImage

SORTED_FORMAT = "cadsight-sorted-1"
ANSWERS_FORMAT = "cadsight-sorted-by-hand-1"


def as_record(sorting: Sorting) -> dict[str, Any]:
    """A sorting, ready for JSON."""
    return {
        "format": SORTED_FORMAT,
        "count": sorting.count(),
        "overall": asdict(sorting.overall),
        "options": asdict(sorting.options),
        "trained_on": sorting.trained_on,
        "held_out": sorting.held_out,
        "threshold": sorting.threshold,
        "side": sorting.side,
        "detector": sorting.detector,
        "notes": list(sorting.notes),
        "images": [_row(one) for one in sorting.images],
    }


def for_hand(sorting: Sorting, count: int) -> list[SortedImage]:
    """At most ``count`` of the images in an order at random, that of the sorting's seed."""
    order = np.random.default_rng([sorting.options.seed, 0x4A9D]).permutation(len(sorting.images))
    return [sorting.images[int(number)] for number in order[:count]]


def key_of(one: SortedImage) -> str:
    """By what answers know an image: the SHA-256 of its file.

    Raises:
        CadsightError: when the file is gone.
    """
    return content(one.sample)


def agreement_with(path: str | Path, images: Sequence[SortedImage]) -> Agreement:
    """How well the answers in the file at ``path`` agree with the colours of ``images``: first by hand, then by us.

    Raises:
        CadsightError: for a file that holds no answers, unknown colours, or answers about other images.
    """
    given = read_document(path, ANSWERS_FORMAT, "file of answers").get("answers")
    if not isinstance(given, dict) or not given:
        raise CadsightError(f"{path} has no answers, expected the colours of the images that were sorted by hand")
    ours = {key_of(one): one.colour for one in images}
    for key, colour in given.items():
        if key not in ours:
            raise CadsightError(f"{path} has an answer on an image {key[:16]} that is not among those sorted here")
        if colour not in COLOURS:
            raise CadsightError(f"{path} has the answer {colour!r}, expected one of {', '.join(COLOURS)}")
    return agreement(list(given.values()), [ours[key] for key in given])


def _row(one: SortedImage) -> dict[str, Any]:
    return {
        "name": one.sample.name,
        "file": str(one.sample.image),
        "colour": one.colour,
        "reason": one.reason,
        "nearest": one.nearest.name,
        "nearest_file": str(one.nearest.image),
        "residual": one.residual,
        "copy_p": one.copy_p,
        "distance": one.distance,
        "quality_p": one.quality_p,
        "objects": one.objects,
        "copied_objects": one.copied_objects,
        "recombined": one.recombined,
    }
