"""What the commands of the pages of docs name, small: drawn sets, captured sessions, recipes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
from cadsight_cli.main import main
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose

ROOT = Path(__file__).resolve().parents[1]
DOWN = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
RECIPE = "kind: {kind}\nseed: {seed}\nparts: [{root}/config/parts/bracket.yaml]\nimage: {{width: 96, height: 64}}\n"


def drawn(folder: Path, name: str, seed: int) -> None:
    """A set of twelve images with masks, boxes and poses."""
    recipe = folder / f"{name}.yaml"
    recipe.write_text(RECIPE.format(kind="views", seed=seed, root=ROOT))
    words = ["synthesize", str(recipe), "--count", "12", "--engine", "raster", "--formats", "none"]
    assert main([*words, "--out", str(folder / name)]) == 0


def session(drawn_set: Path, folder: Path) -> None:
    """A captured session of the images of ``drawn_set``, from a camera that looks down on the robot's table."""
    folder.mkdir(parents=True)
    source = Dataset.open(drawn_set)
    record = {"base_from_camera": Pose(DOWN, np.array([0.34, 0.0, 0.88])).to_json()}
    labelled = Dataset.create(folder / "labelled", source.classes)
    for sample in source.samples():
        labelled.append(dataclasses.replace(sample, record=record), source.image(sample))
    cv2.imwrite(str(folder / "background.png"), np.full((64, 96, 3), 200, np.uint8))
