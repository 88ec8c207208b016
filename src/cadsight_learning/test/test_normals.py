import dataclasses

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.evaluation import evaluate_normals
from cadsight_learning.fitting import fit_normals
from cadsight_learning.normals import NormalRegressor, loss, network, residual_covariance
from cadsight_learning.options import NormalOptions
from cadsight_learning.registry import load_regressor

SMALL = NormalOptions(epochs=2, image_size=64, batch=6)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, pictures, other_pictures):
    folder = tmp_path_factory.mktemp("models") / "normals"
    regressor, card = fit_normals(pictures, other_pictures, ["block"], folder, SMALL)
    return folder, regressor, card


def test_the_loss_is_equation_one():
    predicted = torch.tensor([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.6, 0.0, -0.8]])
    true = torch.tensor([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]])
    assert float(loss(predicted, true)) == pytest.approx((0 + 2 + 0.36 + 0.04) / 3)


@pytest.mark.parametrize("architecture", ["comillas", "compact"])
def test_outputs_are_unit_vectors(architecture):
    out = network(architecture, 64).eval()(torch.randn(4, 3, 64, 64) * 10)
    assert out.shape == (4, 3)
    assert out.norm(dim=1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


def test_the_papers_network_has_its_three_convolutions_and_widths():
    layers = list(network("comillas", 224))
    convolutions = [layer for layer in layers if isinstance(layer, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [16, 32, 64]
    assert sum(isinstance(layer, torch.nn.MaxPool2d) for layer in layers) == 3
    # 16-32-64 convolutions, then 28 x 28 x 64 to 128 to 3.
    expected = (3 * 9 + 1) * 16 + (16 * 9 + 1) * 32 + (32 * 9 + 1) * 64 + (28 * 28 * 64 + 1) * 128 + 129 * 3
    assert sum(p.numel() for layer in layers for p in layer.parameters()) == expected


def test_a_loaded_regressor_says_what_the_trained_one_said(trained):
    folder, regressor, card = trained
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    normals, covariances = regressor.predict(crops)
    again, _ = load_regressor(folder).predict(crops)
    assert normals == pytest.approx(again)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
    assert covariances.shape == (3, 3, 3)
    assert covariances[0] == pytest.approx(np.array(card.extra["covariance"]))
    assert {"loss", "mean_deg", "median_deg", "p90_deg"} <= card.figures.keys()


def test_a_batch_says_what_each_crop_alone_says(trained):
    _, regressor, _ = trained
    crops = np.random.default_rng(1).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    together, _ = regressor.predict(crops)
    alone = np.concatenate([regressor.predict(crops[i : i + 1])[0] for i in range(4)])
    assert together == pytest.approx(alone, abs=1e-4)


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


def test_angle_errors_stand_against_the_vertical_component_of_the_true_normal(pictures):
    tilted = []
    for sample, degrees in zip(pictures, (0, 10, 30), strict=False):
        normal = np.array([np.sin(np.radians(degrees)), 0, -np.cos(np.radians(degrees))])
        tilted.append(
            dataclasses.replace(
                sample, camera=None, instances=(dataclasses.replace(sample.instances[0], normal=normal),)
            )
        )
    figures = evaluate_normals(Facing("comillas", 64), tilted)
    assert [r["angle_deg"] for r in figures["per_image"]] == pytest.approx([0, 10, 30], abs=1e-6)
    assert [r["vertical"] for r in figures["per_image"]] == pytest.approx(np.cos(np.radians([0, 10, 30])))
    assert figures["mean_deg"] == pytest.approx(40 / 3)
    assert figures["loss"] == pytest.approx(np.mean(2 - 2 * np.cos(np.radians([0, 10, 30]))))


def test_a_prediction_in_the_crops_frame_is_turned_into_the_cameras(pictures):
    """What faces its own viewing ray leans in the camera's frame, by the angle of that ray."""
    sample = max(pictures, key=lambda s: abs(s.instances[0].box.centre[0] - 48))
    row = evaluate_normals(Facing("comillas", 64), [sample])["per_image"][0]
    x, y = sample.instances[0].box.centre
    ray = np.array([(x - 48) / 90, (y - 32) / 90, 1.0])
    assert row["predicted"] == pytest.approx(list(-ray / np.linalg.norm(ray)), abs=0.01)


def test_drawn_views_without_a_part_are_refused(tmp_path, pictures, other_pictures):
    with pytest.raises(CadsightError, match="5 views are to be drawn of no part"):
        fit_normals(pictures, other_pictures, ["block"], tmp_path, dataclasses.replace(SMALL, drawn=5))
