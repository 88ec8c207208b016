import numpy as np
import pytest
from cadsight_learning.normals.calibration import LEVELS, calibration
from cadsight_learning.normals.von_mises_fisher import angles_within


@pytest.fixture(scope="module")
def honest():
    """Concentrations of 4000 crops, and angles sampled from just those distributions."""
    rng = np.random.default_rng(0)
    concentrations = np.exp(rng.uniform(np.log(50), np.log(5000), 4000))
    return angles_within(rng.uniform(size=4000), concentrations), concentrations


def test_a_calibrated_regressor_lies_on_the_diagonal(honest):
    angles, concentrations = honest
    figures = calibration(angles, concentrations)
    assert figures.expected == pytest.approx(LEVELS)
    assert figures.observed == pytest.approx(LEVELS, abs=0.03)
    assert figures.error < 0.015
    assert figures.median_deg == pytest.approx(np.median(angles_within(0.5, concentrations)))
    assert figures.rank_correlation > 0.4


@pytest.mark.parametrize(("factor", "side"), [(20.0, -1), (0.05, 1)])
def test_an_overconfident_one_lies_below_it_and_an_underconfident_one_above(honest, factor, side):
    angles, concentrations = honest
    figures = calibration(angles, concentrations * factor)
    assert (np.sign(np.array(figures.observed) - LEVELS) == side).all()
    assert figures.error > 0.3
    assert figures.negative_log_likelihood > calibration(angles, concentrations).negative_log_likelihood


def test_a_constant_confidence_tells_nothing_of_one_crop():
    angles = np.array([1.0, 2.0, 3.0, 4.0])
    figures = calibration(angles, np.full(4, 400.0))
    assert figures.rank_correlation == 0.0
    # 1 - exp(-kappa (1 - cos)): 0.06, 0.22, 0.42, 0.62.
    assert figures.observed[4] == 0.5
    assert figures.observed[-1] == 1.0


def test_confidence_that_is_the_wrong_way_round_is_seen():
    figures = calibration(np.array([1.0, 2.0, 3.0]), np.array([10.0, 100.0, 1000.0]))
    assert figures.rank_correlation == pytest.approx(-1.0)
