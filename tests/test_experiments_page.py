"""The commands of docs/experiments.md as the page has them, each in a process of its own, on small pictures."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.dataset import Dataset
from cadsight_core.geometry import Pose

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "experiments.md").read_text()
# The first indented block, a command a line.
COMMANDS = re.search(r"(?:^    cadsight experiment .+\n)+", PAGE, re.MULTILINE).group().splitlines()  # type: ignore[union-attr]
DOWN = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
RECIPE = "kind: {kind}\nseed: {seed}\nparts: [{root}/config/parts/bracket.yaml]\npicture: {{width: 96, height: 64}}\n"


def drawn(folder: Path, name: str, seed: int) -> None:
    """A set of twelve pictures with masks, boxes and poses."""
    recipe = folder / f"{name}.yaml"
    recipe.write_text(RECIPE.format(kind="views", seed=seed, root=ROOT))
    words = ["synthesize", str(recipe), "--count", "12", "--engine", "raster", "--formats", "none"]
    assert main([*words, "--out", str(folder / name)]) == 0


def session(drawn_set: Path, folder: Path) -> None:
    """A captured session of the pictures of ``drawn_set``, from a camera that looks down on the robot's table."""
    folder.mkdir(parents=True)
    source = Dataset.open(drawn_set)
    record = {"base_from_camera": Pose(DOWN, np.array([0.34, 0.0, 0.88])).to_json()}
    labelled = Dataset.create(folder / "labelled", source.classes)
    for sample in source.samples():
        labelled.append(dataclasses.replace(sample, record=record), source.image(sample))
    cv2.imwrite(str(folder / "background.png"), np.full((64, 96, 3), 200, np.uint8))


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the page's commands name."""
    folder = tmp_path_factory.mktemp("page")
    for name, seed in (("photos", 1), ("other-photos", 2), ("photos-with-masks", 3)):
        drawn(folder, name, seed)
    for split, name in (("train", "photos"), ("test", "other-photos")):
        session(folder / name, folder / "runs/demo/sessions" / split)
    for kind in ("views", "weather"):
        (folder / f"{kind}.yaml").write_text(RECIPE.format(kind=kind, seed=4, root=ROOT))
    return folder


# Half a minute of a processor each, Mask R-CNN more: the first one always, all of them where somebody asks for it.
ALL = "CADSIGHT_ALL_EXPERIMENTS"
CASES = [
    pytest.param(
        line,
        id=line.split()[2],
        marks=pytest.mark.skipif(number > 0 and not os.environ.get(ALL), reason=f"{ALL} is not set"),
    )
    for number, line in enumerate(COMMANDS)
]


@pytest.mark.parametrize("command", CASES)
def test_a_command_of_the_page_ends_well_in_a_fresh_process(material: Path, command: str) -> None:
    words = [sys.executable, "-X", "faulthandler", "-m", "cadsight_cli", *command.split()[1:], "--scale", "smoke"]
    done = subprocess.run(words, cwd=material, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (material / words[words.index("--out") + 1] / "report.html").is_file()
