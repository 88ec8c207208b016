import cv2
import numpy as np
import pytest
from cadsight_cli.benchmarks.holding import HoldingBenchmark
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample


def test_every_kind_of_change_has_its_rate(tmp_path):
    dataset = Dataset.create(tmp_path / "set", ["disc"])
    mask = cv2.circle(np.zeros((90, 90), np.uint8), (45, 45), 30, 1, -1) > 0
    image = cv2.GaussianBlur(np.where(mask[..., None], (200, 80, 40), (60, 60, 70)).astype(np.uint8), (0, 0), 0.8)
    label = Instance(0, Box.from_mask(mask), mask, source="render")
    dataset.append(Sample("a", "", ImageSize(90, 90), None, (label,), "synthetic"), image)
    speeds = HoldingBenchmark(data=str(tmp_path / "set"), crops=1).run(lambda name, figures: None)
    assert len(speeds) == 10
    assert speeds["shift of 2 px"]["met"]
    assert speeds["gamma"]["met"]
    assert speeds["bite"]["from"] == pytest.approx(2.5)


def test_data_without_masks_are_refused(tmp_path):
    dataset = Dataset.create(tmp_path / "set", ["disc"])
    label = Instance(0, Box(5, 5, 80, 80), source="human")
    dataset.append(Sample("a", "", ImageSize(90, 90), None, (label,)), np.zeros((90, 90, 3), np.uint8))
    with pytest.raises(CadsightError, match=r"no object of .* has a mask and 40 px"):
        HoldingBenchmark(data=str(tmp_path / "set")).run(lambda name, figures: None)
