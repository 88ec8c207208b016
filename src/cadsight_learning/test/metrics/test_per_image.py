import numpy as np
from cadsight_learning.metrics.boxes import Boxes
from cadsight_learning.metrics.matching import MatchTable
from cadsight_learning.metrics.per_image import ImageResult, LabelResult, WrongDetection, per_image


def boxes(*rows, scores=()) -> Boxes:
    return Boxes(np.array(rows, float), np.zeros(len(rows), int), np.array(scores, float))


LABELS = boxes((0, 0, 10, 10), (20, 0, 30, 10))


def test_what_became_of_each_label_and_each_detection():
    found = boxes((0, 0, 10, 8), (20, 0, 30, 3), (70, 0, 80, 10), scores=(0.9, 0.8, 0.7))
    (first,) = per_image(MatchTable.of([LABELS], [found], 1), ["block"], ["a"], [LABELS], [found])
    assert first == ImageResult(
        "a",
        (
            LabelResult("block", (0, 0, 10, 10), True, 0.9, 0.8),
            LabelResult("block", (20, 0, 30, 10), False, None, 0.3),
        ),
        (WrongDetection("block", 0.8), WrongDetection("block", 0.7)),
    )
    assert ImageResult.from_json(first.to_json()) == first
