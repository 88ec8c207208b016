"""Images of a generator as a data set that says where they come from."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.running.progress import Progress, no_progress
from cadsight_core.sample import Instance, Sample
from numpy.typing import NDArray

from cadsight_generation.unconditional.model import TrainedGenerator

# A smaller part of a mask is a speck, as a fraction of the image.
_SPECK = 0.002


def write_generated(
    model: TrainedGenerator, count: int, folder: str | Path, seed: int = 0, progress: Progress = no_progress
) -> Dataset:
    """Write ``count`` images of ``model`` into a new data set, or those that it lacks into one that was begun.

    Each says in its record which model made it, and of which random numbers. Each connected part of its mask that is
    no speck is an instance, labelled by the model.

    Raises:
        CadsightError: for a folder that holds another data set, or images of another model or seed.
    """
    dataset = Dataset.create(folder, (model.label,) if model.label else (), exist_ok=True, extra=_origin(model, seed))
    if dataset.extra != _origin(model, seed):
        raise CadsightError(
            f"{dataset.folder} holds other images than those of {model.folder} and the seed {seed}, expected a new "
            "folder"
        )
    made: Iterable[tuple[Rgb, NDArray[np.bool_] | None]] = progress(
        model.images(count, seed), count, "images generated"
    )
    for number, (image, mask) in enumerate(made):
        name = f"generated_{number:06d}"
        if name in dataset:
            continue
        size = ImageSize(image.shape[1], image.shape[0])
        record = {"generator": model.version, "seed": seed, "number": number}
        instances = () if mask is None else _instances(mask)
        sample = Sample(name, Path(f"{name}.png"), size, None, instances, "generated", "train", record)
        dataset.append(sample, image)
    return dataset


def _origin(model: TrainedGenerator, seed: int) -> dict[str, object]:
    return {"generated_by": {"model": model.version, "kind": model.card.architecture, "seed": seed}}


def _instances(mask: NDArray[np.bool_]) -> tuple[Instance, ...]:
    count, parts = cv2.connectedComponents(mask.astype(np.uint8))
    found = []
    for number in range(1, count):
        part = parts == number
        box = Box.from_mask(part)
        if box is not None and part.sum() >= _SPECK * mask.size:
            found.append(Instance(0, box, part, source="model"))
    return tuple(found)
