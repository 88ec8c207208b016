"""A comparison of strategies as a page: table A1, the curves of figures 6 and 8, and what each strategy saves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.storage.output_file import is_page, write_output
from cadsight_experiments.active.curves import Curve, curves_of, mean_of, savings_of
from cadsight_experiments.active.results import ActiveComparison
from cadsight_experiments.active.table import beside_words, boxes_words, figure_rows, in_words, savings_words
from markupsafe import Markup

from cadsight_report.graphics import charts
from cadsight_report.origin import versions
from cadsight_report.page import filled

_IMAGES, _FIGURE = "real images that are labelled", "mAP50:95"


@dataclass(frozen=True)
class ShownRow:
    """A row of table A1, in words; ``seeds`` has the figure of each."""

    name: str
    images: int
    boxes: str
    seeds: tuple[str, ...]
    mean: str
    beside: str


def write_active_page(path: str | Path, comparison: ActiveComparison) -> Path:
    """Write the page of a comparison.

    Raises:
        CadsightError: when a file of others is at ``path``, or the disk refuses the bytes.
    """
    curves = curves_of(comparison)
    rows = [
        ShownRow(
            row.name,
            row.images,
            boxes_words(row),
            tuple(f"{v:.3f}" for v in row.values),
            in_words(row.mean),
            beside_words(row),
        )
        for row in figure_rows(comparison)
    ]
    text = filled(
        "active_comparison.html.j2",
        comparison=comparison,
        rows=rows,
        seeds=max(len(row.seeds) for row in rows),
        savings=[(name, *savings_words(one)) for name, one in savings_of(comparison).items()],
        one_cycle=_chart(comparison, [c for c in curves if not c.cycles], curves),
        cycles=_chart(comparison, _beside_cycles(curves), curves) if any(c.cycles for c in curves) else None,
        versions=versions(),
    )
    return write_output(path, text, is_page)


def _beside_cycles(curves: Sequence[Curve]) -> list[Curve]:
    """The strategy that goes on, the same in one cycle, and random (Eversberg, figure 8)."""
    shown = {c.strategy for c in curves if c.cycles} | {"random"}
    return [c for c in curves if c.strategy in shown]


def _chart(comparison: ActiveComparison, shown: Sequence[Curve], every: Sequence[Curve]) -> Markup:
    """Means over the number of images; from the base on where that can be evaluated as it is."""
    lines = {}
    for curve in shown:
        points = [(k, mean_of(list(curve.values[k].values()))) for k in curve.images]
        lines[curve.name] = [(float(k), m.value, m.low, m.high) for k, m in points]
        base = comparison.base_map50_95
        if curve.has_base and base == base:  # no NaN
            lines[curve.name].insert(0, (0.0, base, float("nan"), float("nan")))
    return Markup(charts.by_images(lines, [c.name for c in every], _IMAGES, _FIGURE))
