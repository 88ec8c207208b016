"""How the regressor learns: its losses, the symmetry of parts, and its concentration."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part, Symmetry
from cadsight_core.parts.symmetry import EqualNormals
from cadsight_learning.evaluation.evaluate import evaluate_normals
from cadsight_learning.fit import fit_normals
from cadsight_learning.models import load_regressor
from cadsight_learning.normals.crops import View, seen_again, views
from cadsight_learning.normals.networks import network
from cadsight_learning.normals.task import NormalTask
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.options import NormalOptions

SIDE = 64
SMALL = NormalOptions(architecture="comillas", epochs=2, image_size=SIDE, batch=6)
ROD, FLIP = Symmetry(axis=(0.0, 0.0, 1.0), order=0), Symmetry(axis=(1.0, 0.0, 0.0), order=2)


class FixedNetwork(torch.nn.Module):
    """Answers every crop with the given rows, and has a weight so that it can be trained."""

    def __init__(self, rows):
        super().__init__()
        self.rows = torch.nn.Parameter(torch.tensor(np.array(rows), dtype=torch.float32))

    def forward(self, crops):
        return self.rows[: len(crops)] * 1.0


def side_normals(samples):
    """``samples`` labelled with the normal of the part's side at x, which its symmetry turns into others."""
    return [
        dataclasses.replace(
            s, instances=tuple(dataclasses.replace(i, normal=i.camera_from_part.rotation[:, 0]) for i in s.instances)
        )
        for s in samples
    ]


def task(module, samples, symmetries=None):
    found = views(samples, SIDE, symmetries)
    return NormalTask(module, found, found, SMALL)


def batch(same):
    return torch.zeros(len(same), 3, SIDE, SIDE), same


def test_the_loss_of_a_symmetric_part_is_the_smallest_over_what_looks_the_same():
    # A square bar about z: its four sides look the same. 30 degrees from +y is 60 from +x, 150 from -y.
    same = EqualNormals.of([1.0, 0.0, 0.0], np.eye(3), (Symmetry(axis=(0.0, 0.0, 1.0), order=4),))
    seen = np.array([math.sin(math.radians(30)), math.cos(math.radians(30)), 0.0])
    module = FixedNetwork([seen])
    one = NormalTask(module, views_of_nothing(), views_of_nothing(), SMALL)
    value, figures = one.loss(batch([same]))
    assert float(value.detach()) == pytest.approx(2 - 2 * math.cos(math.radians(30)), rel=1e-5)
    assert figures["loss"] == pytest.approx(value.item())
    plain, _ = one.loss(batch([EqualNormals.of([1.0, 0.0, 0.0])]))
    assert plain.item() == pytest.approx(2 - 2 * math.cos(math.radians(60)), rel=1e-5)
    value.backward()
    # It is drawn to +y, the nearest: 2 (p - y).
    assert module.rows.grad[0].tolist() == pytest.approx(list(2 * (seen - [0.0, 1.0, 0.0])), abs=1e-5)


def test_the_loss_of_a_rod_is_that_to_its_cone_and_leaves_the_turn_about_its_axis_free():
    tilted = [0.0, math.sin(math.radians(40)), math.cos(math.radians(40))]
    same = EqualNormals.of(tilted, np.eye(3), (ROD,))
    for turn in (0.0, 77.0, 200.0):
        seen = np.array([
            math.sin(math.radians(25)) * math.cos(math.radians(turn)),
            math.sin(math.radians(25)) * math.sin(math.radians(turn)),
            math.cos(math.radians(25)),
        ])  # fmt: skip
        module = FixedNetwork([seen])
        value, _ = NormalTask(module, views_of_nothing(), views_of_nothing(), SMALL).loss(batch([same]))
        assert value.item() == pytest.approx(2 - 2 * math.cos(math.radians(15)), rel=1e-4)
        value.backward()
        about = np.array([-math.sin(math.radians(turn)), math.cos(math.radians(turn)), 0.0])
        assert float(module.rows.grad[0].numpy() @ about) == pytest.approx(0.0, abs=1e-5)


def views_of_nothing():
    """One blank view: the tests of the loss give their own batches."""
    crop = np.zeros((SIDE, SIDE, 3), np.uint8)
    return [View("", crop, crop, None, 1.0, np.zeros((1, 2)), EqualNormals.of([0.0, 0.0, -1.0]), np.eye(3))]


def test_a_network_with_a_concentration_descends_the_likelihood():
    rows = [[0.0, 0.0, -1.0, 100.0], [0.6, 0.0, -0.8, 4.0]]
    same = [EqualNormals.of([0.0, 0.0, -1.0])] * 2
    value, figures = NormalTask(FixedNetwork(rows), views_of_nothing(), views_of_nothing(), SMALL).loss(batch(same))
    # -log(kappa / (2 pi (1 - exp(-2 kappa)))) + kappa (1 - cos)
    expected = [
        -math.log(100 / (2 * math.pi)),
        -math.log(4 / (2 * math.pi * (1 - math.exp(-8)))) + 4 * 0.2,
    ]
    assert value.item() == pytest.approx(np.mean(expected), rel=1e-5)
    assert figures == pytest.approx({"loss": 0.2, "negative_log_likelihood": np.mean(expected)}, rel=1e-4)


def test_validation_counts_normals_that_look_the_same(block_samples):
    samples = side_normals(block_samples[:4])
    symmetric = {0: (FLIP, Symmetry(axis=(0.0, 0.0, 1.0), order=2))}
    turned_over = [-v.normal for v in views(samples, SIDE)]
    plain, same = (task(FixedNetwork(turned_over), samples, s) for s in (None, symmetric))
    assert plain.evaluate(plain.module)[1]["mean_deg"] == pytest.approx(180.0, abs=0.1)
    assert same.evaluate(same.module)[1]["mean_deg"] == pytest.approx(0.0, abs=0.1)
    assert same.evaluate(same.module)[0] == pytest.approx(0.0, abs=1e-5)


def test_what_looks_the_same_turns_with_the_crop(block_samples):
    symmetric = {0: (ROD,)}
    rng = np.random.default_rng(3)
    for view in views(side_normals(block_samples[:4]), SIDE, symmetric):
        _, same = seen_again(view, rng, 180.0, SIDE)
        turned = same.directions[0]
        # The angle between normal and axis stays, and so do both angles to the viewing ray.
        assert turned @ same.axis == pytest.approx(view.normal @ view.same.axis, abs=1e-9)
        assert (turned[2], same.axis[2]) == pytest.approx((view.normal[2], view.same.axis[2]), abs=1e-9)


def test_a_pose_that_is_unknown_leaves_the_one_normal(block_samples):
    instance = dataclasses.replace(block_samples[0].instances[0], camera_from_part=None)
    (view,) = views([dataclasses.replace(block_samples[0], instances=(instance,))], SIDE, {0: (FLIP,)})
    assert view.same.directions.shape == (1, 3)


def test_parts_whose_symmetry_counts_are_in_the_card_and_in_what_is_gone_on_with(
    tmp_path, block_samples, other_samples
):
    part = Part(name="block", mesh="block.stl", symmetry=(FLIP,))
    _, card = fit_normals(block_samples, other_samples, ["block"], tmp_path, SMALL, parts=[part])
    assert card.data["symmetry"] == {"block": [{"axis": (1.0, 0.0, 0.0), "order": 2}]}

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_normals(block_samples, other_samples, ["block"], tmp_path, SMALL, stop, [part])
    with pytest.raises(CadsightError, match="holds an unfinished training on other data"):
        fit_normals(block_samples, other_samples, ["block"], tmp_path, SMALL)


def test_a_regressor_with_a_concentration_keeps_its_temperature(tmp_path, block_samples, other_samples):
    options = dataclasses.replace(SMALL, architecture="mobilenet_v3_small", device="cpu")
    regressor, card = fit_normals(block_samples, other_samples, ["block"], tmp_path, options)
    assert card.started_from == "mobilenet_v3_small from scratch (random weights, seed 0)"
    assert "negative_log_likelihood" in card.figures
    crops = np.stack([v.crop for v in views(other_samples)])
    _, covariances = regressor.predict(crops)
    again = load_regressor(tmp_path)
    assert again.temperature == card.extra["temperature"] == regressor.temperature != 1.0
    assert again.predict(crops)[1] == pytest.approx(covariances, rel=1e-4)
    # Each crop has its own, and none along its normal to speak of when it is sure.
    assert np.ptp(np.trace(covariances, axis1=1, axis2=2)) > 0
    figures, before = (evaluate_normals(r, other_samples) for r in (regressor, _without_temperature(regressor)))
    likelihoods = [f.calibration.negative_log_likelihood for f in (figures, before)]
    assert likelihoods[0] <= likelihoods[1] + 1e-6
    assert [p.predicted for p in figures.per_image] == [p.predicted for p in before.per_image]


def _without_temperature(regressor):
    other = NormalRegressor(regressor.architecture, regressor.image_size)
    return other.load(regressor.module.state_dict())


def test_a_device_that_is_not_there_is_refused(tmp_path, block_samples, other_samples):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(CadsightError, match="the device is 'cuda' and this machine has no GPU"):
        fit_normals(block_samples, other_samples, ["block"], tmp_path, dataclasses.replace(SMALL, device="cuda"))


def test_the_likelihood_is_learned_where_equation_one_is(block_samples):
    """A few steps on a few crops: both the angle and the surprise fall."""
    torch.manual_seed(0)
    module = network("mobilenet_v3_small", SIDE)
    one = task(module, block_samples[:6])
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    rng, values = np.random.default_rng(0), []
    for _ in range(12):
        (given,) = one.batches(rng, 0.0)
        value, figures = one.loss(given)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append((figures["negative_log_likelihood"], figures["loss"]))
    first, last = np.mean(values[:3], axis=0), np.mean(values[-3:], axis=0)
    assert (last < first - [0.5, 0.02]).all()
