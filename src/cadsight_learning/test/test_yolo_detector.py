import dataclasses

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.images import read_image
from cadsight_learning.checkpoint import load_state, save_checkpoint
from cadsight_learning.fitting import fit_detector
from cadsight_learning.options import DetectorOptions
from cadsight_learning.registry import WEIGHTS, load_card, load_detector
from cadsight_learning.yolo import DetectorTask, YoloDetector, new_detector

SMALL = DetectorOptions(epochs=8, image_size=96, batch=6, weights="scratch", learning_rate=2e-3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, pictures, other_pictures):
    folder = tmp_path_factory.mktemp("models") / "blocks"
    reports = []
    detector, card = fit_detector(pictures, other_pictures, ["block"], folder, SMALL, reports.append)
    return folder, detector, card, reports


def test_a_training_of_eight_epochs_lowers_the_loss_and_leaves_card_weights_and_curves(trained):
    folder, _, card, reports = trained
    assert [r.epoch for r in reports] == [*range(1, 9)]
    assert reports[-1].share == 1
    assert reports[-1].figures["train/box_loss"] < reports[0].figures["train/box_loss"]
    assert {p.name for p in folder.iterdir()} == {"model.json", "weights.pt", "curves.json", "curves.csv"}
    assert {"box_loss", "class_loss", "dfl_loss", "map50", "map50_95"} <= card.figures.keys()
    assert card.data["train"]["pictures"] == 12
    assert card.started_from == "yolo11n from scratch (random weights, seed 0)"
    assert load_card(folder) == card


def test_a_loaded_detector_finds_what_the_trained_one_found(trained, pictures):
    folder, detector, _, _ = trained
    images = [read_image(s.image) for s in pictures[:3]]
    again = load_detector(folder)
    for one, other in zip(detector.predict(images, 0.001), again.predict(images, 0.001), strict=True):
        assert len(one) == len(other) > 0
        for a, b in zip(one, other, strict=True):
            assert a.box.as_tuple() == pytest.approx(b.box.as_tuple())
            assert a.score == pytest.approx(b.score)
            assert a.source == "model"


def test_pictures_of_every_aspect_go_together_and_boxes_stay_inside_each(trained):
    _, detector, _, _ = trained
    rng = np.random.default_rng(0)
    shapes = [(64, 96), (96, 64), (30, 200), (400, 300), (64, 96)]
    images = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
    found = detector.predict(images, 0.0001, max_detections=4)
    assert [len(f) for f in found] == [4] * 5
    for (height, width), instances in zip(shapes, found, strict=True):
        for i in instances:
            assert 0 <= i.box.x0 <= i.box.x1 <= width
            assert 0 <= i.box.y0 <= i.box.y1 <= height
        assert [i.score for i in instances] == sorted((i.score for i in instances), reverse=True)
    alone = detector.predict(images[1:2], 0.0001, max_detections=4)[0]
    assert [i.box.as_tuple() for i in alone] == [pytest.approx(i.box.as_tuple(), abs=1e-2) for i in found[1]]


def test_frozen_layers_stay_as_they_are(pictures, other_pictures):
    options = dataclasses.replace(SMALL, freeze=10)
    detector, _ = new_detector(["block"], options)
    task = DetectorTask(detector, pictures, other_pictures, options)
    before = {k: v.clone() for k, v in detector.module.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in detector.module.parameters() if p.requires_grad], 0.1)
    for batch in task.batches(np.random.default_rng(0), 0.0):
        optimizer.zero_grad()
        task.loss(batch)[0].backward()
        optimizer.step()
    changed = {int(k.split(".")[1]) for k, v in detector.module.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert min(changed) >= 10


def test_a_training_starts_from_the_weights_of_a_file(trained, tmp_path):
    folder, _, _, _ = trained
    path = tmp_path / "half.pt"
    save_checkpoint(path, {k: v.half() for k, v in load_state(folder / WEIGHTS).items()})
    detector, sentence = new_detector(["one", "two"], dataclasses.replace(SMALL, weights=str(path)))
    total = len(detector.module.state_dict())
    # Only the last layers of the class branch, weight and bias at each of three scales, depend on the classes.
    assert sentence == f"yolo11n from the weights {path} ({total - 6} of {total} tensors)"


@pytest.mark.parametrize(
    ("state", "words"),
    [({"model.0.conv.weight": torch.zeros(1)}, "fit in 0 of"), ({"a": "text"}, "hold a")],
)
def test_weights_of_something_else_are_refused(tmp_path, state, words):
    save_checkpoint(tmp_path / "w.pt", state)
    with pytest.raises(CadsightError, match=words):
        new_detector(["block"], dataclasses.replace(SMALL, weights=str(tmp_path / "w.pt")))


def test_an_empty_set_and_labels_outside_the_classes_are_refused(tmp_path, pictures, other_pictures):
    with pytest.raises(CadsightError, match="the train set is empty"):
        fit_detector([], other_pictures, ["block"], tmp_path, SMALL)
    with pytest.raises(CadsightError, match="has no classes"):
        YoloDetector("yolo11n", [], 96)
    wrong = dataclasses.replace(pictures[0], instances=(dataclasses.replace(pictures[0].instances[0], class_id=3),))
    with pytest.raises(CadsightError, match="train000 has the class id 3, expected 0 to 0"):
        fit_detector([wrong], other_pictures, ["block"], tmp_path, SMALL)


def test_a_label_whose_picture_is_gone_is_named(tmp_path, pictures, other_pictures):
    gone = dataclasses.replace(pictures[0], image=tmp_path / "gone.png")
    with pytest.raises(CadsightError, match=r"gone\.png"):
        fit_detector([gone], other_pictures, ["block"], tmp_path / "m", SMALL)


def test_weights_of_a_detector_with_other_classes_do_not_load(trained):
    folder, _, _, _ = trained
    with pytest.raises(CadsightError, match=r"weights\.pt have model"):
        YoloDetector("yolo11n", ["a", "b"], 96).load(load_state(folder / WEIGHTS), folder / WEIGHTS)


@pytest.mark.parametrize("size", [100, 0])
def test_a_picture_size_that_does_not_fit_the_network_is_refused(size):
    with pytest.raises(CadsightError, match=r"image.size"):
        DetectorOptions(image_size=size)
