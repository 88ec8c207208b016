import math

import numpy as np
import pytest
import torch
from cadsight_core.geometry import unit
from cadsight_learning.normals import von_mises_fisher as vmf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import vonmises_fisher

CONCENTRATIONS = (0.1, 0.7, 5.0, 80.0, 1500.0, 1e5)
numbers = st.floats(-1, 1, allow_nan=False)
directions = st.tuples(numbers, numbers, numbers).filter(lambda v: np.linalg.norm(v) > 0.1).map(unit)
concentrations = st.floats(math.log(0.1), math.log(1e5)).map(math.exp)


def density(mean, kappa, normals):
    normals = torch.tensor(np.atleast_2d(normals))
    means = torch.tensor(np.tile(mean, (len(normals), 1)))
    return vmf.log_density(means, torch.full((len(normals),), kappa, dtype=torch.float64), normals).numpy()


@settings(max_examples=80, deadline=None)
@given(directions, directions, st.floats(math.log(0.1), math.log(2e3)).map(math.exp))
def test_the_density_is_that_of_scipy(mean, normal, kappa):
    assert density(mean, kappa, normal)[0] == pytest.approx(
        vonmises_fisher(mean, kappa).logpdf(normal), rel=1e-9, abs=1e-6
    )


@pytest.mark.parametrize("kappa", [1e-4, *CONCENTRATIONS])
def test_over_the_sphere_the_density_sums_to_one(kappa):
    mean = np.array([0.0, 0.6, -0.8])
    across = np.array([1.0, 0.0, 0.0])

    def ring(angle):
        return 2 * np.pi * np.sin(angle) * np.exp(density(mean, kappa, np.cos(angle) * mean + np.sin(angle) * across))

    # With a large kappa it lies within a few times 1 / sqrt(kappa).
    near = min(10 / np.sqrt(kappa), np.pi)
    total = sum(quad(lambda a: float(ring(a)[0]), *ends, limit=200)[0] for ends in ((0, near), (near, np.pi)))
    assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kappa", [1e-6, 1e-2, 30.0, 1e6])
def test_single_precision_neither_overflows_nor_loses_its_gradient(kappa):
    mean = torch.tensor([[0.0, 0.0, -1.0]], requires_grad=True)
    concentration = torch.tensor([kappa], requires_grad=True)
    value = vmf.log_density(mean, concentration, torch.tensor([[0.6, 0.0, -0.8]]))
    value.sum().backward()
    assert value.item() == pytest.approx(float(density([0, 0, -1.0], kappa, [0.6, 0.0, -0.8])[0]), rel=1e-4)
    assert torch.isfinite(mean.grad).all()
    # d/dkappa = 1/kappa - coth kappa + cos, which is cos - A.
    assert float(concentration.grad) == pytest.approx(0.8 - float(vmf.mean_length(kappa)), rel=1e-3)


def test_a_small_angle_keeps_its_fraction_in_single_precision():
    """At a twentieth of a degree the cosine of single precision has two digits left; the likelihood needs more."""
    angle, kappa = np.radians(0.05), 1e5
    normals = torch.tensor([[np.sin(angle), 0.0, -np.cos(angle)]], dtype=torch.float32)
    found = vmf.log_density(torch.tensor([[0.0, 0.0, -1.0]]), torch.tensor([kappa]), normals)
    expected = math.log(kappa / (2 * math.pi)) - kappa * (1 - math.cos(angle))
    assert float(found) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kappa", [0.5, 6.0, 400.0])
def test_the_covariance_is_that_of_sampled_normals_about_the_prediction(kappa):
    mean = unit([0.3, -0.2, -0.9])
    sampled = vonmises_fisher(mean, kappa).rvs(200_000, random_state=1) - mean
    (found,) = vmf.covariances(mean[None], [kappa])
    largest = np.abs(found).max()
    np.testing.assert_allclose(found, sampled.T @ sampled / len(sampled), atol=0.015 * largest)


@settings(max_examples=60, deadline=None)
@given(directions, concentrations)
def test_the_covariance_lies_across_the_normal_and_holds_its_concentration(mean, kappa):
    (found,) = vmf.covariances(mean[None], [kappa])
    values = np.linalg.eigvalsh(found)
    assert values.min() >= -1e-12
    assert float(vmf.concentrations(found[None])[0]) == pytest.approx(kappa, rel=1e-3)
    if kappa > 100:
        across = unit(np.cross(mean, [0.3, 0.5, 0.7]))
        assert across @ found @ across == pytest.approx(1 / kappa, rel=0.02)
        assert mean @ found @ mean == pytest.approx(2 / kappa**2, rel=0.05, abs=1e-10)


def test_a_covariance_of_anything_has_a_concentration():
    odd = np.stack([np.zeros((3, 3)), np.eye(3), np.eye(3) * 0.01])
    confident, uncertain, plain = vmf.concentrations(odd)
    assert confident >= vmf.MOST
    assert uncertain == vmf.LEAST
    assert 1 - float(vmf.mean_length(plain)) == pytest.approx(0.015)


@settings(max_examples=60, deadline=None)
@given(concentrations, st.floats(0.01, 0.99))
def test_a_fraction_of_the_distribution_lies_within_its_angle(kappa, fraction):
    angle = float(vmf.angles_within(fraction, kappa))
    assert float(vmf.fraction_within(angle, kappa)) == pytest.approx(fraction, abs=1e-6)


def test_half_of_the_samples_lie_within_the_median_angle():
    sampled = vonmises_fisher([0, 0, 1.0], 50.0).rvs(40_000, random_state=2)
    angles = np.degrees(np.arccos(np.clip(sampled[:, 2], -1, 1)))
    assert float(vmf.angles_within(0.5, 50.0)) == pytest.approx(np.median(angles), rel=0.02)
    assert vmf.fraction_within(angles, 50.0).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("factor", [0.2, 1.0, 7.0])
def test_the_temperature_corrects_an_overconfident_network(factor):
    rng = np.random.default_rng(0)
    true = np.exp(rng.uniform(np.log(30), np.log(3000), 4000))
    angles = vmf.angles_within(rng.uniform(size=4000), true)
    assert vmf.temperature(angles, true * factor) == pytest.approx(factor, rel=0.05)


def test_the_likelihood_of_knowing_nothing_is_the_area_of_the_sphere():
    angles = np.linspace(0, 180, 7)
    assert vmf.mean_negative_log_likelihood(angles, 1e-9) == pytest.approx(math.log(4 * math.pi))
    normals = np.column_stack([np.sin(np.radians(angles)), np.zeros(7), np.cos(np.radians(angles))])
    assert vmf.mean_negative_log_likelihood(angles, 3.0) == pytest.approx(-density([0, 0, 1.0], 3.0, normals).mean())
