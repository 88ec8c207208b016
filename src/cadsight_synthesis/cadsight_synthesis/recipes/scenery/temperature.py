"""The colour of hot bodies."""

import numpy as np

from cadsight_synthesis.rendering.scene import Colour

# Linear sRGB of CIE XYZ (IEC 61966-2-1).
_RGB_FROM_XYZ = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])


def of_temperature(kelvin: float) -> Colour:
    """Linear colour of a black body, its strongest channel 1, from 1667 to 25000 K; beyond, that of the nearer end.

    The Planckian locus by the cubic splines of Kim et al., US patent 7024034, 2002.
    """
    t = float(np.clip(kelvin, 1667, 25000))
    if t <= 4000:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
    else:
        x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
    if t <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    rgb = np.clip(_RGB_FROM_XYZ @ np.array([x / y, 1.0, (1 - x - y) / y]), 0, None)
    red, green, blue = (rgb / rgb.max()).tolist()
    return (red, green, blue)
