import dataclasses
import logging

import cv2
import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_learning.detection.factory import new_detector, task_of
from cadsight_learning.detection.ultralytics.options import RtDetrOptions
from cadsight_learning.detection.ultralytics.rtdetr import RTDETRDetectionModel, RtDetrDetector
from cadsight_learning.evaluation.saliency import detector_saliency
from cadsight_learning.fit import fit_detector
from cadsight_learning.models import load_detector
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint

# The smallest of them, of YOLOv8's backbone; its decoder is that of all.
SMALL = RtDetrOptions(family="yolov8-rtdetr", epochs=1, image_size=64, batch=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, block_samples, other_samples):
    folder = tmp_path_factory.mktemp("models") / "blocks"
    detector, card = fit_detector(block_samples[:2], other_samples[:2], ["block"], folder, SMALL)
    return folder, detector, card


@pytest.fixture
def detector():
    return new_detector(["block", "star"], SMALL)[0]


def test_an_epoch_leaves_a_card_and_a_loaded_detector_finds_what_the_trained_one_found(trained, block_samples):
    folder, detector, card = trained
    assert card.architecture == "yolov8n-rtdetr"
    assert card.started_from == "yolov8n-rtdetr from scratch (random weights, seed 0)"
    assert {"box_loss", "class_loss", "l1_loss", "map50", "map50_95"} <= card.figures.keys()
    again = load_detector(folder)
    assert isinstance(again, RtDetrDetector)
    images = [read_image(s.image) for s in block_samples[:2]]
    for one, other in zip(detector.predict(images, 0.001), again.predict(images, 0.001), strict=True):
        assert len(one) == len(other) == 10
        assert [i.box.as_tuple() for i in one] == [pytest.approx(i.box.as_tuple()) for i in other]


def test_rows_are_corners_in_pixels_above_the_confidence_the_most_confident_first(detector):
    answers = torch.tensor([[
        [0.50, 0.5, 0.25, 0.50, 0.9, 1],
        [0.25, 0.5, 0.50, 0.25, 0.6, 0],
        [0.50, 0.5, 1.00, 1.00, 0.2, 0],
    ]])  # fmt: skip
    (rows,) = detector.rows((answers, None), (64, 96), 0.5, 10)
    assert rows == pytest.approx(np.array([[36, 16, 60, 48, 0.9, 1], [0, 24, 48, 40, 0.6, 0]]), rel=1e-6)
    assert len(detector.rows((answers, None), (64, 96), 0.5, 1)[0]) == 1


def test_boxes_are_in_the_pixels_of_each_image(detector, block_samples):
    image = read_image(block_samples[0].image)  # 96 x 64, which the network sees as 64 x 64 with grey above and below
    large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, doubled = detector.predict([image, large], 0.0, 300)
    for instances, (width, height) in ((found, (96, 64)), (doubled, (192, 128))):
        boxes = np.array([i.box.as_tuple() for i in instances])
        assert len(boxes) > 100
        assert boxes.min() >= 0
        assert 0.9 < boxes[:, 2].max() / width <= 1
        assert 0.9 < boxes[:, 3].max() / height <= 1
        scores = [i.score for i in instances]
        assert scores == sorted(scores, reverse=True)


def test_losses_are_those_of_ultralytics_called_directly(detector, block_samples):
    sample = block_samples[0]
    detector.image_size = 96  # the image's own, so that no pixel and no box changes
    box = np.array(sample.instances[0].box.as_tuple())
    batch = {
        "img": torch.from_numpy(read_image(sample.image)).permute(2, 0, 1)[None].float() / 255,
        "bboxes": torch.tensor([[*(box[:2] + box[2:]) / 2 / (96, 64), *(box[2:] - box[:2]) / (96, 64)]]).float(),
        "cls": torch.zeros(1, 1),
        "batch_idx": torch.zeros(1),
    }
    losses = detector.losses([sample])
    with torch.no_grad():
        _, expected = detector.module.eval().loss(batch)
    assert losses == pytest.approx(
        {
            "box_loss": float(expected["giou_loss"]),
            "class_loss": float(expected["cls_loss"]),
            "l1_loss": float(expected["l1_loss"]),
        },
        rel=1e-4,
    )


def test_after_a_look_it_learns_denoises_and_leaves_frozen_layers_as_they_are(block_samples):
    options = dataclasses.replace(SMALL, freeze=4)
    detector, _ = new_detector(["block"], options)
    detector.losses(block_samples[:1])
    task = task_of(detector, block_samples[:2], block_samples[:1], options)
    (batch,) = task.batches(np.random.default_rng(0), 0.0)
    before = {k: v.clone() for k, v in detector.module.state_dict().items()}
    optimizer = torch.optim.AdamW([p for p in detector.module.parameters() if p.requires_grad], 1e-3)
    descended = []
    for _ in range(3):
        loss, parts = task.loss(batch)
        assert loss.item() > sum(parts.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        descended.append(loss.item())
    assert descended[-1] < 0.8 * descended[0]
    assert detector.module.model[-1].denoising_class_embed.weight.grad.abs().max() > 0
    changed = {int(k.split(".")[1]) for k, v in detector.module.state_dict().items() if not torch.equal(v, before[k])}
    assert min(changed) == 4


def test_images_without_a_label_are_learned_as_showing_nothing(detector, block_samples):
    bare = [dataclasses.replace(s, instances=()) for s in block_samples[:2]]
    task = task_of(detector, bare, bare, SMALL)
    (batch,) = task.batches(np.random.default_rng(0), 0.0)
    loss, parts = task.loss(batch)
    assert np.isfinite(loss.item())
    assert parts["class_loss"] > 0
    assert parts["box_loss"] == parts["l1_loss"] == 0


def test_a_training_starts_from_our_weights_and_from_a_file_that_ultralytics_wrote(trained, tmp_path):
    folder, _, _ = trained
    own = tmp_path / "own.pt"
    save_checkpoint(own, {k: v.half() for k, v in load_state(folder / WEIGHTS).items()})
    detector, sentence = new_detector(["a", "b"], dataclasses.replace(SMALL, weights=str(own)))
    total = len(detector.module.state_dict())
    # Weight and bias of seven heads of scores and the embedding of the classes depend on the classes.
    assert sentence == f"yolov8n-rtdetr from the weights {own} ({total - 15} of {total} tensors)"
    pickled = tmp_path / "theirs.pt"
    network = RTDETRDetectionModel("yolov8n-rtdetr.yaml", nc=2, verbose=False)
    torch.save({"model": network.half(), "train_args": {"lr0": 0.01}}, pickled)
    detector, sentence = new_detector(["a", "b"], dataclasses.replace(SMALL, weights=str(pickled)))
    assert sentence.endswith(f"({total} of {total} tensors)")
    name = "model.22.dec_score_head.5.weight"
    assert torch.equal(detector.module.state_dict()[name], network.state_dict()[name].float())


def test_torch_runs_it_and_another_runtime_is_refused_by_name(trained, caplog):
    folder, _, _ = trained
    with caplog.at_level(logging.INFO):
        assert load_detector(folder, device="cpu", runtime="auto").runtime == "torch"
    assert "torch runs yolov8n-rtdetr, which is not exported" in caplog.text
    with pytest.raises(CadsightError, match="yolov8n-rtdetr cannot be exported, expected a YOLO detector, or the"):
        load_detector(folder, device="cpu", runtime="onnxruntime")


def test_features_and_saliency_are_had_as_of_a_yolo(detector, block_samples):
    image = read_image(block_samples[0].image)
    seen = {}
    hook = detector.module.model[4].register_forward_hook(lambda layer, inputs, out: seen.update(out=out))
    saliency = detector_saliency(detector, image, 1)
    hook.remove()
    assert saliency.shape == (64, 64)
    assert saliency.max() == 1
    features = detector.features([image])
    assert features.shape == (1, 32 + 64)
    assert features[0, 32:] == pytest.approx(seen["out"].mean(dim=(0, 2, 3)).detach().numpy(), abs=1e-4)


def test_what_is_not_given_is_the_familys_own():
    options = RtDetrOptions(family="rtdetr", size="large")
    given = (options.image_size, options.batch, options.optimizer, options.learning_rate, options.mosaic)
    assert given == (640, 4, "adamw", 1e-4, 0)
    assert RtDetrOptions(family="yolov8-rtdetr", batch=8).batch == 8
