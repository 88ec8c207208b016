"""Linear light and the sRGB numbers that a screen shows (IEC 61966-2-1)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def to_display(linear: ArrayLike) -> NDArray[Any]:
    """Linear values (...) as sRGB, both 0 to 1; what is brighter is 1."""
    x = np.clip(np.asarray(linear, float), 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def to_linear(display: ArrayLike) -> NDArray[Any]:
    """sRGB values (...) as linear ones, both 0 to 1."""
    x = np.clip(np.asarray(display, float), 0.0, 1.0)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def luminance(linear: ArrayLike) -> NDArray[Any]:
    """Brightness (...) of linear colours (..., 3), Rec. 709."""
    return np.asarray(linear, float) @ np.array([0.2126, 0.7152, 0.0722])
