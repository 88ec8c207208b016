"""Small drawn data sets: an orange block over a plain background, its box, mask, pose and normal known."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import write_image
from cadsight_core.parts.mesh import Mesh
from cadsight_core.sample import Sample
from cadsight_learning.data.painter import draw
from cadsight_learning.pretraining.solids import solid
from scipy.spatial.transform import Rotation

CAMERA = Camera(ImageSize(96, 64), 90.0, 90.0, 47.5, 31.5)


def drawn_samples(folder: Path, count: int, seed: int = 0, split: str = "train") -> list[Sample]:
    """``count`` images of one block, about 30 pixels across."""
    rng = np.random.default_rng(seed)
    block: Mesh = solid("block", np.random.default_rng(1))
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for number in range(count):
        pose = Pose(
            Rotation.from_euler("xyz", rng.uniform((-25, -25, -180), (25, 25, 180)), degrees=True).as_matrix(),
            np.array([rng.uniform(-0.08, 0.08), rng.uniform(-0.04, 0.04), 0.3]),
        )
        background = np.full((64, 96, 3), 235, np.uint8)
        drawing = draw([(0, block)], [pose], CAMERA, background, rng, [np.array([230.0, 110.0, 30.0])])
        path = folder / f"{split}{number:03d}.png"
        write_image(path, drawing.image)
        instances = tuple(dataclasses.replace(i, normal=-i.camera_from_part.rotation[:, 2]) for i in drawing.instances)
        samples.append(Sample(path.stem, path, CAMERA.size, CAMERA, instances, "synthetic", split))
    return samples


@pytest.fixture(scope="session")
def block_samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return drawn_samples(tmp_path_factory.mktemp("images"), 12)


@pytest.fixture(scope="session")
def other_samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return drawn_samples(tmp_path_factory.mktemp("others"), 4, seed=7, split="valid")
