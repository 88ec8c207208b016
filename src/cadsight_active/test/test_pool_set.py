"""Batches chosen of real images by a real network."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_active.options import SelectionOptions
from cadsight_active.pool_set import PoolSet, candidates_of, select_from
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_core.sample import Instance
from cadsight_learning.detection.evidence import evidence_of
from cadsight_learning.detection.factory import new_detector
from cadsight_learning.detection.families import detector_options


@pytest.fixture(scope="module")
def detector():
    options = detector_options({"family": "yolo11", "weights": "scratch", "image_size": 96}, "test")
    return new_detector(["block", "rod"], options)[0]


class ByRuntime:
    """A detector of which boxes and one score each are known alone, as another runtime gives them."""

    classes = ("block", "rod")

    def __init__(self, detector):
        self._detector = detector

    def predict(self, images, confidence, max_detections):
        return self._detector.predict(images, confidence, max_detections)


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_every_strategy_chooses_images_and_says_why(strategy, detector, block_samples, other_samples):
    pool = PoolSet.of(block_samples, other_samples)
    selection = select_from(pool, SelectionOptions(strategy, k=3, floor=0.03), detector)
    batch = selection.batch
    assert batch.pool == (12, 4)
    assert len({one.name for one in batch.images}) == 3
    assert {one.name for one in batch.images} <= {s.name for s in block_samples}
    assert all(one.reason and one.file.is_file() and len(one.sha256) == 64 for one in batch.images)
    assert all(one.neighbour.name.startswith("labelled/") for one in batch.images)
    again = select_from(pool, SelectionOptions(strategy, k=3, floor=0.03), detector).batch
    assert str(again.images) == str(batch.images)  # as text, in which NaN is itself


def test_images_that_are_labelled_already_are_not_in_the_pool(block_samples):
    pool = PoolSet.of(block_samples, block_samples[:3])
    assert [s.name for s in pool.unlabelled] == [s.name for s in block_samples[3:]]


def test_a_strategy_that_asks_a_model_wants_one(block_samples):
    with pytest.raises(CadsightError, match="the strategy margin asks a model and none is given"):
        select_from(PoolSet(block_samples), SelectionOptions("margin", k=1))


def test_a_detector_that_another_runtime_runs_gives_scores_and_no_features(detector, block_samples):
    images = [read_image(s.image) for s in block_samples[:2]]
    for seen, found in zip(evidence_of(ByRuntime(detector), images), detector.predict(images, 0.03, 100), strict=True):
        assert seen.scores.max(axis=1).tolist() == pytest.approx([i.score for i in found])
        assert seen.features.shape == (len(found), 0)
    pool = PoolSet(block_samples)
    assert len(select_from(pool, SelectionOptions("margin", k=2), ByRuntime(detector)).batch.images) == 2
    with pytest.raises(CadsightError, match="needs image features and the model gives none"):
        select_from(pool, SelectionOptions("dbal", k=2), ByRuntime(detector))


def test_a_network_whose_features_are_no_numbers_has_its_images_left_out(detector, block_samples, monkeypatch):
    real = detector.evidence

    def broken(images, floor):
        first, *others = real(images, floor)
        return [replace(first, image_features=first.image_features * np.nan), *others]

    monkeypatch.setattr(detector, "evidence", broken)
    batch = select_from(PoolSet(block_samples), SelectionOptions("dbal", k=2, floor=0.03), detector).batch
    assert batch.refused == (block_samples[0].name,)
    assert batch.notes[-1] == "1 images have a score or feature that is no number and are left out"


def test_the_difficulty_of_classes_comes_from_the_labelled_images(detector, block_samples, other_samples):
    assert candidates_of(PoolSet(block_samples), detector).difficulties is None
    made = candidates_of(PoolSet(block_samples, other_samples), detector)
    assert made.difficulties[1] == 1  # no rod is labelled
    assert 0 < made.difficulties[0] <= 1
    rods = [replace(s, instances=(Instance(1, s.instances[0].box, source="human"),)) for s in other_samples]
    assert candidates_of(PoolSet(block_samples, rods), detector).difficulties[0] == 1
