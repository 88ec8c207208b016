"""Who labels a batch: a data set that knows the truth, or people with a labelling tool."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import pixels_digest, read_image
from cadsight_core.sample import Sample
from cadsight_learning.data.loading import load_together
from cadsight_learning.evaluation.evaluate import in_classes_of
from cadsight_learning.registry.provenance import by_content, content


@dataclass(frozen=True)
class Answers:
    """What came back of a batch.

    Attributes:
        samples: with labels, or none where there is nothing, by the names of the pool.
        left_out: names of those that nobody labelled.
    """

    samples: tuple[Sample, ...]
    left_out: tuple[str, ...] = ()


class Labeller(Protocol):
    """Whoever labels."""

    def answers(self, images: Sequence[Sample], number: int, classes: Sequence[str]) -> Answers | None:
        """Labels of the images of batch ``number``; None as long as they are not there.

        Raises:
            CadsightError: for labels that cannot be used.
        """


class Truth:
    """Labels that are known already: of a simulated cell, or of a cell where the part is on the robot. Images are known
    again by their pixels."""

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self._samples, self._classes = load_together(folders)

    def answers(self, images: Sequence[Sample], number: int, classes: Sequence[str]) -> Answers | None:
        found, lacking = [], []
        known = in_classes_of(self._samples, self._classes, classes)
        for image in images:
            place = self._by_pixels.get(_pixels(image))
            if place is None:
                lacking.append(image.name)
            else:
                found.append(_labelled(image, known[place]))
        return Answers(tuple(found), tuple(lacking))

    @cached_property
    def _by_pixels(self) -> dict[str, int]:
        # Every image is read: at the first labels, not at the start of a node.
        return {_pixels(sample): place for place, sample in enumerate(self._samples)}


class People:
    """A data set of labels that `cadsight labels import` writes to ``folder/NNN``; it is taken when it is there."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def folder_of(self, number: int) -> Path:
        """Where the labels of batch ``number`` are expected."""
        return self._folder / f"{number:03d}"

    def answers(self, images: Sequence[Sample], number: int, classes: Sequence[str]) -> Answers | None:
        folder = self.folder_of(number)
        if not Dataset.is_one(folder):
            return None
        samples, names = load_together([folder])
        given = by_content(in_classes_of(samples, names, classes))
        by_image = {content(image): image for image in images}
        if strangers := sorted(given.keys() - by_image.keys()):
            raise CadsightError(
                f"{folder} has labels of {given[strangers[0]].name}, which is not in batch {number}, "
                "expected images of it alone"
            )
        found = tuple(_labelled(image, given[key]) for key, image in by_image.items() if key in given)
        return Answers(found, tuple(image.name for key, image in by_image.items() if key not in given))


def _labelled(image: Sample, known: Sample) -> Sample:
    return Sample(image.name, image.image, image.size, known.camera, known.instances, known.origin, "")


def _pixels(sample: Sample) -> str:
    return pixels_digest(read_image(sample.image))
