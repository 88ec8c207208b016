import numpy as np
import pytest
import torch
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.imaging.crops import crop
from cadsight_learning.detection.ultralytics.options import YoloOptions
from cadsight_learning.detection.ultralytics.yolo import new_detector
from cadsight_learning.inference import Pipeline
from cadsight_learning.normals.torch_regressor import NormalRegressor, outputs

CAMERA = Camera(ImageSize(160, 120), 150.0, 150.0, 79.5, 59.5)


@pytest.fixture(scope="module")
def pipeline():
    """Real networks that have learnt nothing."""
    detector, _ = new_detector(("bracket", "plate"), YoloOptions(weights="scratch", image_size=64))
    torch.manual_seed(0)
    regressor = NormalRegressor("compact", 64)
    regressor.covariance = np.diag([1e-4, 2e-4, 3e-4])
    return Pipeline(detector, regressor, 0.0, 3)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)


def test_every_detection_has_the_normal_of_its_own_crop_turned_into_the_cameras_frame(pipeline, image):
    result = pipeline.infer(image, CAMERA)
    assert len(result.instances) == 3
    for instance, covariance in zip(result.instances, result.covariances, strict=True):
        viewing, covariances = pipeline.regressor.predict(crop(image, instance.box)[None])
        # Where the box lies inside the image its square has its centre; rays go through the centres of pixels.
        box = instance.box.squared(CAMERA.size)
        rotation = viewing_rotation(CAMERA, np.array(box.centre) - 0.5)
        assert instance.normal == pytest.approx(rotation @ viewing[0], abs=0.01)
        assert np.linalg.norm(instance.normal) == pytest.approx(1.0)
        assert covariance == pytest.approx(rotation @ covariances[0] @ rotation.T, abs=1e-5)
        assert np.trace(covariance) == pytest.approx(6e-4)


def test_a_regressor_with_a_concentration_gives_every_normal_a_covariance_of_its_own(pipeline, image):
    torch.manual_seed(3)
    regressor = NormalRegressor("resnet18", 64, temperature=2.0)
    torch.nn.init.normal_(regressor.module.last.weight, std=0.1)
    result = Pipeline(pipeline.detector, regressor, 0.0, 3).infer(image, CAMERA)
    crops = np.stack([crop(image, instance.box) for instance in result.instances])
    kappas = outputs(regressor.module, crops, 64)[:, 3]
    for instance, covariance, kappa in zip(result.instances, result.covariances, kappas, strict=True):
        # About the normal as it is published, in the camera's frame: across it alike, and along it as it should be.
        length = 1 / np.tanh(kappa / 2) - 2 / kappa
        across = length / (kappa / 2)
        along = 2 * (1 - length - across)
        outer = np.outer(instance.normal, instance.normal)
        assert covariance == pytest.approx(across * (np.eye(3) - outer) + along * outer, rel=1e-3, abs=1e-6)


def test_the_same_image_gives_the_same_answer(pipeline, image):
    first, second = pipeline.infer(image, CAMERA), pipeline.infer(image, CAMERA)
    for a, b in zip(first.instances, second.instances, strict=True):
        assert (a.box, a.score) == (b.box, b.score)
        assert (a.normal == b.normal).all()


def test_without_a_camera_there_are_boxes_and_no_normals(pipeline, image):
    result = pipeline.infer(image, None)
    assert [instance.normal for instance in result.instances] == [None] * 3
    assert result.covariances == (None,) * 3
    assert result.regressor_ms == 0.0


def test_without_a_regressor_there_are_boxes_and_no_normals(pipeline, image):
    result = Pipeline(pipeline.detector, None, 0.0, 3).infer(image, CAMERA)
    boxes = [instance.box for instance in pipeline.infer(image, CAMERA).instances]
    assert [instance.box for instance in result.instances] == boxes
    assert [instance.normal for instance in result.instances] == [None] * 3


def test_nothing_found_is_an_answer_too(pipeline, image):
    confident = Pipeline(pipeline.detector, pipeline.regressor, 1.0)
    assert confident.infer(image, CAMERA).instances == ()


def test_one_run_gives_what_is_found_and_the_evidence_for_it(pipeline, image):
    alone, both = pipeline.infer(image, CAMERA), pipeline.infer(image, CAMERA, with_evidence=True)
    assert alone.evidence is None
    assert [i.class_id for i in both.instances] == [i.class_id for i in alone.instances]
    for one, other in zip(both.instances, alone.instances, strict=True):
        assert one.box.as_tuple() == pytest.approx(other.box.as_tuple(), abs=1e-3)
        np.testing.assert_allclose(one.normal, other.normal, atol=1e-3)
    assert len(both.evidence.boxes) >= len(both.instances)
