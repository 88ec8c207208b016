"""Charts as inline SVG that takes the page's own text colour."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

# Replaced by the page's own colour, which changes with light and dark.
_INK = "#010203"
BLUE, ORANGE, GREEN, RED = "#3b7dd8", "#e07b39", "#2f9e62", "#d64550"
COLOURS = (BLUE, ORANGE, GREEN, RED)
# Colours of many runs on one chart; further runs repeat them, dashed.
_MANY = (*COLOURS, "#8a63c9", "#1f9aa8", "#b8860b", "#c2559b")
# Intervals of these bins of the vertical component are drawn as medians.
_BINS = 6
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlesize": 10,
    "axes.titlecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#8888884d",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def scatter(x: ArrayLike, y: ArrayLike, x_label: str, y_label: str, limits: Mapping[str, float]) -> str:
    """Points, with a dashed line for each of ``limits`` (text -> y)."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 6.4, 3.1)
        axes.scatter(x, y, s=14, color=BLUE, alpha=0.75, linewidths=0)
        for (text, value), colour in zip(limits.items(), COLOURS[1:], strict=False):
            axes.axhline(value, color=colour, linestyle="--", linewidth=1, label=f"{text} {value:.2f}")
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.set_ylim(bottom=0)
        if limits:
            axes.legend(loc="upper right")
        return _svg(figure)


def ranked(values: Sequence[float], marked: Sequence[bool]) -> str:
    """``values`` in their order, those that are ``marked`` as larger points."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 6.4, 2.6)
        place, value, filled = np.arange(1, len(values) + 1), np.asarray(values), np.asarray(marked, bool)
        axes.plot(place, value, color=BLUE, linewidth=1)
        axes.scatter(place[filled], value[filled], s=16, color=ORANGE, zorder=3, label="chosen")
        axes.set(xlabel="images, the largest value first", ylabel="value")
        axes.legend(loc="upper right")
        return _svg(figure)


def curves(panels: Sequence[tuple[str, Mapping[str, Sequence[float]]]], x_label: str = "epoch") -> str:
    """One panel each of (title, {curve: values}); x counts from 1."""
    with mpl.rc_context(_STYLE):
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 2.7)
        for axes, (title, lines) in zip(all_axes, panels, strict=True):
            for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
                marker = "o" if len(values) == 1 else ""
                axes.plot(range(1, len(values) + 1), values, label=name, color=colour, linewidth=1.5, marker=marker)
            axes.set(title=title, xlabel=x_label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.legend()
        return _svg(figure)


def histograms(panels: Sequence[tuple[str, Mapping[str, Sequence[float]]]], bins: int = 24) -> str:
    """One panel each of (title, {name: values}), all of a panel in the same bins."""
    with mpl.rc_context(_STYLE):
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 2.5)
        for axes, (title, sets) in zip(all_axes, panels, strict=True):
            every = np.concatenate([np.asarray(v, float) for v in sets.values()])
            edges = np.histogram_bin_edges(every, bins).tolist()
            for (name, values), colour in zip(sets.items(), COLOURS, strict=False):
                axes.hist(values, edges, color=colour, alpha=0.6, label=f"{name} ({len(values)})")
            axes.set(title=title, ylabel="images")
            axes.legend()
        return _svg(figure)


def densities(panels: Sequence[tuple[str, Mapping[str, ArrayLike]]]) -> str:
    """One panel each of (title, {name: fraction of the pixels by value 0 to 255}), on a logarithmic scale."""
    with mpl.rc_context(_STYLE):
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 2.4)
        for axes, (title, lines) in zip(all_axes, panels, strict=True):
            for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
                fractions = np.asarray(values, float)
                axes.plot(np.linspace(0, 255, len(fractions)), fractions, label=name, color=colour, linewidth=1.1)
            axes.set(title=title, xlabel="value", yscale="log")
            axes.legend()
        return _svg(figure)


def overlaid(panels: Sequence[tuple[str, Mapping[str, Sequence[Sequence[float]]]]], order: Sequence[str]) -> str:
    """One panel each of (title, {run: of each seed its values by epoch}); colours by a run's position in ``order``.

    Of several seeds each is a thin line in the run's colour.
    """
    with mpl.rc_context(_STYLE):
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 2.7)
        for axes, (title, lines) in zip(all_axes, panels, strict=True):
            for name, seeds in lines.items():
                style = {**_style_of(order.index(name)), "linewidth": 1.4 if len(seeds) == 1 else 0.7}
                for values in seeds:
                    marker = "o" if len(values) == 1 else ""
                    axes.plot(range(1, len(values) + 1), values, label=name, marker=marker, **style)
            axes.set(title=title, xlabel="epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        _legend_below(figure, all_axes)
        return _svg(figure)


def with_intervals(panels: Sequence[tuple[str, Mapping[str, tuple[float, float, float]]]], order: Sequence[str]) -> str:
    """One panel each of (title, {run: value, low, high}): a row each, its interval a line; NaN where none is known."""
    with mpl.rc_context(_STYLE | {"axes.grid.axis": "x"}):
        names = [name for name in order if any(name in rows for _, rows in panels)]
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 0.75 + 0.26 * len(names))
        for axes, (title, rows) in zip(all_axes, panels, strict=True):
            for name, (value, low, high) in rows.items():
                row, style = names.index(name), _style_of(order.index(name))
                axes.plot([low, high], [row, row], linewidth=3, alpha=0.45, solid_capstyle="round", **style)
                axes.plot([value], [row], "o", markersize=5, color=style["color"])
            labels = names if axes is all_axes[0] else [""] * len(names)
            axes.set_yticks(range(len(names)), labels)
            axes.set(title=title, ylim=(len(names) - 0.4, -0.6))
        return _svg(figure)


def by_vertical(errors: Mapping[str, tuple[Sequence[float], Sequence[float]]], order: Sequence[str]) -> str:
    """Angle error against the vertical component by run: each crop a faint point, medians of equal bins as lines."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 8.2, 3.4)
        for name, (vertical, angles) in errors.items():
            x, y, style = np.asarray(vertical, float), np.asarray(angles, float), _style_of(order.index(name))
            axes.scatter(x, y, s=9, color=style["color"], alpha=0.28, linewidths=0)
            bins = np.array_split(np.argsort(x), min(_BINS, max(len(x) // 5, 1)))
            axes.plot([x[b].mean() for b in bins], [np.median(y[b]) for b in bins], label=name, marker=".", **style)
        every = np.concatenate([np.asarray(a, float) for _, a in errors.values()])
        axes.set(xlabel="vertical component of the true normal (1: it faces the camera)", ylabel="error, degrees")
        axes.set_ylim(0, max(float(np.percentile(every, 98)) * 1.15, 1.0))
        _legend_below(figure, [axes])
        return _svg(figure)


def calibrations(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], order: Sequence[str]) -> str:
    """Errors within the predicted angle against those that should be, as fractions, by run; a diagonal is right."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 3.8, 3.6)
        axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.9, linestyle=":")
        for name, (expected, observed) in curves.items():
            axes.plot(expected, observed, label=name, **_style_of(order.index(name)))
        axes.set(
            title="calibration", xlabel="fraction that should lie within", ylabel="fraction that does", aspect="equal"
        )
        _legend_below(figure, [axes])
        return _svg(figure)


def gap(
    points: Mapping[str, Sequence[tuple[float, float, float, float]]],
    lines: Mapping[str, tuple[float, float, float]],
    y_label: str,
) -> str:
    """A figure against the number of real images.

    Args:
        points: by kind of set, (number of real images, value, low, high) each.
        lines: by name, value, low and high of a set that stands for all numbers.
    """
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 7.4, 3.3)
        most = max([1.0, *(p[0] for rows in points.values() for p in rows)])
        for (name, (value, low, high)), colour in zip(lines.items(), (ORANGE, GREEN), strict=False):
            axes.axhspan(low, high, color=colour, alpha=0.13, linewidth=0)
            axes.axhline(value, color=colour, linestyle="--", linewidth=1.2, label=f"{name} {value:.3g}")
        for (name, rows), colour in zip(points.items(), (BLUE, RED), strict=False):
            real, value_of, lowest, highest = (np.array(column) for column in zip(*sorted(rows), strict=True))
            distance = np.clip([value_of - lowest, highest - value_of], 0, None)
            axes.errorbar(real, value_of, yerr=distance, label=name, color=colour, marker="o", linewidth=1.3, capsize=3)
        axes.set(xlabel="real images", ylabel=y_label, xlim=(-0.03 * most, 1.05 * most))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend_below(figure, [axes])
        return _svg(figure)


def by_images(
    lines: Mapping[str, Sequence[tuple[float, float, float, float]]], order: Sequence[str], x_label: str, y_label: str
) -> str:
    """A figure against the number of images, by name of the line: (images, value, low, high) each; NaN for no interval.

    Intervals of several lines stand a little beside each other. Colours go by a line's position in ``order``.
    """
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 8.2, 4.0)
        every = [row[0] for rows in lines.values() for row in rows]
        step = 0.004 * (max(every) - min(every)) if every else 0.0
        for place, (name, rows) in enumerate(lines.items()):
            images, value, low, high = (np.array(column, float) for column in zip(*sorted(rows), strict=True))
            far = np.clip(np.nan_to_num([value - low, high - value]), 0, None)
            beside = images + step * (place - (len(lines) - 1) / 2)
            style = _style_of(order.index(name))
            axes.errorbar(beside, value, yerr=far, label=name, marker="o", markersize=4, capsize=2, **style)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend_below(figure, [axes])
        return _svg(figure)


def stream(
    points: Sequence[tuple[float, float]], events: Sequence[tuple[float, str]], x_label: str, y_label: str
) -> str:
    """A figure, 0 to 1, over a run: (x, value) each; ``events``, (x, text), stand as upright lines."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1, 8.2, 3.2)
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, color=BLUE)
        for x_event, text in events:
            axes.axvline(x_event, color="#888888", linewidth=0.9, linestyle=":")
            axes.annotate(
                text, (x_event, 0.02), xycoords=("data", "axes fraction"), rotation=90, fontsize=7, ha="right"
            )
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.set_ylim(0.0, 1.02)
        return _svg(figure)


def grid(values: Mapping[tuple[int, int], float], x_label: str, y_label: str, title: str) -> str:
    """A figure, 0 to 1, by two numbers (x, y); cells without one stay empty."""
    columns, rows = (sorted({cell[i] for cell in values}) for i in (0, 1))
    table = np.array([[values.get((x, y), np.nan) for x in columns] for y in rows])
    with mpl.rc_context({**_STYLE, "axes.grid": False}):
        figure, (axes,) = _figure(1, 1.6 + 1.1 * len(columns), 1.2 + 0.6 * len(rows))
        axes.imshow(table, cmap="Blues", vmin=0.0, vmax=1.0, origin="lower", aspect="auto")
        for row, column in zip(*np.nonzero(np.isfinite(table)), strict=True):
            # White on what is dark, the page's own colour on what is light.
            colour = "white" if table[row, column] > 0.6 else "#102a43"
            axes.text(column, row, f"{table[row, column]:.2f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(columns)), [str(x) for x in columns])
        axes.set_yticks(range(len(rows)), [str(y) for y in rows])
        axes.set(xlabel=x_label, ylabel=y_label, title=title)
        return _svg(figure)


def _style_of(number: int) -> dict[str, Any]:
    return {"color": _MANY[number % len(_MANY)], "linestyle": ("-", "--", ":")[number // len(_MANY) % 3]}


def _legend_below(figure: Figure, all_axes: Sequence[Axes]) -> None:
    """One legend for all panels, as wide as the figure."""
    handles = {
        label: handle for axes in all_axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles:
        columns = int(figure.get_figwidth() * 12) // (max(map(len, handles)) + 6)
        columns = min(max(columns, 1), len(handles))
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns)


def _figure(panels: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # Titles make the hashes of clip paths differ from chart to chart: all charts share the page's ids.
    titles = " ".join(axes.get_title() + axes.get_ylabel() for axes in figure.axes)
    with mpl.rc_context({"svg.hashsalt": titles}):
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r' id="(?!m[0-9a-f]+"|p[0-9a-f]+")[^"]*"', "", svg)
    return svg.replace(_INK, "currentColor")
