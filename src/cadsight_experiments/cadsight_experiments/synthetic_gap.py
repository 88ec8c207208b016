"""The synthetic gap: how far synthetic images are from real ones, what closes the gap, and what still fails.

Pure functions over a comparison (:func:`cadsight_experiments.comparison.compare`). Intervals are 95 % and come from
resampling the test images, the same for every set, and of several seeds the seeds as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

import numpy as np
from cadsight_core.geometry import Array
from cadsight_learning.evaluation.label_properties import PROPERTIES, LabelProperties
from cadsight_learning.metrics.bootstrap import interval
from scipy.stats import mannwhitneyu

from cadsight_experiments.results import Comparison, EvaluatedLabel, SetResult
from cadsight_experiments.set_figures import Measured, resampled_sets

DETECTOR_FIGURE, NORMAL_FIGURE = "map50_95", "median_deg"
# Failures of fewer labels are no pattern.
LEAST_FAILURES = 3
# A label fails when its normal is off by more, or its box has a smaller IoU.
WRONG_DEG, LOOSE_IOU = 10.0, 0.75
# Networks that find less have not learned yet: nothing can be concluded from their difference.
_LEARNED = 0.05
# Level of the tests whether failures differ from the rest, over all properties together (Holm).
_P_VALUE = 0.05
Kind = Literal["real", "synthetic", "mixed"]


@dataclass(frozen=True)
class SetFigure:
    """A training set and the figure of its models.

    Attributes:
        real: number of its real images.
        after: name of the set from whose models its training started, '' for none.
    """

    name: str
    kind: Kind
    real: int
    after: str
    images: int
    measured: Measured


@dataclass(frozen=True)
class Closed:
    """How much of the gap a set with real images closes: ``measured`` is 0 for none, 1 for all of it."""

    name: str
    kind: Kind
    real: int
    after: str
    measured: Measured


@dataclass(frozen=True)
class SharedProperty:
    """A property in which labels that fail differ from the others.

    Attributes:
        name: of the property, one of :data:`cadsight_learning.evaluation.label_properties.PROPERTIES`.
        failing, others: its median over failing labels and over the others, of ``at_border`` the mean.
        higher: probability that a failing label has the higher value (Mann and Whitney), 0.5 where it tells nothing.
    """

    name: str
    failing: float
    others: float
    higher: float
    p_value: float


@dataclass(frozen=True)
class Failures:
    """Which labels fail in at least half of the trials of a set.

    Attributes:
        labels, failed: number of evaluated labels, and of failing ones.
        images: names of the images with failing labels.
        shared: what failing labels have in common, the smallest p-value first.
    """

    set_name: str
    labels: int
    failed: int
    images: tuple[str, ...]
    shared: tuple[SharedProperty, ...]


@dataclass(frozen=True)
class SyntheticGap:
    """Synthetic against real training images by one figure.

    Attributes:
        figure: :data:`DETECTOR_FIGURE` or :data:`NORMAL_FIGURE`.
        test_images: number of test images.
        synthetic, real: the ends of the gap: the best synthetic set, and the real set with the most
            images; None where there is no such set.
        gap: how much better real is; None without both ends.
        closed: where there is a gap, how much of it each other set with real images closes, fewest real images first.
        unlearned: neither end has learned yet, so that nothing can be concluded.
        constant_deg: of normals, the error of always answering that the surface faces the camera.
        fails: failures of the synthetic end (without both ends: of the best set); None where neither end has learned.
        others: the same for networks of other sizes.
    """

    figure: str
    test_images: int
    sets: tuple[SetFigure, ...]
    synthetic: SetFigure | None
    real: SetFigure | None
    gap: Measured | None = None
    closed: tuple[Closed, ...] = ()
    unlearned: bool = False
    constant_deg: float | None = None
    fails: Failures | None = None
    others: tuple["SyntheticGap", ...] = ()


@dataclass(frozen=True)
class SyntheticGaps:
    """Of the detector (mAP50:95) and of the regressor of normals (median error); None where no set has its figure."""

    detector: SyntheticGap | None
    normals: SyntheticGap | None


def synthetic_gaps(comparison: Comparison) -> SyntheticGaps:
    """The synthetic gap by both figures.

    Where the sets have networks of several sizes (the fact ``size``), those of the best synthetic set's size are
    compared; the gaps of the other sizes are in ``others``.
    """
    again = resampled_sets(comparison)
    return SyntheticGaps(_of_figure(comparison, again, DETECTOR_FIGURE), _of_figure(comparison, again, NORMAL_FIGURE))


def kind_of(one: SetResult, before: Sequence[SetResult] = ()) -> Kind:
    """The kind of a set by the origins of the images that were learned from.

    Composed images hold real parts; for a set that goes on from another of ``before`` the images of that one count too.
    """
    by_name = {b.name: b for b in before}
    origins: set[str] = set()
    left: SetResult | None = one
    while left is not None:
        origins |= {name for name, count in left.origins.items() if count}
        left = by_name.get(left.after)
    if origins == {"real"}:
        return "real"
    return "mixed" if origins & {"real", "composed"} else "synthetic"


class _Row(Protocol):
    @property
    def real(self) -> int: ...
    @property
    def measured(self) -> Measured: ...


Row = TypeVar("Row", bound=_Row)


def best_of_each(rows: Sequence[Row], better: float = 1.0) -> list[Row]:
    """The best of ``rows`` for each number of real images, fewest real images first.

    Args:
        better: 1 where more is better, else -1.
    """
    found: dict[int, Row] = {}
    for row in rows:
        there = found.get(row.real)
        if there is None or better * row.measured.value > better * there.measured.value:
            found[row.real] = row
    return [found[real] for real in sorted(found)]


def better_of(figure: str) -> float:
    """1 where more of the figure is better, else -1."""
    return 1.0 if figure == DETECTOR_FIGURE else -1.0


def _of_figure(
    comparison: Comparison, resamples: Mapping[str, Mapping[str, Array]], figure: str
) -> SyntheticGap | None:
    evaluated = [one for one in comparison.sets if all(figure in t.figures for t in one.trials)]
    if not evaluated:
        return None
    sizes: dict[str, list[SetResult]] = {}
    for one in evaluated:
        sizes.setdefault(one.facts.get("size", ""), []).append(one)
    answers = [_of_size(comparison, sets, resamples, figure) for sets in sizes.values()]

    def reached(answer: SyntheticGap) -> float:
        end = answer.synthetic
        return -np.inf if end is None else better_of(figure) * end.measured.value

    best = max(answers, key=reached)
    return replace(best, others=tuple(a for a in answers if a is not best))


def _of_size(
    comparison: Comparison,
    sets: Sequence[SetResult],
    resamples: Mapping[str, Mapping[str, Array]],
    figure: str,
) -> SyntheticGap:
    better = better_of(figure)
    again = {one.name: resamples[one.name][figure] for one in sets}
    values = {one.name: float(np.mean([t.figures[figure] for t in one.trials])) for one in sets}
    rows = tuple(
        SetFigure(
            one.name,
            kind_of(one, comparison.sets),
            int(one.origins.get("real", 0)),
            one.after,
            one.images,
            _measured(values[one.name], again[one.name]),
        )
        for one in sets
    )
    synthetic = max((r for r in rows if r.kind == "synthetic"), key=lambda r: better * r.measured.value, default=None)
    real = max((r for r in rows if r.kind == "real"), key=lambda r: r.real, default=None)
    answer = SyntheticGap(figure, comparison.test_images, rows, synthetic, real)
    if synthetic is None or real is None:
        alone = max(rows, key=lambda r: better * r.measured.value)
        return replace(answer, fails=_failures(comparison.objects, comparison.named(alone.name), figure))
    gaps = better * (again[real.name] - again[synthetic.name])
    gap = _measured(better * (values[real.name] - values[synthetic.name]), gaps)
    closed = []
    for row in sorted((r for r in rows if r.real and r.name != real.name), key=lambda r: r.real) if gap.low > 0 else ():
        gained = better * (again[row.name] - again[synthetic.name])
        value = better * (row.measured.value - synthetic.measured.value) / gap.value
        known = gaps > 0.1 * gap.value
        part = _measured(value, np.where(known, gained / np.where(known, gaps, 1.0), np.nan))
        closed.append(Closed(row.name, row.kind, row.real, row.after, part))
    constant = _constant_deg(comparison.objects) if figure == NORMAL_FIGURE else None
    best = max(better * synthetic.measured.value, better * real.measured.value)
    unlearned = best < _LEARNED if figure == DETECTOR_FIGURE else constant is not None and -best >= constant
    return replace(
        answer,
        gap=gap,
        closed=tuple(closed),
        unlearned=unlearned,
        constant_deg=constant,
        fails=None if unlearned else _failures(comparison.objects, comparison.named(synthetic.name), figure),
    )


def _constant_deg(objects: Sequence[LabelProperties]) -> float | None:
    tilts = [o.tilt_deg for o in objects if o.tilt_deg is not None]
    return float(np.median(tilts)) if tilts else None


def _measured(value: float, again: Array) -> Measured:
    return Measured(value, *interval(again))


def _failures(objects: Sequence[LabelProperties], one: SetResult, figure: str) -> Failures:
    """Which labels fail, and in which properties they differ from the others."""
    failed = np.mean([[_fails(o, figure) for o in t.objects] for t in one.trials], axis=0) >= 0.5
    evaluated = np.array([figure == DETECTOR_FIGURE or o.angle_deg is not None for o in one.trials[0].objects])
    failed &= evaluated
    tests: list[SharedProperty] = []
    for name in PROPERTIES:
        values = np.array([np.nan if (v := getattr(o, name)) is None else v for o in objects], float)
        bad, good = values[failed & np.isfinite(values)], values[evaluated & ~failed & np.isfinite(values)]
        if len(bad) < LEAST_FAILURES or len(good) < LEAST_FAILURES or np.ptp(np.concatenate([bad, good])) == 0:
            continue
        tested = mannwhitneyu(bad, good)
        middle = np.mean if name == "at_border" else np.median
        failing, others = (round(float(middle(v)), 4) for v in (bad, good))
        higher = float(tested.statistic) / (len(bad) * len(good))
        tests.append(SharedProperty(name, failing, others, higher, float(tested.pvalue)))
    return Failures(
        one.name,
        int(evaluated.sum()),
        int(failed.sum()),
        tuple(dict.fromkeys(o.image for o, f in zip(objects, failed, strict=True) if f)),
        _significant(tests),
    )


def _significant(tests: Sequence[SharedProperty]) -> tuple[SharedProperty, ...]:
    """Those with significant p-values (Holm), the smallest first."""
    ordered = sorted(tests, key=lambda t: t.p_value)
    count = next(
        (rank for rank, test in enumerate(ordered) if test.p_value * (len(ordered) - rank) > _P_VALUE), len(ordered)
    )
    return tuple(ordered[:count])


def _fails(evaluated: EvaluatedLabel, figure: str) -> bool:
    if figure == DETECTOR_FIGURE:
        return not evaluated.found or evaluated.iou < LOOSE_IOU
    return evaluated.angle_deg is not None and evaluated.angle_deg > WRONG_DEG
