import numpy as np
import pytest
import torch
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.crops import crop
from cadsight_core.errors import CadsightError
from cadsight_learning.models import load_detector, load_regressor
from cadsight_learning.normals.torch_regressor import NormalRegressor, outputs
from cadsight_perception.models import serve
from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.pipeline import Pipeline

CAMERA = Camera(ImageSize(160, 120), 150.0, 150.0, 79.5, 59.5)


@pytest.fixture(scope="module")
def pipeline(models):
    return Pipeline(load_detector(models / "detector"), load_regressor(models / "normals"), 0.0, 3)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)


def test_every_detection_has_the_normal_of_its_own_crop_turned_into_the_cameras_frame(pipeline, image):
    looked = pipeline.look(image, CAMERA)
    assert len(looked.instances) == 3
    for instance, covariance in zip(looked.instances, looked.covariances, strict=True):
        viewing, spread = pipeline.regressor.predict(crop(image, instance.box)[None])
        # Where the box lies inside the picture its square has its centre; rays go through the centres of pixels.
        box = instance.box.squared(CAMERA.size)
        rotation = viewing_rotation(CAMERA, np.array(box.centre) - 0.5)
        assert instance.normal == pytest.approx(rotation @ viewing[0], abs=0.01)
        assert np.linalg.norm(instance.normal) == pytest.approx(1.0)
        assert covariance == pytest.approx(rotation @ spread[0] @ rotation.T, abs=1e-5)
        assert np.trace(covariance) == pytest.approx(6e-4)


def test_a_regressor_that_says_how_sure_it_is_gives_every_normal_a_covariance_of_its_own(pipeline, image):
    torch.manual_seed(3)
    regressor = NormalRegressor("resnet18", 64, temperature=2.0)
    torch.nn.init.normal_(regressor.module.last.weight, std=0.1)
    looked = Pipeline(pipeline.detector, regressor, 0.0, 3).look(image, CAMERA)
    crops = np.stack([crop(image, instance.box) for instance in looked.instances])
    said = outputs(regressor.module, crops, 64)[:, 3]
    for instance, covariance, kappa in zip(looked.instances, looked.covariances, said, strict=True):
        # About the normal as it is published, in the camera's frame: across it alike, and along it as it should be.
        length = 1 / np.tanh(kappa / 2) - 2 / kappa
        across = length / (kappa / 2)
        along = 2 * (1 - length - across)
        outer = np.outer(instance.normal, instance.normal)
        assert covariance == pytest.approx(across * (np.eye(3) - outer) + along * outer, rel=1e-3, abs=1e-6)


def test_the_same_picture_gives_the_same_answer(pipeline, image):
    first, second = pipeline.look(image, CAMERA), pipeline.look(image, CAMERA)
    for a, b in zip(first.instances, second.instances, strict=True):
        assert (a.box, a.score) == (b.box, b.score)
        assert (a.normal == b.normal).all()


def test_without_a_camera_there_are_boxes_and_no_normals(pipeline, image):
    looked = pipeline.look(image, None)
    assert [instance.normal for instance in looked.instances] == [None] * 3
    assert looked.covariances == (None,) * 3
    assert looked.regressor_ms == 0.0


def test_nothing_found_is_an_answer_too(models, image):
    sure = Pipeline(load_detector(models / "detector"), load_regressor(models / "normals"), 1.0)
    assert sure.look(image, CAMERA).instances == ()


def parameters(models, **changes) -> PerceptionParameters:
    return PerceptionParameters(models_folder=str(models), warm_up_width=64, warm_up_height=48, **changes)


def test_only_the_model_that_changes_is_loaded(models):
    given = parameters(models)
    first = serve("detector", "normals", given)
    second = serve("detector", "other_normals", given, first)
    assert second.pipeline.detector is first.pipeline.detector
    assert second.pipeline.regressor is not first.pipeline.regressor
    assert serve("detector", "other_normals", given, second) is second


@pytest.mark.parametrize(
    ("detector", "regressor", "sentence"),
    [
        ("nowhere", "normals", "no model"),
        ("normals", "normals", "is a model of kind 'normals', expected 'detector'"),
        ("detector", "detector", "is a model of kind 'detector', expected 'normals'"),
        ("../detector", "normals", "leads out of the folder"),
        ("/etc", "normals", "leads out of the folder"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused_by_name(models, detector, regressor, sentence):
    with pytest.raises(CadsightError, match=sentence):
        serve(detector, regressor, parameters(models))


def test_a_missing_registry_is_named(tmp_path):
    with pytest.raises(CadsightError, match=r"models_folder .*nowhere does not exist"):
        serve("detector", "normals", parameters(tmp_path / "nowhere"))


@pytest.mark.parametrize("changes", [{"confidence": 1.5}, {"max_detections": 0}, {"threads": -1}, {"silence_s": 0.0}])
def test_parameters_out_of_range_are_refused(models, changes):
    with pytest.raises(CadsightError, match=next(iter(changes))):
        parameters(models, **changes)
