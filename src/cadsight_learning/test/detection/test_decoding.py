"""Boxes out of what networks give, beside torchvision's and ultralytics' own ways."""

import numpy as np
import pytest
import torch
from cadsight_core.imaging.images import read_image
from cadsight_learning.data.letterbox import as_input, framed
from cadsight_learning.detection.decoding import IOU, decode
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.detection.ultralytics.yolo import new_detector
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torchvision.ops import box_convert, box_iou, nms
from ultralytics.utils.nms import non_max_suppression

# Centre and size of three boxes side by side, the second of them over the first by 3/5 and more.
BOXES = [[10, 10, 10, 10], [10, 12, 10, 10], [40, 10, 10, 10]]


def raw_of(boxes: list[list[float]], scores: list[list[float]]) -> np.ndarray:
    return np.hstack([boxes, scores]).T.astype(np.float32)


@pytest.mark.parametrize(
    ("scores", "confidence", "most", "expected"),
    [
        ([[0.5], [0.9], [0.7]], 0.1, 9, [(5, 7, 15, 17, 0.9, 0), (35, 5, 45, 15, 0.7, 0)]),
        ([[0.5], [0.9], [0.7]], 0.8, 9, [(5, 7, 15, 17, 0.9, 0)]),
        ([[0.5], [0.9], [0.7]], 0.9, 9, []),  # above, not at
        ([[0.5], [0.9], [0.7]], 0.1, 1, [(5, 7, 15, 17, 0.9, 0)]),
        # Of another class both stay; a box is of its most confident class.
        ([[0.5, 0.1], [0.2, 0.9], [0.0, 0.0]], 0.1, 9, [(5, 7, 15, 17, 0.9, 1), (5, 5, 15, 15, 0.5, 0)]),
        ([[0, 0], [0, 0], [0, 0]], 0.0, 9, []),
    ],
)
def test_of_boxes_of_one_class_that_overlap_the_most_confident_stays(scores, confidence, most, expected):
    found = decode(raw_of(BOXES, scores), confidence, most)
    assert found.shape == (len(expected), 6)
    assert found == pytest.approx(np.reshape(expected, (-1, 6)), abs=1e-6)


@settings(deadline=None)  # the first call loads what OpenCV and torchvision need
@given(
    seed=st.integers(0, 2**32 - 1),
    boxes=st.integers(0, 300),
    classes=st.integers(1, 4),
    confidence=st.sampled_from([0.0, 0.001, 0.3, 0.9]),
    most=st.sampled_from([1, 3, 10, 300]),
)
def test_random_boxes_are_suppressed_as_torchvision_does(seed, boxes, classes, confidence, most):
    rng = np.random.default_rng(seed)
    where = [rng.uniform(20, 120, (boxes, 2)), rng.uniform(5, 60, (boxes, 2))]
    raw = np.hstack([*where, rng.uniform(size=(boxes, classes)) ** 2]).T.astype(np.float32)
    scores, kinds = (torch.from_numpy(raw[4:].T.copy()).max(dim=1)) if boxes else (torch.zeros(0), torch.zeros(0))
    corners = box_convert(torch.from_numpy(raw[:4].T.copy()).double(), "cxcywh", "xyxy")
    # Where two overlap by just so much, the last digit decides.
    assume(not (abs(box_iou(corners, corners) - IOU) < 1e-6).any())
    kept = [
        numbers[nms(corners[numbers], scores[numbers].double(), IOU)]
        for numbers in _of_each_class(scores, kinds, confidence)
    ]
    every = torch.cat(kept) if kept else torch.zeros(0, dtype=torch.int64)
    every = every[scores[every].argsort(descending=True)][:most]
    expected = torch.cat([corners[every], scores[every, None].double(), kinds[every, None].double()], dim=1)
    assert decode(raw, confidence, most) == pytest.approx(expected.numpy(), abs=1e-6)


def _of_each_class(scores: torch.Tensor, kinds: torch.Tensor, confidence: float) -> list[torch.Tensor]:
    return [torch.nonzero((kinds == kind) & (scores > confidence)).flatten() for kind in kinds.unique()]


@pytest.mark.parametrize("family", ["yolo11", "yolo26", "yolov10"])
def test_what_a_network_gives_for_images_is_decoded_as_ultralytics_does(family, block_samples):
    images = [read_image(sample.image) for sample in block_samples[:3]]
    detector, _ = new_detector(("block", "star", "ring"), YoloOptions(family=family, weights="scratch"))
    for name, weight in detector.module.named_parameters():
        if "cv3" in name and len(weight) == 3:  # the last layers, of three classes: spread the scores
            torch.nn.init.normal_(weight, std=0.3)
    for layer in detector.module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 0.5
    inputs = torch.from_numpy(as_input(np.stack([framed(image, 320)[0] for image in images]), 0.0, 1.0))
    with torch.inference_mode():
        for _ in range(3):  # without statistics nothing would reach the last layer
            detector.module.train()(inputs)
        raw = detector.module.eval()(inputs)
        exported = detector.exportable()(inputs)[0].numpy()
    assert exported == pytest.approx(raw[0].numpy(), abs=0.01)
    for confidence, most in ((0.001, 10), (0.001, 300), (0.3, 300), (0.01, 5)):
        expected = non_max_suppression(raw, confidence, IOU, max_det=most, max_time_img=10.0)
        for one, found in zip(expected, detector.rows(raw, (), confidence, most), strict=True):
            assert len(one) > 0
            assert found == pytest.approx(one.numpy(), abs=1e-3)
        expected = non_max_suppression(torch.from_numpy(exported), confidence, IOU, max_det=most, max_time_img=10.0)
        for one, each in zip(expected, exported, strict=True):
            assert decode(each, confidence, most) == pytest.approx(one.numpy(), abs=1e-3)
