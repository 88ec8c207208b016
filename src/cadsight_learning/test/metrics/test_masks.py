import dataclasses
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample
from cadsight_learning.metrics.masks import mask_figures

SIZE = ImageSize(40, 20)


def instance(x0: int, x1: int, class_id: int = 0, score: float | None = None, rows: int = 10) -> Instance:
    """A rectangle from column ``x0`` to ``x1`` of the first ``rows`` rows, its box always the same."""
    mask = np.zeros((20, 40), bool)
    mask[:rows, x0:x1] = True
    return Instance(class_id, Box(0, 0, 20, 10), mask, score=score, source="human")


def sample(*instances: Instance) -> Sample:
    return Sample("a", Path("a.png"), SIZE, instances=instances)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([instance(0, 20, score=0.9)], (1.0, 1.0)),
        # 18 of 20 columns: IoU 0.9, right at nine of the ten thresholds from 0.5 to 0.95.
        ([instance(0, 18, score=0.9)], (1.0, 0.9)),
        # The same box and a third of the mask: IoU 1/3, right at none.
        ([instance(10, 30, score=0.9)], (0.0, 0.0)),
        ([instance(0, 20, class_id=1, score=0.9)], (0.0, 0.0)),
        # A more confident wrong one first: precision 1/2 at every recall.
        ([instance(20, 40, score=0.95), instance(0, 20, score=0.9)], (0.5, 0.5)),
        ([], (0.0, 0.0)),
    ],
)
def test_average_precision_counts_the_overlap_of_masks(found, expected):
    figures = mask_figures([sample(instance(0, 20))], [found], 2, 10)
    assert (figures.mask_map50, figures.mask_map50_95) == pytest.approx(expected)


def test_an_outline_is_a_mask_too():
    outlined = Instance(
        0, Box(0, 0, 20, 10), attributes={"segmentation": [[0, 0, 20, 0, 20, 10, 0, 10]]}, source="human"
    )
    assert mask_figures([sample(outlined)], [[instance(0, 20, score=0.9)]], 1, 10).mask_map50_95 == pytest.approx(1)


def test_where_a_label_has_no_mask_there_are_no_figures():
    bare = dataclasses.replace(instance(0, 20), mask=None)
    assert mask_figures([sample(bare)], [[instance(0, 20, score=0.9)]], 1, 10) is None
    assert mask_figures([sample()], [[]], 1, 10) is None


def test_a_mask_of_another_size_is_refused():
    small = dataclasses.replace(instance(0, 20, score=0.9), mask=np.ones((5, 5), bool))
    with pytest.raises(CadsightError, match="a mask of a is 5 x 5 pixels, expected 40 x 20 pixels"):
        mask_figures([sample(instance(0, 20))], [[small]], 1, 10)
