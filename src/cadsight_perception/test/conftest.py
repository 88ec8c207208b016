"""ROS in a domain of the test's own, and models to serve."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.detection.ultralytics.yolo import new_detector
from cadsight_learning.models import exportable, exports_of
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.store import save_model
from cadsight_learning.runtime.exporting import export
from cadsight_learning.runtime.machine import device_name
from cadsight_learning.runtime.sessions import FORMATS, runtime_of
from cadsight_ros.testing import ros

__all__ = ["models", "ros"]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of two detectors and two regressors, real networks that have learnt nothing, exported for images
    of 4:3: where an export is missing a process of its own makes it, which takes longer."""
    folder = tmp_path_factory.mktemp("models")
    for number, (detector, regressor) in enumerate((("detector", "normals"), ("other", "other_normals"))):
        options = YoloOptions(weights="scratch", image_size=64, seed=number)
        network, origin = new_detector(("bracket", "plate"), options)
        card = ModelCard("detector", network.architecture, network.classes, 64, origin)
        save_model(folder / detector, card, network.module.state_dict())
        torch.manual_seed(number)
        normals = NormalRegressor("compact", 64)
        covariance = np.diag([1e-4, 2e-4, 3e-4]).tolist()
        card = ModelCard("normals", "compact", network.classes, 64, extra={"covariance": covariance})
        save_model(folder / regressor, card, normals.module.state_dict())
    runtime = runtime_of("auto", device_name("auto"))
    for model in folder.iterdir() if runtime in FORMATS else ():
        export(exports_of(model, load_card(model)), exportable(model), FORMATS[runtime], (64, 64))
    return folder
