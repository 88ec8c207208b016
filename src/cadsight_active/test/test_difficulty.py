import numpy as np
import pytest
from cadsight_active.difficulty import class_difficulties
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.sample import Instance, Sample
from cadsight_learning.detection.evidence import Evidence


def sample(*instances):
    return Sample("a", "a.png", ImageSize(64, 48), instances=instances)


def seen(boxes, scores):
    boxes, scores = np.array(boxes, float).reshape(-1, 4), np.array(scores, np.float32).reshape(-1, 3)
    return Evidence(
        boxes, scores.argmax(axis=1) if len(scores) else np.zeros(0, int), scores, np.zeros((len(boxes), 1))
    )


def test_a_class_is_as_difficult_as_its_labels_are_badly_found():
    left, right = Box(0, 0, 10, 10), Box(20, 0, 30, 10)
    found = seen([[0, 0, 10, 10], [20, 0, 30, 5]], [[0.9, 0.0, 0.0], [0.1, 0.5, 0.0]])
    difficulties = class_difficulties(
        [sample(Instance(0, left, source="human"), Instance(1, right, source="human"))], [found], 3
    )
    # A quality is p ** 0.6 * iou ** 0.4; the third class has no label.
    assert difficulties == pytest.approx([1 - 0.9**0.6, 1 - 0.5**0.6 * 0.5**0.4, 1.0])


def test_a_label_of_which_nothing_is_found_is_as_difficult_as_can_be():
    assert class_difficulties(
        [sample(Instance(0, Box(0, 0, 9, 9), source="human"))], [seen([], [])], 1
    ) == pytest.approx([1.0])


def test_without_a_label_nothing_is_known():
    assert class_difficulties([sample()], [seen([], [])], 3) is None
