import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.detection.ultralytics.yolo import YoloDetector
from cadsight_learning.evaluation.saliency import detector_saliency, normal_saliency
from cadsight_learning.normals.torch_regressor import NormalRegressor


class UsesACorner(torch.nn.Module):
    """The normal depends on the upper left quarter of the crop alone."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        mean = self.gain * x[:, :, :32, :32].mean(dim=(1, 2, 3))
        return torch.stack([mean, -mean, torch.ones_like(mean)], dim=1)


def test_the_saliency_of_a_regressor_is_at_the_pixels_it_uses():
    regressor = NormalRegressor("comillas", 64)
    regressor.module = UsesACorner()
    maps = normal_saliency(regressor, np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8))
    assert maps.shape == (2, 64, 64)
    assert maps[:, :32, :32].min() == pytest.approx(1)
    assert maps[:, 32:].max() == maps[:, :, 32:].max() == 0


def test_a_map_is_as_large_as_its_crop_however_large_the_network_sees_it():
    crops = np.random.default_rng(0).integers(0, 256, (2, 96, 80, 3), dtype=np.uint8)
    assert normal_saliency(NormalRegressor("comillas", 64), crops).shape == (2, 96, 80)


def test_saliency_maps_lie_between_none_and_one():
    torch.manual_seed(0)
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    maps = normal_saliency(NormalRegressor("comillas", 64), crops)
    assert 0 <= maps.min() < 0.1
    assert maps.max() == 1
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    one = detector_saliency(YoloDetector("yolo11n", ["block"], 96), image)
    assert one.shape == (64, 96)
    assert one.max() == 1


def test_wrong_shapes_and_classes_are_refused():
    with pytest.raises(CadsightError, match="expected"):
        normal_saliency(NormalRegressor("comillas", 64), np.zeros((0, 64, 64, 3), np.uint8))
    with pytest.raises(CadsightError, match="class id is 1"):
        detector_saliency(YoloDetector("yolo11n", ["block"], 96), np.zeros((64, 96, 3), np.uint8), 1)
