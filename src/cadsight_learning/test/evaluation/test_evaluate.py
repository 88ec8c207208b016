import dataclasses
import json

import numpy as np
import pytest
import torch
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import angle_between
from cadsight_core.parts.part import Symmetry
from cadsight_core.sample import Instance
from cadsight_learning.detection.ultralytics.yolo import YoloDetector
from cadsight_learning.evaluation.evaluate import evaluate_detector, evaluate_normals, in_classes_of
from cadsight_learning.metrics.bootstrap import resampled
from cadsight_learning.metrics.detection import resampled_figures
from cadsight_learning.metrics.results import DetectionMetrics
from cadsight_learning.normals.crops import views
from cadsight_learning.normals.torch_regressor import NormalRegressor


class FixedDetector(YoloDetector):
    """A real, untrained network that gives the given boxes, to check the figures made of them."""

    def __init__(self, answers):
        super().__init__("yolo11n", ["block"], 96)
        self.answers = answers

    def predict(self, images, confidence=0.5, max_detections=10):
        return [[i for i in self.answers.pop(0) if i.score >= confidence][:max_detections] for _ in images]


def found(box: Box, score: float) -> Instance:
    return Instance(0, box, score=score, source="model")


def test_figures_of_a_detector_that_finds_one_of_two_and_one_too_many(block_samples):
    first, second = (s.instances[0].box for s in block_samples[:2])
    answers = [[found(first, 0.9), found(Box(0, 0, 5, 5), 0.8)], [found(second, 0.4)]]
    figures = evaluate_detector(FixedDetector(answers), block_samples[:2])
    assert (figures.precision, figures.recall, figures.f1) == pytest.approx((0.5, 0.5, 0.5))
    # Half of the labels found, at precision 1: 51 of COCO's 101 recall points.
    assert (figures.map50, figures.map50_95) == pytest.approx((51 / 101, 51 / 101))
    assert figures.mean_iou == pytest.approx(1.0)
    assert figures.per_class["block"].labels == 2
    assert all(
        np.isfinite(figures.losses[k]) and figures.losses[k] > 0 for k in ("box_loss", "object_loss", "dfl_loss")
    )


class FindsColour(torch.nn.Module):
    """A network's place: the box of what is coloured in its own input, in the form that YOLO gives boxes in."""

    def __init__(self):
        super().__init__()
        self.somewhere = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        rows = []
        for image in images:
            mask = ((image.amax(dim=0) - image.amin(dim=0)) > 0.15).numpy()
            box = Box.from_mask(mask)
            rows.append([*box.centre, box.width, box.height, 0.9])
        return torch.tensor(rows)[:, :, None], {}  # and what the losses want, as it gives in evaluation


@pytest.mark.parametrize("image_size", [64, 96, 288])
def test_boxes_are_compared_in_native_pixels_whatever_size_the_network_sees(block_samples, image_size):
    detector = YoloDetector("yolo11n", ["block"], image_size)
    detector._for_inference = FindsColour
    figures = evaluate_detector(detector, block_samples)
    assert (figures.precision, figures.recall, figures.map50) == (1, 1, 1)
    assert figures.mean_iou > 0.85
    for one, sample in zip(figures.per_image, block_samples, strict=True):
        assert one.labels[0].box == pytest.approx(sample.instances[0].box.as_tuple(), abs=1e-3)


def test_every_figure_and_interval_comes_again_from_what_is_kept(block_samples):
    answers = [[found(s.instances[0].box, 0.9)] if i % 3 else [] for i, s in enumerate(block_samples)]
    kept = json.loads(json.dumps(evaluate_detector(FixedDetector(answers), block_samples).to_json(), allow_nan=False))
    figures = DetectionMetrics.from_json(kept)
    again = resampled_figures(figures.matches, resampled(len(block_samples)))
    assert list(figures.intervals["recall"]) == pytest.approx(np.percentile(again["recall"], [2.5, 97.5]).tolist())
    assert [p.labels[0].found for p in figures.per_image] == [bool(i % 3) for i in range(len(block_samples))]


def test_labels_can_be_made_square(block_samples):
    sample = block_samples[0]
    box = sample.instances[0].box
    square = box.squared(sample.size)
    assert square.iou(box) < 0.95
    figures = [
        evaluate_detector(FixedDetector([[found(square, 0.9)]]), [sample], square=s).mean_iou for s in (True, False)
    ]
    assert figures == pytest.approx([1.0, square.iou(box)])


def test_an_empty_set_is_refused():
    with pytest.raises(CadsightError, match="is empty"):
        evaluate_detector(FixedDetector([]), [])


def test_a_set_without_a_label_is_refused_unless_it_is_marked_as_background(block_samples):
    bare = [dataclasses.replace(sample, instances=()) for sample in block_samples[:2]]
    with pytest.raises(CadsightError, match="the 2 test images have no labels, expected some"):
        evaluate_detector(FixedDetector([[], []]), bare)
    backgrounds = [dataclasses.replace(sample, record={"background": True}) for sample in bare]
    wrong = found(block_samples[0].instances[0].box, 0.9)
    assert evaluate_detector(FixedDetector([[], [wrong]]), backgrounds).images_right == 0.5


def test_classes_are_matched_by_name(block_samples):
    renamed = in_classes_of(block_samples[:1], ["block"], ["rod", "block"])
    assert renamed[0].instances[0].class_id == 1
    with pytest.raises(CadsightError, match="the class 'block', expected one of the model's: rod"):
        in_classes_of(block_samples[:1], ["block"], ["rod"])


def test_a_class_that_never_occurs_does_not_matter(block_samples):
    assert in_classes_of(block_samples[:1], ["block", "rod"], ["block"])[0].instances[0].class_id == 0
    bare = dataclasses.replace(block_samples[0], instances=())
    assert in_classes_of([bare], ["other"], ["block"]) == [bare]


class Answers(NormalRegressor):
    """A real, untrained network that gives the given normals, to check the figures made of them."""

    def __init__(self, answers):
        super().__init__("compact", 64)
        self.answers = list(answers)

    def predict(self, crops):
        return np.stack([self.answers.pop(0) for _ in crops]), np.stack([np.eye(3)] * len(crops))


def upside_down(sample):
    """The normal that a block turned by half a turn about its own x axis would show, in the viewing frame."""
    (view,) = views([sample])
    return view.rotation.T @ sample.instances[0].camera_from_part.rotation[:, 2]


def test_a_normal_that_looks_the_same_on_a_symmetric_part_is_no_error(block_samples):
    samples, flip = block_samples[:3], {0: (Symmetry(axis=(1.0, 0.0, 0.0), order=2),)}
    plain = evaluate_normals(Answers(map(upside_down, samples)), samples)
    assert (plain.mean_deg, plain.symmetric) == pytest.approx((180.0, 0))
    same = evaluate_normals(Answers(map(upside_down, samples)), samples, flip)
    assert (same.mean_deg, same.p90_deg, same.loss, same.symmetric) == pytest.approx((0, 0, 0, 3), abs=1e-4)
    assert [p.angle_deg for p in same.per_image] == pytest.approx([0, 0, 0], abs=1e-4)
    assert same.per_image[0].true == pytest.approx(list(samples[0].instances[0].normal))
    other = evaluate_normals(Answers(map(upside_down, samples)), samples, {1: flip[0]})
    assert other.mean_deg == pytest.approx(180.0)


def test_a_symmetry_helps_nobody_whose_pose_is_unknown(block_samples):
    unknown = dataclasses.replace(block_samples[0].instances[0], camera_from_part=None)
    sample = dataclasses.replace(block_samples[0], instances=(unknown,))
    flip = {0: (Symmetry(axis=(1.0, 0.0, 0.0), order=2),)}
    figures = evaluate_normals(Answers([upside_down(block_samples[0])]), [sample], flip)
    assert (figures.mean_deg, figures.symmetric) == pytest.approx((180.0, 0))
    assert float(angle_between(figures.per_image[0].predicted, unknown.normal)) == pytest.approx(180.0)


class Hungry(torch.nn.Module):
    """A network's place: it wants more memory than any machine has as soon as it sees more than ``most`` at once."""

    def __init__(self, inner, most):
        super().__init__()
        self.inner, self.most = inner, most

    def forward(self, batch, *more, **options):
        count = len(batch["img"] if isinstance(batch, dict) else batch)
        if count > self.most:
            torch.empty(2**60, dtype=torch.uint8)
        return self.inner(batch, *more, **options)


def test_a_regressor_without_memory_left_names_what_to_lower_and_is_evaluated_with_that(block_samples):
    torch.manual_seed(0)
    regressor = NormalRegressor("compact", 64)
    expected = evaluate_normals(regressor, block_samples[:5])
    regressor.module = Hungry(regressor.module, 2)
    with pytest.raises(CadsightError, match="expected lower settings: batch 32, or"):
        evaluate_normals(regressor, block_samples[:5])
    words = (
        "the memory does not suffice, expected lower settings: batch 3, or the image_size 64 of the model's training"
    )
    with pytest.raises(CadsightError, match=words):
        evaluate_normals(regressor, block_samples[:5], batch=3)
    found = evaluate_normals(regressor, block_samples[:5], batch=2)
    assert found.mean_deg == pytest.approx(expected.mean_deg)
    assert [p.name for p in found.per_image] == [p.name for p in expected.per_image]
    with pytest.raises(CadsightError, match="batch is 0, expected at least 1"):
        evaluate_normals(regressor, block_samples[:5], batch=0)


@pytest.mark.parametrize("where", ["predict", "losses"])
def test_a_detector_without_memory_left_names_what_to_lower(block_samples, monkeypatch, where):
    detector = YoloDetector("yolo11n", ["block"], 64)
    seen = []

    def hungry(self, given, *more):
        seen.append(given if where == "losses" else len(given))
        torch.empty(2**60, dtype=torch.uint8)

    monkeypatch.setattr(YoloDetector, where, hungry)
    with pytest.raises(CadsightError, match="expected lower settings: batch 3, or the image_size 64 of the model's"):
        evaluate_detector(detector, block_samples[:5], batch=3)
    assert seen == ([block_samples[:5]] if where == "losses" else [3])


def test_a_detector_sees_no_more_images_at_once_than_the_batch(block_samples):
    torch.manual_seed(0)
    detector = YoloDetector("yolo11n", ["block"], 64)
    seen = []
    detector.module.model[0].register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    losses = detector.losses(block_samples[:5], batch=2)
    assert seen == [2, 2, 1]
    assert losses.keys() == detector.losses(block_samples[:5]).keys()
    assert seen == [2, 2, 1, 5]
