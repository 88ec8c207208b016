import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_learning.detection.ultralytics.detector import DetectorTask
from cadsight_learning.detection.ultralytics.names import architecture_of
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.detection.ultralytics.yolo import DetectionModel, YoloDetector, new_detector
from cadsight_learning.fit import fit_detector
from cadsight_learning.models import load_detector
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.provenance import load_learned_from
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint
from cadsight_learning.weights.pickled import load_network_state

SMALL = YoloOptions(epochs=8, image_size=96, batch=6, weights="scratch", learning_rate=2e-3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, block_samples, other_samples):
    folder = tmp_path_factory.mktemp("models") / "blocks"
    reports = []
    detector, card = fit_detector(block_samples, other_samples, ["block"], folder, SMALL, reports.append)
    return folder, detector, card, reports


def test_a_training_of_eight_epochs_lowers_the_loss_and_leaves_card_weights_and_curves(trained):
    folder, _, card, reports = trained
    assert [r.epoch for r in reports] == [*range(1, 9)]
    assert reports[-1].fraction == 1
    assert reports[-1].figures["train/box_loss"] < reports[0].figures["train/box_loss"]
    files = {"model.json", "weights.pt", "learned_from.json", "pictures.npz", "curves.json", "curves.csv"}
    assert {p.name for p in folder.iterdir()} == files
    assert len(load_learned_from(folder).train) == 12
    assert {"box_loss", "class_loss", "dfl_loss", "map50", "map50_95"} <= card.figures.keys()
    assert card.data["train"]["pictures"] == 12
    assert card.started_from == "yolo11n from scratch (random weights, seed 0)"
    assert load_card(folder) == card


def test_a_loaded_detector_finds_what_the_trained_one_found(trained, block_samples):
    folder, detector, _, _ = trained
    images = [read_image(s.image) for s in block_samples[:3]]
    again = load_detector(folder)
    for one, other in zip(detector.predict(images, 0.001), again.predict(images, 0.001), strict=True):
        assert len(one) == len(other) > 0
        for a, b in zip(one, other, strict=True):
            assert a.box.as_tuple() == pytest.approx(b.box.as_tuple())
            assert a.score == pytest.approx(b.score)
            assert a.source == "model"


def test_images_of_every_aspect_go_together_and_boxes_stay_inside_each(trained):
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


def test_frozen_layers_stay_as_they_are(block_samples, other_samples):
    options = dataclasses.replace(SMALL, freeze=10)
    detector, _ = new_detector(["block"], options)
    task = DetectorTask(detector, block_samples, other_samples, options)
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


def test_an_empty_set_and_labels_outside_the_classes_are_refused(tmp_path, block_samples, other_samples):
    with pytest.raises(CadsightError, match="the train set is empty"):
        fit_detector([], other_samples, ["block"], tmp_path, SMALL)
    with pytest.raises(CadsightError, match="has no classes"):
        YoloDetector("yolo11n", [], 96)
    wrong = dataclasses.replace(
        block_samples[0], instances=(dataclasses.replace(block_samples[0].instances[0], class_id=3),)
    )
    with pytest.raises(CadsightError, match="train000 has the class id 3, expected 0 to 0"):
        fit_detector([wrong], other_samples, ["block"], tmp_path, SMALL)


def test_a_label_whose_image_is_gone_is_named(tmp_path, block_samples, other_samples):
    gone = dataclasses.replace(block_samples[0], image=tmp_path / "gone.png")
    with pytest.raises(CadsightError, match=r"gone\.png"):
        fit_detector([gone], other_samples, ["block"], tmp_path / "m", SMALL)


def test_weights_of_a_detector_with_other_classes_do_not_load(trained):
    folder, _, _, _ = trained
    with pytest.raises(CadsightError, match=r"weights\.pt have model"):
        YoloDetector("yolo11n", ["a", "b"], 96).load(load_state(folder / WEIGHTS), folder / WEIGHTS)


@pytest.mark.parametrize("size", [100, 0])
def test_an_image_size_that_does_not_fit_the_network_is_refused(size):
    with pytest.raises(CadsightError, match=r"image.size"):
        YoloOptions(image_size=size)


@pytest.mark.parametrize(
    ("family", "size", "expected"),
    [
        ("yolo11", "medium", "yolo11m"),
        ("yolov8-p2", "xlarge", "yolov8x-p2"),
        ("yolo12s", "nano", "yolo12s"),
        ("yolov9c", "nano", "yolov9c"),
        ("yolov10", "small", "yolov10s"),
        ("yolov10n", "nano", "yolov10n"),
        ("rtdetr", "large", "rtdetr-l"),
        ("rtdetr", "xlarge", "rtdetr-x"),
        ("rtdetr-resnet50", "nano", "rtdetr-resnet50"),
        ("yolov8-rtdetr", "small", "yolov8s-rtdetr"),
    ],
)
def test_a_network_is_named_by_family_and_size_or_by_a_whole_name(family, size, expected):
    assert architecture_of(family, size) == expected


@pytest.mark.parametrize(
    ("family", "size", "words"),
    [
        (
            "yolo99",
            "nano",
            "the family is 'yolo99', expected rtdetr or one of ultralytics': ",
        ),
        ("yolo11-seg", "nano", "the family is 'yolo11-seg', expected"),
        ("rtdetr", "nano", "the size is nano and the family rtdetr, expected the size large or xlarge"),
        ("rtdetr-l", "xlarge", "the size is xlarge and the family 'rtdetr-l' has its size already"),
        ("/tmp/yolo11", "nano", "the family is '/tmp/yolo11', expected"),
        ("yolo12s", "large", "the size is large and the family 'yolo12s' has its size already"),
    ],
)
def test_a_family_that_is_no_detector_of_ultralytics_is_refused(family, size, words):
    with pytest.raises(CadsightError, match=words):
        architecture_of(family, size)


@pytest.mark.parametrize("family", ["yolo12", "yolo26", "yolov8", "yolov9t", "yolov10"])
def test_every_family_learns_finds_and_gives_features(family, block_samples):
    options = dataclasses.replace(SMALL, family=family, image_size=64, batch=2)
    detector, _ = new_detector(["block"], options)
    task = DetectorTask(detector, block_samples[:2], block_samples[:1], options)
    (batch,) = task.batches(np.random.default_rng(0), 0.0)
    loss, parts = task.loss(batch)
    loss.backward()
    assert {"box_loss", "class_loss"} <= parts.keys()
    images = [read_image(s.image) for s in block_samples[:2]]
    assert [len(f) for f in detector.predict(images, 0.0, 3)] == [3, 3]
    assert detector.features(images).shape[0] == 2


def test_features_are_those_of_the_layers_at_a_fourth_and_an_eighth(trained, block_samples):
    _, detector, _, _ = trained
    images = [read_image(s.image) for s in block_samples[:2]]
    seen = {}
    hooks = [
        detector.module.model[n].register_forward_hook(lambda layer, inputs, out, n=n: seen.__setitem__(n, out))
        for n in (2, 4)
    ]
    detector.module.eval()(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255)
    for hook in hooks:
        hook.remove()
    expected = torch.cat([seen[n].mean(dim=(2, 3)) for n in (2, 4)], dim=1).detach().numpy()
    features = detector.features(images)
    assert features.shape == (2, 64 + 128)
    assert features == pytest.approx(expected, abs=1e-4)


@pytest.fixture
def pickled(tmp_path):
    """A file as ultralytics writes it: the whole network in half precision, and what it was trained with."""
    network = YoloDetector("yolo11n", ["a", "b"], 64).module
    del network.args
    torch.save({"model": network.half(), "epoch": -1, "train_args": {"lr0": 0.01}}, tmp_path / "yolo11n.pt")
    return tmp_path / "yolo11n.pt"


def test_a_training_starts_from_a_file_that_ultralytics_wrote(pickled):
    detector, sentence = new_detector(["block"], dataclasses.replace(SMALL, weights=str(pickled)))
    total = len(detector.module.state_dict())
    assert sentence == f"yolo11n from the weights {pickled} ({total - 6} of {total} tensors)"
    expected = torch.load(pickled, weights_only=False)["model"].state_dict()["model.9.cv1.conv.weight"]
    assert torch.equal(detector.module.state_dict()["model.9.cv1.conv.weight"], expected.float())


class Malicious:
    def __init__(self, touched):
        self.touched = touched

    def __reduce__(self):
        return Path.touch, (self.touched,)


def test_a_pickled_network_runs_nothing_of_its_own(tmp_path):
    """Neither a foreign function nor the making of a network, whose configuration may hold code, is ever called."""
    touched = tmp_path / "touched"
    torch.save({"model": Malicious(touched)}, tmp_path / "bad.pt")
    with pytest.raises(CadsightError, match=r"bad\.pt hold something that is no tensor"):
        load_network_state(tmp_path / "bad.pt")
    code = f"(open({str(touched)!r}, 'w').close(), __import__('torch').nn.SiLU())[1]"
    configuration = {"activation": code, "backbone": [[-1, 1, "Conv", [8, 3, 2]]], "head": [], "nc": 1, "ch": 3}
    maker = type("Maker", (), {"__reduce__": lambda self: (DetectionModel, (configuration,))})
    torch.save({"model": maker()}, tmp_path / "worse.pt")
    with pytest.raises(CadsightError, match=r"worse\.pt hold no network"):
        load_network_state(tmp_path / "worse.pt")
    assert not touched.exists()
    # The same files do run their code where nobody forbids it, so the test could fail.
    torch.load(tmp_path / "worse.pt", weights_only=False)
    assert touched.exists()


def test_weights_of_the_hub_are_downloaded_once_and_a_hub_out_of_reach_is_reported(pickled, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("cadsight_learning.detection.ultralytics.detector._HUB", f"file://{pickled.parent}")
    options = dataclasses.replace(SMALL, weights="hub")
    _, sentence = new_detector(["block"], options)
    assert sentence.startswith(f"yolo11n from ultralytics' own weights {tmp_path}/home/hub/checkpoints/yolo11n.pt (")
    pickled.unlink()
    assert new_detector(["block"], options)[1] == sentence
    with pytest.raises(
        CadsightError, match=r"weights of yolo11s could not be had from file://\S+/yolo11s\.pt \(.*scratch"
    ):
        new_detector(["block"], dataclasses.replace(options, size="small"))


def test_images_without_any_label_are_refused_and_some_of_them_are_learned_as_showing_nothing(tmp_path, block_samples):
    bare = [dataclasses.replace(s, instances=()) for s in block_samples[:2]]
    with pytest.raises(CadsightError, match="none of the 2 images to train on has a label, expected some"):
        fit_detector(bare, block_samples[:1], ["block"], tmp_path, SMALL)
    options = dataclasses.replace(SMALL, image_size=64, batch=2, epochs=1)
    _, card = fit_detector([bare[0], block_samples[1]], [bare[1]], ["block"], tmp_path / "m", options)
    assert np.isfinite(card.figures["class_loss"])


def test_a_training_goes_on_on_another_device_and_is_refused_for_another_family(tmp_path, block_samples, monkeypatch):
    options = dataclasses.replace(SMALL, image_size=64, batch=2, epochs=2, device="cpu")

    def die(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_detector(block_samples[:2], block_samples[:1], ["block"], tmp_path, options, die)
    with pytest.raises(CadsightError, match="unfinished training on other data or with other options"):
        fit_detector(
            block_samples[:2], block_samples[:1], ["block"], tmp_path, dataclasses.replace(options, family="yolo26")
        )
    _, card = fit_detector(
        block_samples[:2], block_samples[:1], ["block"], tmp_path, dataclasses.replace(options, device="auto")
    )
    assert card.epochs == 2


def test_a_machine_without_memory_left_is_told_what_to_lower(tmp_path, block_samples, monkeypatch):
    def hungry(*args):
        torch.empty(2**60, dtype=torch.uint8)

    monkeypatch.setattr(DetectorTask, "loss", hungry)
    with pytest.raises(CadsightError, match="expected lower settings: batch 6, image_size 96"):
        fit_detector(block_samples[:2], block_samples[:1], ["block"], tmp_path, SMALL)
