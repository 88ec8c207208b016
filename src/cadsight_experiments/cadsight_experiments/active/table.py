"""A comparison of strategies as Markdown, in the form of the paper's table A1."""

import numpy as np

from cadsight_experiments.active.curves import Worth, beside_random, curves_of, mean_of, random_of, worths
from cadsight_experiments.active.results import ActiveComparison
from cadsight_experiments.set_figures import Measured

# Name, number of images, the figure of each seed, their mean, and how much more than random that is.
FigureRow = tuple[str, int, list[float], Measured, Measured | None]
TABLE = "active.md"
TABLE_HEAD = "| strategy | images |"


def active_table(comparison: ActiveComparison) -> str:
    """mAP50:95 of each seed, its mean with a 95 % interval and the difference to random seed by seed; then what each
    strategy saves. R: without the base; S+R: from the base."""
    rows = figure_rows(comparison)
    seeds = max(len(values) for _, _, values, _, _ in rows)
    titles = [*(f"seed {s}" for s in range(seeds)), "mean", "beside random"]
    lines = [f"{TABLE_HEAD} {' | '.join(titles)} |", "|---" * (len(titles) + 2) + "|"]
    for name, images, values, mean, beside in rows:
        cells = [f"{v:.3f}" for v in values] + [""] * (seeds - len(values))
        more = "" if beside is None else in_words(beside, "+.3f")
        lines.append(f"| {name} | {images} | {' | '.join(cells)} | {in_words(mean)} | {more} |")
    low, high = comparison.between
    lines += [
        "",
        f"| strategy | area under the curve | images for what random reaches with {high} | fraction of random's "
        f"images, {low} to {high} |",
        "|---|---|---|---|",
    ]
    lines += [f"| {name} | {' | '.join(worth_words(one))} |" for name, one in worths(comparison).items()]
    notes = [f"- {sentence}" for sentence in comparison.notes]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def figure_rows(comparison: ActiveComparison) -> list[FigureRow]:
    """Name, number of images, the figure of each seed, their mean, and how much more than random that is."""
    curves = curves_of(comparison)
    random = random_of(curves)
    rows: list[FigureRow] = []
    if np.isfinite(base := comparison.base_map50_95):
        rows.append(("S", 0, [base], mean_of([base]), None))
    for curve in curves:
        for images in curve.images:
            values = [curve.values[images][s] for s in sorted(curve.values[images])]
            beside = beside_random(curve, random, images) if curve is not random else None
            rows.append((curve.name, images, values, mean_of(values), beside))
    return rows


def worth_words(one: Worth) -> tuple[str, str, str]:
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
