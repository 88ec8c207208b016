from dataclasses import replace

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.sample import Instance
from cadsight_generation.holding.check import HoldingLimits, LabelCheck, Verdict, alike, refused_by_reason
from cadsight_learning.normals.torch_regressor import NormalRegressor
from objects import hexagon, sample_of, shaded

MASK = hexagon(160)
IMAGE = shaded(MASK)


@pytest.mark.parametrize(
    ("after", "reasons"),
    [
        (IMAGE, ()),
        (np.clip(IMAGE * 0.6 + 30, 0, 255).astype(np.uint8), ()),
        (np.roll(IMAGE, 3, axis=1), ("moved",)),
        (shaded(hexagon(160, size=0.2)), ("moved", "lost edges")),
    ],
)
def test_a_change_of_look_holds_and_one_of_place_does_not(after, reasons):
    assert set(reasons) <= set(LabelCheck().of_image(sample_of(MASK), IMAGE, after).reasons)
    assert LabelCheck().of_image(sample_of(MASK), IMAGE, after).holds == (not reasons)


def test_a_label_with_an_empty_mask_or_none_to_be_seen_is_refused():
    sample = sample_of(MASK)
    empty = replace(sample, instances=(replace(sample.instances[0], mask=np.zeros_like(MASK)),))
    assert LabelCheck().of_image(empty, IMAGE, IMAGE).reasons == ("empty mask",)
    flat = np.full_like(IMAGE, 80)
    assert LabelCheck().of_image(sample, flat, flat).reasons == ("unseen",)


def found(*boxes, classes=(0, 0, 0)):
    return [Instance(c, Box(*box), source="model") for box, c in zip(boxes, classes, strict=False)]


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (found((30, 0, 40, 10), (0, 0, 10, 10)), True),
        (found((0, 0, 10, 10)), False),
        (found((0, 0, 10, 10), (32, 0, 42, 10)), False),  # IoU 8 / 12
        (found((0, 0, 10, 10), (30, 0, 40, 10), classes=(0, 1)), False),
    ],
)
def test_detections_are_alike_where_each_has_its_own_one(after, same):
    assert alike(found((0, 0, 10, 10), (30, 0, 40, 10)), after, 0.9) is same


class FindsRed:
    """Finds one part in an image that is rather red."""

    def predict(self, images, confidence=0.5, max_detections=10):
        return [found((0, 0, 9, 9)) if image[..., 0].mean() > image[..., 2].mean() else [] for image in images]


def test_a_part_that_the_detector_loses_is_refused():
    check = LabelCheck(detector=FindsRed())
    assert check.of_image(sample_of(MASK), IMAGE, IMAGE).holds
    assert check.of_image(sample_of(MASK), IMAGE, IMAGE[..., ::-1].copy()).reasons == ("detections",)


def test_a_normal_that_turns_is_refused():
    sample = sample_of(MASK, normal=np.array([0.0, 0.0, -1.0]))
    check = LabelCheck(regressor=NormalRegressor("compact", 32))
    same = check.of_image(sample, IMAGE, IMAGE)
    assert same.holds
    assert same.normal_deg == 0
    changed = (IMAGE * 0.2).astype(np.uint8)
    other = replace(check, limits=HoldingLimits(normal_deg=1e-6)).of_image(sample, IMAGE, changed)
    assert "normal" in other.reasons
    assert other.figures()["normal_deg"] > 1e-6


def test_refused_images_are_counted_by_reason():
    verdicts = [Verdict(("moved",)), Verdict(("moved", "normal")), Verdict(())]
    assert refused_by_reason(verdicts) == {"moved": 2, "normal": 1}
