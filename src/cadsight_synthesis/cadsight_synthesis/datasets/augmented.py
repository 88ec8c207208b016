"""Changed copies of the images of a data set, spread over processes and continued where they were left."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cadsight_core.config.parameters import by_first_names
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Loaded, Reading, read
from cadsight_core.formats.reading.key_points import mirror_orders
from cadsight_core.imaging.images import encode_image, read_image
from cadsight_core.parts.part import Part, load_parts
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.storage.json_text import json_text

from cadsight_synthesis.datasets.rendered import PARTS, write_set
from cadsight_synthesis.datasets.source import EncodedSample
from cadsight_synthesis.image_ops.augmentation import AugmentationParameters, augment, copy_seed

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


@dataclass(frozen=True)
class AugmentedImages:
    """The copies of each image of a data set in any known format, a group an image (see :class:`made.Images`).

    Attributes:
        copies: of each image.
        originals: the image itself comes first in its group.
        split: only the images of this split; None for all.
        reading: how the source is read.
    """

    source: Path
    copies: int
    parameters: AugmentationParameters
    originals: bool = True
    split: str | None = None
    reading: Reading | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those that the source keeps beside its samples, so that the copies can be checked against their meshes."""
        folder = self.source / PARTS
        return load_parts(folder) if Dataset.is_one(self.source) and folder.is_dir() else ()

    @property
    def classes(self) -> tuple[str, ...]:
        return _source(self.source, self.split, self.reading).classes

    @property
    def extra_of_source(self) -> dict[str, Any]:
        """Fields of the source about the whole set, such as COCO's categories and licences."""
        extra = _source(self.source, self.split, self.reading).extra
        return {name: value for name, value in extra.items() if name != "synthesis"}

    @property
    def key_points(self) -> dict[str, Any]:
        """How the key points of the source change places in a mirror."""
        source = _source(self.source, self.split, self.reading)
        orders = mirror_orders(source.extra, source.classes)
        return {"categories": source.extra["categories"]} if orders else {}

    @property
    def group(self) -> int:
        return self.copies + self.originals

    @property
    def count(self) -> int:
        """Images in all."""
        return self.group * len(_source(self.source, self.split, self.reading).samples)

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "kind": "augmented",
            "copies": self.copies,
            "originals": self.originals,
            "split": self.split,
            "parameters": by_first_names(self.parameters),
            "source_sha256": _fingerprint(self.source, self.split, self.reading),
            **({"key_points": self.key_points} if self.key_points else {}),
        }

    def __call__(self, number: int) -> list[EncodedSample]:
        source = _source(self.source, self.split, self.reading)
        sample, orders = source.samples[number], mirror_orders(source.extra, source.classes)
        image = read_image(sample.image)
        made = [(sample, image)] if self.originals else []
        for copy in range(1, self.copies + 1):
            seed = copy_seed(self.parameters.seed, sample.name, copy)
            made.append(augment(sample, image, self.parameters, seed, f"{sample.name}-a{copy}", orders))
        return [EncodedSample(_portable(s).to_json(), encode_image(i)) for s, i in made]


def write_augmented_set(
    source: str | Path,
    out: str | Path,
    copies: int,
    parameters: AugmentationParameters | None = None,
    *,
    originals: bool = True,
    split: str | None = None,
    reading: Reading | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Dataset:
    """Write the images of ``source`` and ``copies`` changed ones of each; a set that is there is continued.

    Args:
        originals: without it the copies alone.
        split: only the images of this split.
        reading: how ``source`` is read.
        workers: processes; the images are the same whatever their number.
        progress: wraps the loop: (iterable, total, what) -> iterable, such as a progress bar.

    Raises:
        CadsightError: when ``source`` has no image, or ``out`` holds another set.
    """
    if copies < 1:
        raise CadsightError(f"{copies} copies of each image were asked for, expected at least 1")
    images = AugmentedImages(
        Path(source).resolve(),
        copies,
        parameters or AugmentationParameters(),
        originals,
        split,
        reading,
    )
    if Path(out).resolve() == images.source:
        raise CadsightError(f"{out} is the source itself, expected another folder")
    if not images.count:
        named = f" of the split {split!r}" if split is not None else ""
        raise CadsightError(f"{source} has no images{named}, expected some to copy")
    return write_set(images, images.count, out, extra=images.extra_of_source, workers=workers, progress=progress)


@lru_cache(maxsize=1)
def _source(path: Path, split: str | None, reading: Reading | None) -> Loaded:
    if Dataset.is_one(path):
        dataset = Dataset.open(path)
        return Loaded(dataset.samples(split), dataset.classes, "cadsight", dataset.extra)
    loaded = read(path, reading=reading)
    return replace(loaded, samples=[s for s in loaded.samples if split is None or s.split == split])


def _fingerprint(path: Path, split: str | None, reading: Reading | None) -> str:
    if Dataset.is_one(path):
        return Dataset.open(path).fingerprint()
    total = hashlib.sha256()
    source = _source(path, split, reading)
    samples = source.samples
    total.update(json_text(source.classes).encode())
    for sample in with_progress(samples, len(samples), "images read"):
        total.update(json.dumps(_portable(sample).to_json(), sort_keys=True, allow_nan=True).encode())
        total.update(hashlib.sha256(sample.image.read_bytes()).digest())
    return total.hexdigest()


def _portable(sample: Sample) -> Sample:
    return replace(sample, image=Path(f"{sample.name}.png"))
