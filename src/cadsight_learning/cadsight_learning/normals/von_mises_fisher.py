"""The von Mises-Fisher distribution of normals: the confidence of a regressor, as a number.

Its density on the unit sphere is ``kappa / (4 pi sinh kappa) * exp(kappa * mu . x)`` (Mardia and Jupp, Directional
Statistics, section 9.3). ``mu`` is the predicted normal and ``kappa`` its concentration: 0 is no knowledge, and with a
large one the angle to the true normal is about ``1 / sqrt(kappa)`` radians each way.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from torch import Tensor

# Concentrations that a network may claim: from nearly nothing to a sixth of a degree.
LEAST, MOST = 0.1, 1e5


def log_density(mean: "Tensor", concentration: "Tensor", normals: "Tensor") -> "Tensor":
    """(N,) log of the density at unit ``normals`` (N, 3) about unit ``mean`` (N, 3) with ``concentration`` (N,) > 0.

    ``log kappa - log 4 pi - log sinh kappa + kappa mu . x``, written with ``1 - mu . x = |mu - x|^2 / 2``:
    ``-kappa |mu - x|^2 / 2 - log 2 pi - log((1 - exp(-2 kappa)) / kappa)``. Nothing in it overflows for a large kappa,
    cancels for a small one, nor loses the small angles of a confident network in the digits of a cosine.
    """
    import torch  # wanted by trainings alone

    squared = ((mean - normals) ** 2).sum(dim=1)
    small, large = concentration.clamp(max=0.1), concentration.clamp(min=0.1)
    # Near 0 the gradients of the two logarithms cancel; the series of log(sinh kappa / kappa) says what is left.
    series = math.log(2) - small + small**2 / 6 - small**4 / 180
    exact = torch.log(-torch.expm1(-2 * large)) - large.log()
    scale = torch.where(concentration < 0.1, series, exact)
    return -0.5 * concentration * squared - math.log(2 * math.pi) - scale


def mean_length(concentration: ArrayLike) -> Array:
    """``A = coth kappa - 1 / kappa``, the length of the mean of all normals; 0 to 1."""
    kappa = np.asarray(concentration, float)
    large = np.maximum(kappa, 1e-2)
    # coth - 1 = 2 / (exp(2 kappa) - 1); near 0 the two infinities cancel, and the series says what is left.
    return np.where(kappa < 1e-2, kappa / 3 - kappa**3 / 45, 1 + 2 / np.expm1(np.minimum(2 * large, 700)) - 1 / large)


def covariances(mean: ArrayLike, concentration: ArrayLike) -> Array:
    """(N, 3, 3) second moment of ``x - mu`` for the predicted ``mean`` (N, 3) and its ``concentration`` (N,).

    With ``E[x] = A mu`` and ``E[x x'] = A / kappa I + (1 - 3 A / kappa) mu mu'`` it is ``A / kappa (I - mu mu') + 2 (1
    - A - A / kappa) mu mu'``: across the normal a variance of nearly ``1 / kappa`` each way, along it next to none, ``2
    / kappa^2``. It is what :func:`cadsight_learning.normals.torch_regressor.residual_covariance` measures, which also
    takes its residuals about the prediction. The frame is that of ``mean``.
    """
    mu, kappa = np.asarray(mean, float), np.maximum(np.asarray(concentration, float), 1e-6)
    across = mean_length(kappa) / kappa
    along = np.maximum(2 * (1 - mean_length(kappa) - across), 0.0)
    outer = mu[:, :, None] * mu[:, None, :]
    return across[:, None, None] * (np.eye(3) - outer) + along[:, None, None] * outer


def concentrations(covariance: ArrayLike) -> Array:
    """(N,) the concentration whose covariance has the trace of each of ``covariance`` (N, 3, 3).

    The inverse of :func:`covariances`, and for any other covariance the distribution of the same mean square of the
    distance between predicted and true normal, ``2 - 2 A``. At least ``LEAST``, at most a hundred times ``MOST``.
    """
    # 1 - A is nearly 1 / kappa; Newton's steps on log kappa take it from there.
    missing = np.clip(np.trace(np.asarray(covariance, float), axis1=1, axis2=2) / 2, 1e-2 / MOST, 1 - 1e-3)
    log = -np.log(missing)
    for _ in range(30):
        kappa = np.exp(log)
        length = mean_length(kappa)
        slope = kappa * (1 - length**2 - 2 * length / kappa)  # of A over log kappa
        log = log + np.clip((1 - missing - length) / np.maximum(slope, 1e-12), -1, 1)
    return np.maximum(np.exp(log), LEAST)


def fraction_within(angles_deg: ArrayLike, concentration: ArrayLike) -> Array:
    """How much of the distribution lies within each angle of its mean, 0 to 1.

    ``1 - cos(angle)`` is exponential with the rate kappa, cut off at 2:
    ``(1 - exp(-kappa (1 - cos))) / (1 - exp(-2 kappa))``. For crops whose concentration is right these fractions, at
    the angles that were found, are uniform between 0 and 1.
    """
    kappa, fall = np.asarray(concentration, float), _fall(angles_deg)
    return np.expm1(-kappa * fall) / np.expm1(-2 * kappa)


def angles_within(fractions: ArrayLike, concentration: ArrayLike) -> Array:
    """The angle in degrees within which each of ``fractions``, 0 to 1, of the distribution lies."""
    kappa = np.asarray(concentration, float)
    fall = -np.log1p(np.asarray(fractions, float) * np.expm1(-2 * kappa)) / kappa
    return np.degrees(2 * np.arcsin(np.sqrt(np.clip(fall / 2, 0, 1))))


def mean_negative_log_likelihood(angles_deg: ArrayLike, concentration: ArrayLike) -> float:
    """Mean over N of ``-log_density`` at the angles that were found, in nats; log 4 pi = 2.53 for knowing nothing."""
    kappa = np.asarray(concentration, float)
    values = kappa * _fall(angles_deg) + np.log(2 * np.pi) + np.log(-np.expm1(-2 * kappa) / kappa)
    return float(np.mean(values))


def temperature(angles_deg: ArrayLike, concentration: ArrayLike) -> float:
    """The one number by which to divide all concentrations so that the angles that were found are the likeliest.

    Above 1 for an overconfident network. It changes no normal and not which of two crops is more confident (Guo et
    al., On Calibration of Modern Neural Networks, section 4.2, there for classes).
    """
    from scipy.optimize import minimize_scalar  # slow, and wanted by trainings alone

    kappa = np.asarray(concentration, float)
    found = minimize_scalar(
        lambda log: mean_negative_log_likelihood(angles_deg, kappa / np.exp(log)), bounds=(-7.0, 7.0), method="bounded"
    )
    return float(np.exp(found.x))


def _fall(angles_deg: ArrayLike) -> Array:
    """``1 - cos``, exact for small angles."""
    return 2 * np.sin(np.radians(np.asarray(angles_deg, float)) / 2) ** 2
