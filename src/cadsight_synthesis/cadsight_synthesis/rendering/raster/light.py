"""A scene's lamps as the few that OpenGL knows.

OpenGL adds up display numbers and has neither watts nor lamps with a size. So the scene's light is summed where the
parts are, in watts as Cycles counts them. What the sky gives says how bright the shadows are; what the lamps add to
that is shared among them. A lamp's size becomes several lamps close together, each with its own shadow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from cadsight_core.geometry import Array, unit

from cadsight_synthesis.rendering.backdrop import read_sky
from cadsight_synthesis.rendering.colour import luminance, to_display
from cadsight_synthesis.rendering.scene import Lamp, Quality, Scene

# OpenGL has eight; the first is the ambient one.
MOST_LIGHTS = 8
# Cosine between the lamp and the surface for which the brightness is right.
_USUAL_COSINE = 0.8
# Fraction of an even sky that comes from above rather than from everywhere, so that shapes show.
_FROM_ABOVE = 0.35
_NEAREST_M = 0.01


@dataclass(frozen=True, eq=False)
class Light:
    """One of OpenGL's lights, in display numbers.

    Attributes:
        position: (3,) metres in the world.
        direction: (3,) unit vector in which it shines.
        colour: (3,) of what it adds to a white surface that faces it, at the scene's middle.
        reference_m: distance at which that is so; infinite for a sun.
        wide: shines to the side as well as ahead.
    """

    kind: Literal["spot", "directional"]
    position: Array
    direction: Array
    colour: Array
    shadow: bool
    reference_m: float
    wide: bool = True


def lights(scene: Scene, middle: Array) -> tuple[Array, list[Light]]:
    """Ambient colour (3,) and lights, at most seven, brightest first; ``middle`` (3,) is where the parts are."""
    sky = read_sky(scene.environment)
    powers = [_at(lamp, middle) for lamp in scene.lamps]
    lamps = _USUAL_COSINE * float(luminance(sum(powers, np.zeros(3))))
    below = float(luminance(sky.mean))
    # Colours keep their ratio in the display's numbers: a warm lamp looks warm.
    sky_gain = _display_value(below) / max(below, 1e-9)
    gain = (_display_value(below + lamps) - _display_value(below)) / max(lamps, 1e-9)
    order = sorted(range(len(powers)), key=lambda i: -float(luminance(powers[i])))
    chosen = [i for i in order if luminance(powers[i]) > 0]
    faint = chosen[MOST_LIGHTS - 2 :]
    chosen = chosen[: MOST_LIGHTS - 2]
    ambient = sky_gain * sky.mean + gain * _USUAL_COSINE / 2 * sum((powers[i] for i in faint), np.zeros(3))
    counts = _samples([float(luminance(powers[i])) for i in chosen], scene.quality)
    found = []
    for i, count in zip(chosen, counts, strict=True):
        found += _lights_of(scene.lamps[i], middle, gain * powers[i], count)
    lean = float(np.linalg.norm(sky.lean))
    directed = min(max(_FROM_ABOVE, lean), 1.0)
    if below > 0:
        down = -unit(sky.lean) if lean > 0.05 else np.array([0.0, 0.0, -1.0])
        above = sky_gain * directed * sky.mean / _USUAL_COSINE
        found.append(Light("directional", middle - down, down, above, False, np.inf))
        ambient = ambient - sky_gain * directed * sky.mean
    return ambient, found


def _display_value(brightness: float) -> float:
    """The display's number for a brightness, going on above 1 so that what is too bright is cut off by OpenGL alone."""
    return float(to_display(brightness)) if brightness <= 1 else float(brightness ** (1 / 2.4))


def _at(lamp: Lamp, middle: Array) -> Array:
    """(3,) brightness of a white surface at ``middle`` that faces the lamp, linear, as Cycles counts watts.

    A point of P watts has the radiant intensity P / 4 pi, an area P cos / pi; a diffuse white surface shows 1 / pi of
    what falls on it.
    """
    colour = np.asarray(lamp.colour, float) * lamp.energy
    if lamp.kind == "sun":
        return colour / np.pi
    away = middle - np.asarray(lamp.position, float)
    square = max(float(away @ away), _NEAREST_M**2)
    if lamp.kind == "point":
        return colour / (4 * np.pi**2 * square)
    ahead = unit(np.asarray(lamp.target, float) - np.asarray(lamp.position, float))
    return colour * max(float(unit(away) @ ahead), 0.0) / (np.pi**2 * square)


def _samples(powers: Sequence[float], quality: Quality) -> list[int]:
    """How many lamps with a shadow stand for each; 0 for one without. All of them are at most ``quality.samples``."""
    if not (quality.shadows and quality.ray_traced) or not powers:
        return [0] * len(powers)
    # One of OpenGL's lights stays for the ambient, one for the sky.
    budget = max(1, min(quality.samples, MOST_LIGHTS - 2))
    budget = min(budget, MOST_LIGHTS - 1 - len(powers))
    counts = [0] * len(powers)
    for _ in range(max(budget, 1)):
        counts[int(np.argmax([p / (n + 1) for p, n in zip(powers, counts, strict=True)]))] += 1
    return counts


def _lights_of(lamp: Lamp, middle: Array, colour: Array, count: int) -> list[Light]:
    position, target = np.asarray(lamp.position, float), np.asarray(lamp.target, float)
    ahead = unit(target - position) if lamp.kind != "point" else unit(middle - position)
    if not ahead.any():
        ahead = np.array([0.0, 0.0, -1.0])
    side = unit(np.cross(ahead, [0.0, 0.0, 1.0] if abs(ahead[2]) < 0.9 else [1.0, 0.0, 0.0]))
    up = np.cross(side, ahead)
    fraction = colour / max(count, 1)
    found = []
    for i in range(max(count, 1)):
        # Vogel's spiral covers a disc evenly with any number of points.
        radius, angle = np.sqrt((i + 0.5) / count) if count > 1 else 0.0, i * np.pi * (3 - np.sqrt(5.0))
        aside = radius * (np.cos(angle) * side + np.sin(angle) * up)
        if lamp.kind == "sun":
            direction = unit(ahead + np.tan(np.deg2rad(min(lamp.size, 90.0) / 2)) * aside)
            found.append(Light("directional", middle - direction, direction, fraction, count > 0, np.inf))
            continue
        reach = lamp.size if lamp.kind == "point" else lamp.size / np.sqrt(np.pi)
        point = position + reach * aside
        direction = ahead if lamp.kind == "area" else unit(middle - point)
        reference = max(float(np.linalg.norm(middle - position)), _NEAREST_M)
        found.append(Light("spot", point, direction, fraction, count > 0, reference, lamp.kind == "point"))
    return found
