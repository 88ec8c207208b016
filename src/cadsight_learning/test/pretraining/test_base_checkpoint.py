import dataclasses

import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.detection.factory import new_detector
from cadsight_learning.detection.families import detector_options
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.pretraining.base_checkpoint import train_base
from cadsight_learning.weights.checkpoint import load_checkpoint, load_state
from cadsight_learning.weights.shipped import shipped

TINY = YoloOptions(epochs=1, image_size=64, batch=4, mosaic=0.0)


def test_a_base_is_drawn_trained_and_written_in_half_precision_for_another_training_to_start_from(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("cadsight_learning.pretraining.base_checkpoint._VALID", 4)
    card, path = train_base(6, tmp_path / "base", TINY)
    assert path == tmp_path / "base" / "yolo11n-solids.pt"
    assert card.started_from == "yolo11n from scratch (random weights, seed 0)"
    assert [card.data[split]["pictures"] for split in ("train", "valid")] == [6, 4]
    assert {v.dtype for v in load_checkpoint(path).values()} == {torch.float16, torch.int64}
    assert path.stat().st_size < 6e6
    _, sentence = new_detector(["gear"], dataclasses.replace(TINY, weights=str(path)))
    # All but the last convolution of each of three class branches, and its offsets, which hang on the classes.
    assert sentence == f"yolo11n from the weights {path} (493 of 499 tensors)"


def test_a_base_of_no_image_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="number of images to draw is 0, expected at least 1"):
        train_base(0, tmp_path, TINY)


def test_the_shipped_base_is_taken_but_for_the_classes_by_the_network_that_it_is_of():
    detector, sentence = new_detector(["gear", "nut"], dataclasses.replace(TINY, weights="base"))
    assert sentence == "yolo11n from CADsight's base checkpoint of drawn solids (493 of 499 tensors)"
    taken, own = load_state(shipped("yolo11n")), detector.module.state_dict()
    assert torch.equal(own["model.0.conv.weight"], taken["model.0.conv.weight"])
    assert own["model.23.cv3.0.2.weight"].shape[0] == 2


def test_a_training_starts_from_the_base_where_there_is_one_unless_the_options_say_otherwise():
    assert "base checkpoint" in new_detector(["gear"], TINY)[1]
    assert new_detector(["gear"], dataclasses.replace(TINY, family="yolo26"))[1].startswith("yolo26n from scratch")


@pytest.mark.parametrize("options", [{"size": "small"}, {"family": "yolo26"}, {"family": "faster-rcnn"}])
def test_a_network_that_has_no_shipped_base_is_refused(options):
    with pytest.raises(CadsightError, match=r"no base checkpoint of \w+ is shipped, expected yolo11n, or other"):
        new_detector(["gear"], detector_options({"weights": "base", "image_size": 64, **options}))
