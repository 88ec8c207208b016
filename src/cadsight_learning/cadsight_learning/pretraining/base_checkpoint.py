"""A base checkpoint: a detector of drawn solids, from which other trainings may start where no hub is reachable."""

import dataclasses
from pathlib import Path

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample, Split
from cadsight_core.storage.output_file import refuse_foreign_file

from cadsight_learning.fit import fit_detector
from cadsight_learning.options import DetectorOptions
from cadsight_learning.pretraining.solids import KINDS, random_scene
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.model_folder import WEIGHTS, is_weights, refuse_foreign_model
from cadsight_learning.training.progress import Progress, silent
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint

_VALID = 150
_BASE, _SOLIDS = "-solids.pt", "solids"


def refuse_foreign_base(folder: str | Path) -> None:
    """Refuse a folder in which making a base would overwrite files that no such call wrote.

    Raises:
        CadsightError: naming the file.
    """
    refuse_foreign_model(folder)
    made_here = Dataset.is_one(Path(folder) / _SOLIDS)
    for path in Path(folder).glob(f"*{_BASE}"):
        refuse_foreign_file(path, lambda data: made_here and is_weights(data))


def train_base(
    count: int, folder: str | Path, options: DetectorOptions, progress: Progress = silent
) -> tuple[ModelCard, Path]:
    """Draw ``count`` images of random solids, train on them, and write the weights in half precision.

    Of itself it starts from random weights, whatever base is shipped.

    Returns:
        the card, and the file ``ARCHITECTURE-solids.pt`` of a float16 state_dict.

    Raises:
        CadsightError: for a folder with files of others under the names that are written, when a training is there
            with other options, or the disk refuses the bytes.
    """
    folder = Path(folder)
    refuse_foreign_base(folder)
    if count < 1:
        raise CadsightError(f"the number of images to draw is {count}, expected at least 1")
    width = options.image_size
    camera = Camera(ImageSize(width, round(width * 0.8 / 32) * 32), width, width, width / 2, width * 0.4)
    dataset = Dataset.create(folder / _SOLIDS, KINDS, exist_ok=True)
    for number in range(len(dataset), count + _VALID):
        drawing = random_scene(camera, np.random.default_rng([options.seed, number]))
        split: Split = "valid" if number < _VALID else "train"
        bare = tuple(dataclasses.replace(i, mask=None) for i in drawing.instances)
        name = f"{number:06d}"
        record = {"seed": options.seed, "number": number}
        dataset.append(
            Sample(name, Path(f"images/{name}.png"), camera.size, camera, bare, "synthetic", split, record),
            drawing.image,
        )
    if options.weights == "auto":
        options = dataclasses.replace(options, weights="scratch")
    train, valid = dataset.samples("train"), dataset.samples("valid")
    _, card = fit_detector(train, valid, KINDS, folder, options, progress)
    path = folder / f"{card.architecture}{_BASE}"
    state = load_state(folder / WEIGHTS)
    save_checkpoint(path, {k: v.half() if v.is_floating_point() else v for k, v in state.items()})
    return card, path
