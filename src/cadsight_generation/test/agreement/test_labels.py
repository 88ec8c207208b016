import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance
from cadsight_generation.agreement.labels import agreed_instances, write_agreed
from cadsight_generation.agreement.options import AgreementOptions
from small_sets import masked_set


def masked(*corners, class_id=0):
    mask = np.zeros((40, 40), bool)
    x0, y0, x1, y1 = corners
    mask[y0:y1, x0:x1] = True
    return Instance(class_id, Box(*corners), mask, source="model")


def detected(*corners, class_id=0, score=0.9):
    return Instance(class_id, Box(*corners), score=score, source="model")


# Of 10 x 10 pixels; shifted by 1 two boxes share 90 of 110, by 2 80 of 120.
ONE, OTHER = masked(0, 0, 10, 10), masked(20, 20, 30, 30)
CASES = [
    ([ONE], [detected(1, 0, 11, 10)], ""),
    ([ONE], [detected(2, 0, 12, 10)], "boxes apart"),
    ([ONE], [], "nothing detected"),
    ([], [detected(0, 0, 10, 10)], "no mask"),
    ([detected(0, 0, 10, 10)], [detected(0, 0, 10, 10)], "no mask"),
    ([ONE, OTHER], [detected(0, 0, 10, 10)], "another number of objects"),
    ([ONE], [detected(0, 0, 10, 10), detected(0, 0, 10, 9)], "another number of objects"),
    ([ONE, OTHER], [detected(20, 20, 30, 30), detected(0, 0, 10, 10)], ""),
    ([ONE, OTHER], [detected(0, 0, 10, 10), detected(0, 0, 10, 10)], "boxes apart"),
    ([ONE], [detected(0, 0, 10, 10, class_id=1)], "another class"),
]


@pytest.mark.parametrize(("masks", "detections", "reason"), CASES)
def test_masks_and_detections_agree_or_the_reason_is_said(masks, detections, reason):
    found = agreed_instances(masks, detections, 0.7)
    if reason:
        assert found == reason
    else:
        assert [i.box for i in found] == [i.box for i in masks]
        assert all(i.mask is not None and i.score == 0.9 for i in found)


def test_each_label_gets_the_score_of_its_own_detection():
    detections = [detected(20, 20, 30, 30, score=0.6), detected(0, 0, 10, 10, score=0.8)]
    found = agreed_instances([ONE, OTHER], detections, 0.7)
    assert [i.score for i in found] == [0.8, 0.6]


class BrightBlocks:
    """A detector of what is bright, as the blocks of the small sets are."""

    architecture, image_size, at_once, runtime, gives_masks = "bright", 32, 1, "torch", False

    def __init__(self, *classes: str) -> None:
        self.classes = classes

    def predict(self, images, confidence=0.5, max_detections=10):
        boxes = [Box.from_mask(image.max(axis=2) > 120) for image in images]
        class_id = len(self.classes) - 1
        return [[Instance(class_id, box, score=0.9, source="model")] if box else [] for box in boxes]


def test_what_both_see_is_written_with_its_masks(tmp_path):
    samples = list(Dataset.open(masked_set(tmp_path / "made", 4, origin="generated")))
    # One mask says something else than the image shows.
    wrong = masked(0, 0, 8, 8)
    samples[2] = type(samples[2])(**{**vars(samples[2]), "instances": (wrong,)})
    agreed = write_agreed(samples, ["block"], BrightBlocks("ring", "block"), tmp_path / "kept", AgreementOptions())
    assert agreed.refused == {"boxes apart": 1}
    kept = Dataset.open(tmp_path / "kept")
    assert kept.names == ("000", "001", "003")
    assert [s.origin for s in kept] == ["generated"] * 3
    for sample in kept:
        (instance,) = sample.instances
        assert instance.box == Box.from_mask(instance.mask)


def test_real_images_get_no_labels_so(tmp_path):
    samples = list(Dataset.open(masked_set(tmp_path / "own", 1, origin="real")))
    with pytest.raises(CadsightError, match=r"000 \(.*\) is real, expected generated images alone"):
        write_agreed(samples, ["block"], BrightBlocks("block"), tmp_path / "kept", AgreementOptions())


def test_a_detector_of_other_classes_is_refused(tmp_path):
    samples = list(Dataset.open(masked_set(tmp_path / "made", 1, origin="generated")))
    with pytest.raises(CadsightError, match="the masks are of block, expected a class of the detector: ring"):
        write_agreed(samples, ["block"], BrightBlocks("ring"), tmp_path / "kept", AgreementOptions())
