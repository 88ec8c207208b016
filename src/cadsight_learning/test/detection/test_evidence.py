"""What detectors make of an image before they decide, beside what they decide."""

import numpy as np
import pytest
from cadsight_core.imaging.images import read_image
from cadsight_learning.detection.evidence import Evidence, EvidenceDetector
from cadsight_learning.detection.factory import new_detector
from cadsight_learning.detection.families import detector_options

CLASSES = ["block", "rod", "plate"]


@pytest.fixture(scope="module", params=["yolo11", "yolo26", "rtdetr-l", "faster-rcnn", "faster-rcnn-lite0"])
def detector(request):
    options = detector_options({"family": request.param, "weights": "scratch", "image_size": 96}, "test")
    return new_detector(CLASSES, options)[0]


def test_every_part_that_is_found_has_its_evidence(detector, block_samples):
    assert isinstance(detector, EvidenceDetector)
    images = [read_image(block_samples[0].image), read_image(block_samples[1].image)[:60]]
    floor = 1e-3
    predicted, evidence = detector.predict(images, floor, 20), detector.evidence(images, floor, 20)
    for image, found, seen in zip(images, predicted, evidence, strict=True):
        assert len(seen.boxes) == len(seen.classes) == len(seen.scores) == len(seen.features) > 0
        assert seen.scores.shape[1] == len(CLASSES)
        assert np.isfinite(seen.features).all()
        assert (np.diff(seen.scores.max(axis=1)) <= 0).all()
        best = seen.scores.max(axis=1)
        np.testing.assert_array_equal(seen.classes, seen.scores.argmax(axis=1))
        # A query or proposal that two classes keep is one part here and two there.
        first = found[0]
        assert best[0] == pytest.approx(first.score, abs=1e-6)
        assert seen.classes[0] == first.class_id
        height, width = image.shape[:2]
        clipped = np.clip(seen.boxes[0], 0, [width, height, width, height])
        assert clipped == pytest.approx(np.array(first.box.as_tuple()), abs=1e-3)


def test_an_image_says_the_same_alone_and_among_others(detector, block_samples):
    images = [read_image(s.image) for s in block_samples[:3]]
    together, alone = detector.evidence(images, 1e-3, 5), detector.evidence(images[1:2], 1e-3, 5)[0]
    np.testing.assert_allclose(together[1].scores, alone.scores, atol=1e-5)
    np.testing.assert_allclose(together[1].features, alone.features, atol=1e-3)


def test_the_features_of_an_image_are_those_that_are_asked_for_alone(detector, block_samples):
    images = [read_image(s.image) for s in block_samples[:3]]
    found = np.stack([one.image_features for one in detector.evidence(images, 1e-3, 5)])
    np.testing.assert_allclose(found, detector.features(images), atol=1e-5)


def test_features_are_named_by_the_weights_that_make_them(detector):
    before = detector.features_sha256
    state = {name: value.clone() for name, value in detector.module.state_dict().items()}
    last = next(name for name in reversed(state) if state[name].is_floating_point())
    assert detector.load(state | {last: state[last] + 1}).features_sha256 == before
    first = next(name for name, value in state.items() if value.is_floating_point())
    assert detector.load(state | {first: state[first] + 1}).features_sha256 != before
    detector.load(state)


def test_what_scores_less_than_a_higher_floor_is_left_out():
    seen = Evidence(
        np.zeros((2, 4)), np.array([1, 0]), np.array([[0.1, 0.4], [0.04, 0.01]], np.float32), np.ones((2, 3))
    )
    assert seen.above(0.05).classes.tolist() == [1]
    assert len(seen.above(0.5).boxes) == 0
