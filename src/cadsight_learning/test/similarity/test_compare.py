import dataclasses
import hashlib
import sys

import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image, write_image
from cadsight_learning.detection.factory import new_detector
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.models import load_detector
from cadsight_learning.normals.torch_regressor import new_regressor
from cadsight_learning.options import NormalOptions
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.store import save_model
from cadsight_learning.similarity.compare import between, by_features, sheet, some
from cadsight_learning.similarity.extractors import DetectorFeatures, ImageFeatures
from cadsight_learning.similarity.features import inception_score
from skimage import data


@pytest.fixture(scope="module")
def extractor():
    return ImageFeatures()


def changed(samples, folder, change):
    """Copies of the images, changed."""
    folder.mkdir()
    copies = []
    for sample in samples:
        path = folder / f"{sample.name}.png"
        write_image(path, change(read_image(sample.image)))
        copies.append(dataclasses.replace(sample, image=path, name=f"copy-{sample.name}"))
    return copies


def test_the_weights_are_in_place_a_cup_of_coffee_is_an_espresso(extractor):
    coffee = data.coffee()
    square = coffee[:, (coffee.shape[1] - coffee.shape[0]) // 2 :][:, : coffee.shape[0]]
    (class_probabilities,) = extractor.class_probabilities(extractor.of([square]))
    assert int(class_probabilities.argmax()) == 967  # ImageNet's espresso
    assert class_probabilities[967] > 0.7
    assert class_probabilities.sum() == pytest.approx(1)


def test_images_of_many_kinds_have_a_higher_inception_score(extractor):
    many, one = ([image] * 2 for image in (data.coffee(), data.chelsea()))
    found = by_features(extractor.of([*many, *one]), extractor.of(many), extractor)["inception_score"]
    assert found == pytest.approx([inception_score(extractor.class_probabilities(extractor.of([*many, *one]))), 1.0])
    assert 1.5 < found[0] <= 2


def test_more_blur_is_farther_away(block_samples, tmp_path, extractor):
    found = []
    for blur in (1, 3, 9):
        second = changed(block_samples, tmp_path / str(blur), lambda i, k=blur: cv2.GaussianBlur(i, (k, k), 0))
        found.append(between(block_samples, second, extractor)[0]["features"])
    assert found[0]["fid"] < found[1]["fid"] < found[2]["fid"]
    assert found[0]["kid"] < found[1]["kid"] < found[2]["kid"]
    assert all(f["fid_biased"] and f["extractor"] == extractor.name for f in found)


def test_each_image_finds_its_copy_and_a_new_one_has_none(block_samples, other_samples, tmp_path, extractor):
    copies = changed(block_samples[:4], tmp_path / "copies", lambda i: i)
    found, neighbours = between(block_samples, [*copies, other_samples[0]], extractor)
    rows = neighbours.to_json()
    assert [r["nearest"] for r in rows[:4]] == [s.name for s in block_samples[:4]]
    assert found["nearest"]["copies"] == 4
    assert rows[4]["distance"] == pytest.approx(found["nearest"]["largest"], abs=1e-6)
    ((farthest, like, distance),) = neighbours.farthest_first(1)
    assert (farthest.name, like.name, distance > 1e-3) == (rows[4]["picture"], rows[4]["nearest"], True)
    image = sheet(neighbours.farthest_first(5), columns=2)
    assert image.shape == (3 * (224 + 22 + 8), 2 * (448 + 8), 3)


def test_a_detector_of_ones_own_makes_the_features_and_is_named(block_samples, other_samples, tmp_path):
    detector, _ = new_detector(("block",), YoloOptions(image_size=64))
    folder = tmp_path / "models" / "own"
    save_model(folder, ModelCard("detector", detector.architecture, ("block",), 64), detector.module.state_dict())
    own = DetectorFeatures("own", tmp_path / "models")
    weights = hashlib.sha256((folder / "weights.pt").read_bytes()).hexdigest()[:12]
    assert own.name == f"the detector {folder} (yolo11n, weights {weights}), its pooled features"
    images = [read_image(s.image) for s in block_samples]
    by_hand = load_detector(folder).features(images)
    np.testing.assert_allclose(own.of(iter(images)), by_hand, atol=1e-6)
    copies = changed(block_samples[:4], tmp_path / "copies", lambda i: i)
    found, neighbours = between(block_samples, [*copies, other_samples[0]], own)
    assert (found["features"]["extractor"], found["features"]["features"]) == (own.name, by_hand.shape[1])
    assert found["features"]["inception_score"] is None
    assert (found["nearest"]["copies"], len(neighbours.to_json())) == (4, 5)
    with pytest.raises(CadsightError, match="expected at least two images each"):
        between(block_samples, [], own)


def test_what_is_no_detector_makes_no_features(tmp_path):
    with pytest.raises(CadsightError, match="there is no model 'gone' in"):
        DetectorFeatures("gone", tmp_path)
    regressor, _ = new_regressor(NormalOptions(architecture="compact", image_size=32))
    card = ModelCard("normals", "compact", ("block",), 32)
    save_model(tmp_path / "angles", card, regressor.module.state_dict())
    with pytest.raises(CadsightError, match="is a model of kind 'normals', expected 'detector'"):
        DetectorFeatures("angles", tmp_path)


def test_images_are_taken_at_even_distances():
    assert some(list(range(10)), 4) == [0, 3, 6, 9]
    assert some([1, 2], 5) == [1, 2]


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(CadsightError, match="efficientnet_lite0 needs timm, which is not installed"):
        ImageFeatures()


def test_features_of_no_images_are_none(extractor):
    assert extractor.of([]).shape == (0, 1280)
    assert extractor.of([np.zeros((5, 300, 3), np.uint8)]).shape == (1, 1280)
