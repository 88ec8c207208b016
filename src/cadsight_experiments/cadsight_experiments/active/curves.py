"""Curves of a comparison of strategies and what follows from them, with intervals over paired seeds.

A seed has the same random batch and starting weights in all curves, so seeds are resampled alike for all of them. Seeds
that have other numbers of images than others, as those that 25 and 50 have beyond 100, are resampled among themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import ArrayLike
from scipy.stats import t as student

from cadsight_experiments.active.results import ActiveComparison, ActiveResult
from cadsight_experiments.set_figures import Measured

_RESAMPLES = 2000
_TAIL = 0.025


@dataclass(frozen=True)
class Curve:
    """mAP50:95 over the number of chosen images.

    Attributes:
        has_base, strategy: as in :class:`~cadsight_experiments.active.results.ActiveResult`.
        cycles: whether each point goes on from the one before it.
        values: by number of images the figure of each seed.
        boxes: by number of images how many boxes these have, mean over the seeds.
    """

    has_base: bool
    strategy: str
    cycles: bool
    values: Mapping[int, Mapping[int, float]]
    boxes: Mapping[int, float]

    @property
    def name(self) -> str:
        """As the paper's figures have it."""
        rest = f" ({len(self.values)} cycles)" if self.cycles else ""
        return f"{'S+R' if self.has_base else 'R'} {self.strategy}{rest}"

    @property
    def images(self) -> tuple[int, ...]:
        """The numbers of images, which grow."""
        return tuple(sorted(self.values))


@dataclass(frozen=True)
class Savings:
    """What a strategy saves.

    Attributes:
        area: under its curve between the numbers of images that all curves of one cycle have, over their distance.
        labels: images that it needs for what random reaches with the second number of
            :attr:`~cadsight_experiments.active.results.ActiveComparison.between`; infinite where it never does.
        fraction: of random's images, mean over those numbers; below 1 it needs fewer.

    Both are NaN where random has no such numbers of images.
    """

    area: Measured
    labels: Measured
    fraction: Measured


def curves_of(comparison: ActiveComparison) -> list[Curve]:
    """Random without the base, each strategy from it, and the one that goes on cycle by cycle."""
    found: dict[tuple[bool, str, bool], dict[int, list[ActiveResult]]] = {}
    for one in comparison.results:
        of_curve = found.setdefault((one.has_base, one.strategy, one.cycle > 0), {})
        of_curve.setdefault(one.images, []).append(one)
    curves = [
        Curve(
            *key,
            values={k: {one.seed: one.map50_95 for one in ones} for k, ones in by_images.items()},
            boxes={k: float(np.mean([one.labels for one in ones])) for k, ones in by_images.items()},
        )
        for key, by_images in found.items()
    ]
    order = {name: place for place, name in enumerate(comparison.strategies)}
    return sorted(curves, key=lambda c: (c.has_base, c.cycles, order.get(c.strategy, len(order))))


def mean_of(values: Sequence[float]) -> Measured:
    """The mean of a few seeds and its 95 % interval by Student's t; NaN of one alone."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Measured(mean, float("nan"), float("nan"))
    half = float(student.ppf(1 - _TAIL, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return Measured(mean, mean - half, mean + half)


def beside_random(curve: Curve, random: Curve, images: int) -> Measured | None:
    """How much more it reaches than random with as many images, seed by seed; None where random has none."""
    own, other = curve.values[images], random.values.get(images, {})
    both = sorted(own.keys() & other.keys())
    return mean_of([own[s] - other[s] for s in both]) if both else None


def random_of(curves: Sequence[Curve]) -> Curve:
    """Random from the base, which every comparison has."""
    return next(c for c in curves if c.has_base and c.strategy == "random" and not c.cycles)


def savings_of(comparison: ActiveComparison, resamples: int = _RESAMPLES) -> dict[str, Savings]:
    """By name of the curve; the intervals are of ``resamples`` of the seeds, NaN where there is one seed alone."""
    curves = curves_of(comparison)
    seeds = sorted({s for c in curves for values in c.values.values() for s in values})
    again = _weights(curves, seeds, resamples)
    # The first row are the seeds as they are.
    weights = np.concatenate([np.ones((1, len(seeds))), again])
    base = comparison.base_map50_95
    points = {c.name: _points(c, seeds, weights, base if c.has_base else float("nan")) for c in curves}
    common = sorted(set.intersection(*(set(c.images) for c in curves if not c.cycles)))
    at_random = points[random_of(curves).name]
    low, high = comparison.between
    steps = np.arange(low, high + 1)
    levels = np.stack([_at(at_random, step) for step in steps.tolist()])
    found = {}
    for curve in curves:
        own = points[curve.name]
        needed = np.stack([labels_needed(*own, level) for level in levels])
        found[curve.name] = Savings(
            _measured(_area(own, common), len(seeds)),
            _measured(needed[-1], len(seeds)),
            _measured((needed / steps[:, None]).mean(axis=0), len(seeds)),
        )
    return found


def labels_needed(images: ArrayLike, values: ArrayLike, levels: ArrayLike) -> Array:
    """(B,) the number of images at which each curve first reaches its level, on straight lines between its points.

    Args:
        images: (K,) which grow.
        values: (B, K) of the curves there.
        levels: (B,). Where the first point is at it already, that is the answer; infinite where none is, and NaN for a
            level that is.
    """
    at, curves, wanted = np.asarray(images, float), np.asarray(values, float), np.asarray(levels, float)
    found: Array = np.where(np.isnan(wanted), np.nan, np.inf)
    for row, (curve, level) in enumerate(zip(curves, wanted, strict=True)):
        reached = np.flatnonzero(curve >= level)
        if not len(reached):
            continue
        first = int(reached[0])
        found[row] = at[first]
        if first:
            rise = curve[first] - curve[first - 1]
            found[row] = at[first - 1] + (at[first] - at[first - 1]) * (level - curve[first - 1]) / rise
    return found


def _points(curve: Curve, seeds: Sequence[int], weights: Array, base: float) -> tuple[Array, Array]:
    """(K,) numbers of images and (B, K) means there; where it is known what the base reaches, from 0 images on."""
    images = list(curve.images)
    columns = []
    for k in images:
        there = np.array([s in curve.values[k] for s in seeds])
        values = np.array([curve.values[k].get(s, 0.0) for s in seeds])
        columns.append((weights * there) @ values / (weights * there).sum(axis=1))
    if np.isfinite(base):
        images, columns = [0, *images], [np.full(len(weights), base), *columns]
    return np.array(images, float), np.stack(columns, axis=1)


def _weights(curves: Sequence[Curve], seeds: Sequence[int], resamples: int) -> Array:
    """(B, S) how often each seed is in each resample; those with the same points are resampled among themselves."""
    groups: dict[frozenset[tuple[str, int]], list[int]] = {}
    for place, seed in enumerate(seeds):
        has = frozenset((c.name, k) for c in curves for k, values in c.values.items() if seed in values)
        groups.setdefault(has, []).append(place)
    rng = np.random.default_rng(0x5EED)
    weights = np.zeros((resamples, len(seeds)))
    for places in groups.values():
        weights[:, places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)), size=resamples)
    return weights


def _at(points: tuple[Array, Array], images: float) -> Array:
    """(B,) on the straight lines between the points, NaN beyond them."""
    return np.array([np.interp(images, points[0], row, left=np.nan, right=np.nan) for row in points[1]])


def _area(points: tuple[Array, Array], common: Sequence[int]) -> Array:
    if len(common) < 2:
        return np.full(len(points[1]), np.nan)
    ends = [k for k in (common[0], common[-1]) if points[0][0] <= k <= points[0][-1]]
    if len(ends) < 2:
        return np.full(len(points[1]), np.nan)
    inside = (points[0] >= ends[0]) & (points[0] <= ends[1])
    images, values = points[0][inside], points[1][:, inside]
    area: Array = (values[:, 1:] + values[:, :-1]) / 2 @ np.diff(images) / (ends[1] - ends[0])
    return area


def _measured(values: Array, seeds: int) -> Measured:
    """The first of ``values``, with the interval of the others, some of which may be infinite."""
    again = np.sort(values[1:])
    if seeds < 2 or np.isnan(again).any():
        return Measured(float(values[0]), float("nan"), float("nan"))
    last = len(again) - 1
    low, high = again[int(np.floor(_TAIL * last))], again[int(np.ceil((1 - _TAIL) * last))]
    return Measured(float(values[0]), float(low), float(high))
