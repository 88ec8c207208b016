"""Two small domains of drawn hexagons: red on grey, and darker on a warm ground."""

from pathlib import Path

import numpy as np
from cadsight_core.datasets.dataset import Dataset
from objects import hexagon, sample_of, shaded


def write_domain(folder: Path, count: int, real: bool, side: int = 64) -> Dataset:
    """A labelled data set of hexagons with masks."""
    dataset = Dataset.create(folder, ["hexagon"])
    for number in range(count):
        mask = hexagon(side, turn=0.2 * number, size=0.25 + 0.01 * number)
        image = shaded(mask, number + 100 * real)
        if real:
            image = np.clip(image * [0.6, 0.8, 0.9] + [60, 20, 0], 0, 255).astype(np.uint8)
        sample = sample_of(mask)
        dataset.append(
            type(sample)(
                f"{'r' if real else 's'}{number}", Path(), sample.size, None, sample.instances,
                "real" if real else "synthetic", "train",
            ),
            image,
        )  # fmt: skip
    return dataset
