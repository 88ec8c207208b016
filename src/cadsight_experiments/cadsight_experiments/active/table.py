"""A comparison of strategies as Markdown, in the form of the paper's table A1."""

from dataclasses import dataclass

import numpy as np

from cadsight_experiments.active.curves import Savings, beside_random, curves_of, mean_of, random_of, savings_of
from cadsight_experiments.active.results import ActiveComparison
from cadsight_experiments.set_figures import Measured

TABLE = "active.md"
TABLE_HEAD = "| strategy | images |"


@dataclass(frozen=True)
class FigureRow:
    """What one strategy reaches with so many images.

    Attributes:
        boxes: that people label on these images, mean over the seeds; NaN of a base, which needs none.
        values: mAP50:95 of each seed.
        beside: how much more than random that is, seed by seed; None of random itself, and where random has no such
            number of images.
    """

    name: str
    images: int
    boxes: float
    values: tuple[float, ...]
    mean: Measured
    beside: Measured | None


def active_table(comparison: ActiveComparison) -> str:
    """mAP50:95 of each seed, its mean with a 95 % interval and the difference to random seed by seed; then what each
    strategy saves. R: without the base; S+R: from the base."""
    rows = figure_rows(comparison)
    seeds = max(len(row.values) for row in rows)
    titles = ["boxes", *(f"seed {s}" for s in range(seeds)), "mean", "beside random"]
    lines = [f"{TABLE_HEAD} {' | '.join(titles)} |", "|---" * (len(titles) + 2) + "|"]
    for row in rows:
        values = [f"{v:.3f}" for v in row.values] + [""] * (seeds - len(row.values))
        cells = [row.name, str(row.images), boxes_words(row), *values, in_words(row.mean), beside_words(row)]
        lines.append(f"| {' | '.join(cells)} |")
    low, high = comparison.between
    lines += [
        "",
        f"| strategy | area under the curve | images for what random reaches with {high} | fraction of random's "
        f"images, {low} to {high} |",
        "|---|---|---|---|",
    ]
    lines += [f"| {name} | {' | '.join(savings_words(one))} |" for name, one in savings_of(comparison).items()]
    notes = [f"- {sentence}" for sentence in comparison.notes]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def figure_rows(comparison: ActiveComparison) -> list[FigureRow]:
    """The base, where it has a figure, then every strategy with each number of images."""
    curves = curves_of(comparison)
    random = random_of(curves)
    rows: list[FigureRow] = []
    if np.isfinite(base := comparison.base_map50_95):
        rows.append(FigureRow("S", 0, float("nan"), (base,), mean_of([base]), None))
    for curve in curves:
        for images in curve.images:
            values = tuple(curve.values[images][s] for s in sorted(curve.values[images]))
            beside = beside_random(curve, random, images) if curve is not random else None
            rows.append(FigureRow(curve.name, images, curve.boxes[images], values, mean_of(values), beside))
    return rows


def boxes_words(row: FigureRow) -> str:
    """How many boxes its images have, to whole ones; nothing where there are none."""
    return "" if np.isnan(row.boxes) else f"{row.boxes:.0f}"


def beside_words(row: FigureRow) -> str:
    """How much more than random it is, with its sign and interval."""
    return "" if row.beside is None else in_words(row.beside, "+.3f")


def savings_words(one: Savings) -> tuple[str, str, str]:
    """Area, images and fraction, each with its interval."""
    return in_words(one.area), in_words(one.labels, ".0f"), in_words(one.fraction, ".2f")


def in_words(one: Measured, digits: str = ".3f") -> str:
    """A value with its interval, which one seed alone does not give."""
    if np.isnan(one.value):
        return ""
    between = f" ({_word(one.low, digits)} to {_word(one.high, digits)})" if not np.isnan(one.low) else ""
    return _word(one.value, digits) + between


def _word(value: float, digits: str) -> str:
    return "never" if np.isinf(value) else f"{value:{digits}}"
