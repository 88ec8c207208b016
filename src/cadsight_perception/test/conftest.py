"""ROS in a domain of the test's own, and models to serve."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
import torch
from cadsight_learning.normals import NormalRegressor
from cadsight_learning.options import DetectorOptions
from cadsight_learning.registry import ModelCard, save_model
from cadsight_learning.yolo import new_detector
from cadsight_ros.clients import spinning
from rclpy.node import Node


@pytest.fixture
def ros() -> Iterator[Callable[..., None]]:
    """Initialises ROS with the arguments given to it, and shuts it down after the test."""

    def begin(*arguments: str) -> None:
        # Below 102, where Linux has no ports of its own; by process, so that two runs on one machine do not meet.
        rclpy.init(args=["--ros-args", *arguments] if arguments else [], domain_id=1 + os.getpid() % 100)

    yield begin
    rclpy.try_shutdown()


@pytest.fixture
def node(ros: Callable[..., None]) -> Iterator[Any]:
    """A node that is spun in the background."""
    ros()
    node = Node("tester")
    with spinning(node):
        yield node
    node.destroy_node()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of two detectors and two regressors, real networks that have learnt nothing."""
    folder = tmp_path_factory.mktemp("models")
    for number, (detector, regressor) in enumerate((("detector", "normals"), ("other", "other_normals"))):
        options = DetectorOptions(weights="scratch", image_size=64, seed=number)
        network, origin = new_detector(("bracket", "plate"), options)
        card = ModelCard("detector", network.architecture, network.classes, 64, origin)
        save_model(folder / detector, card, network.module.state_dict())
        torch.manual_seed(number)
        normals = NormalRegressor("compact", 64)
        covariance = np.diag([1e-4, 2e-4, 3e-4]).tolist()
        card = ModelCard("normals", "compact", network.classes, 64, extra={"covariance": covariance})
        save_model(folder / regressor, card, normals.module.state_dict())
    return folder
