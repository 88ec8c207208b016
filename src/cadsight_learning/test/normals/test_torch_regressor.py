import dataclasses

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.evaluation.evaluate import evaluate_normals
from cadsight_learning.fit import fit_normals
from cadsight_learning.models import load_regressor
from cadsight_learning.normals.torch_regressor import NormalRegressor, as_input, loss, residual_covariance
from cadsight_learning.options import NormalOptions

SMALL = NormalOptions(epochs=2, image_size=64, batch=6)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, block_samples, other_samples):
    folder = tmp_path_factory.mktemp("models") / "normals"
    regressor, card = fit_normals(block_samples, other_samples, ["block"], folder, SMALL)
    return folder, regressor, card


def test_the_loss_is_equation_one():
    predicted = torch.tensor([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.6, 0.0, -0.8]])
    true = torch.tensor([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]])
    assert float(loss(predicted, true)) == pytest.approx((0 + 2 + 0.36 + 0.04) / 3)


def test_a_loaded_regressor_predicts_what_the_trained_one_did(trained):
    folder, regressor, card = trained
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    normals, covariances = regressor.predict(crops)
    again, _ = load_regressor(folder).predict(crops)
    assert normals == pytest.approx(again)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
    assert covariances.shape == (3, 3, 3)
    assert covariances[0] == pytest.approx(np.array(card.extra["covariance"]))
    assert {"loss", "mean_deg", "median_deg", "p90_deg"} <= card.figures.keys()


def test_a_batch_gives_what_each_crop_alone_gives(trained):
    _, regressor, _ = trained
    crops = np.random.default_rng(1).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    together, _ = regressor.predict(crops)
    alone = np.concatenate([regressor.predict(crops[i : i + 1])[0] for i in range(4)])
    assert together == pytest.approx(alone, abs=1e-4)


def test_a_batch_of_any_size_is_given_to_the_network_some_at_a_time(trained):
    _, regressor, _ = trained
    crops = np.random.default_rng(2).integers(0, 256, (70, 64, 64, 3), dtype=np.uint8)
    seen = []
    hook = regressor.module.register_forward_hook(lambda module, given, out: seen.append(len(out)))
    normals, covariances = regressor.predict(crops)
    hook.remove()
    assert (seen, normals.shape, covariances.shape) == ([32, 32, 6], (70, 3), (70, 3, 3))


def test_the_features_are_what_the_last_layer_turns_into_a_normal(trained):
    _, regressor, _ = trained
    crops = np.random.default_rng(3).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    features = regressor.features(crops)
    assert features.shape == (2, 128)
    last = regressor.module[-2:](torch.from_numpy(features).float()).detach().numpy()
    assert last == pytest.approx(regressor.predict(crops)[0], abs=1e-5)


def test_a_crop_is_enlarged_without_blocks():
    ramp = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 32, axis=0).repeat(3, axis=2)[None]
    row = as_input(ramp, 128)[0, 0, 64].numpy()
    # Three of four steps between neighbours move, and none jumps by a whole pixel of the crop.
    assert np.diff(row).max() < 3 / 127.5
    assert row.shape == (128,)


def test_no_crops_give_no_normals_and_other_shapes_are_refused(trained):
    _, regressor, _ = trained
    normals, covariances = regressor.predict(np.zeros((0, 224, 224, 3), np.uint8))
    assert (normals.shape, covariances.shape) == ((0, 3), (0, 3, 3))
    with pytest.raises(CadsightError, match=r"\(224, 224, 3\)"):
        regressor.predict(np.zeros((224, 224, 3), np.uint8))


def test_the_covariance_is_the_mean_square_of_the_residuals():
    true = np.tile([0.0, 0.0, -1.0], (4, 1))
    predicted = true + np.array([[0.1, 0, 0], [-0.1, 0, 0], [0, 0.2, 0], [0, -0.2, 0]])
    expected = np.diag([2 * 0.01 / 4, 2 * 0.04 / 4, 0]) + np.eye(3) * np.radians(0.1) ** 2
    assert residual_covariance(predicted, true) == pytest.approx(expected)


class Facing(NormalRegressor):
    """Says of every crop that its surface faces the camera."""

    def predict(self, crops):
        return np.tile([0.0, 0.0, -1.0], (len(crops), 1)), np.zeros((len(crops), 3, 3))


def test_angle_errors_stand_against_the_vertical_component_of_the_true_normal(block_samples):
    tilted = []
    for sample, degrees in zip(block_samples, (0, 10, 30), strict=False):
        normal = np.array([np.sin(np.radians(degrees)), 0, -np.cos(np.radians(degrees))])
        tilted.append(
            dataclasses.replace(
                sample, camera=None, instances=(dataclasses.replace(sample.instances[0], normal=normal),)
            )
        )
    figures = evaluate_normals(Facing("comillas", 64), tilted)
    assert [r.angle_deg for r in figures.per_image] == pytest.approx([0, 10, 30], abs=1e-6)
    assert [r.vertical for r in figures.per_image] == pytest.approx(np.cos(np.radians([0, 10, 30])))
    assert figures.mean_deg == pytest.approx(40 / 3)
    assert figures.loss == pytest.approx(np.mean(2 - 2 * np.cos(np.radians([0, 10, 30]))))


def test_a_prediction_in_the_crops_frame_is_turned_into_the_cameras(block_samples):
    """What faces its own viewing ray leans in the camera's frame, by the angle of that ray."""
    sample = max(block_samples, key=lambda s: abs(s.instances[0].box.centre[0] - 48))
    row = evaluate_normals(Facing("comillas", 64), [sample]).per_image[0]
    x, y = sample.instances[0].box.centre
    ray = np.array([(x - 48) / 90, (y - 32) / 90, 1.0])
    assert row.predicted == pytest.approx(list(-ray / np.linalg.norm(ray)), abs=0.01)


def test_drawn_views_without_a_part_are_refused(tmp_path, block_samples, other_samples):
    with pytest.raises(CadsightError, match="5 views are to be drawn of no part"):
        fit_normals(block_samples, other_samples, ["block"], tmp_path, dataclasses.replace(SMALL, drawn=5))
