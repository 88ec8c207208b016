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


def curves(panels: Sequence[tuple[str, Mapping[str, Sequence[float]]]], x_label: str = "epoch") -> str:
    """One panel each of (title, {curve: values}); x counts from 1."""
    with mpl.rc_context(_STYLE):
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 2.7)
        for axes, (title, lines) in zip(all_axes, panels, strict=True):
            for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
                marker = "o" if len(values) == 1 else ""
                axes.plot(range(1, len(values) + 1), values, label=name, color=colour, linewidth=1.5, marker=marker)
            axes.set(title=title, xlabel=x_label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
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
    """One panel each of (title, {name: share of the pixels by value 0 to 255}), on a logarithmic scale."""
    with mpl.rc_context(_STYLE):
        figure, all_axes = _figure(len(panels), 3.3 * len(panels), 2.4)
        for axes, (title, lines) in zip(all_axes, panels, strict=True):
            for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
                shares = np.asarray(values, float)
                axes.plot(np.linspace(0, 255, len(shares)), shares, label=name, color=colour, linewidth=1.1)
            axes.set(title=title, xlabel="value", yscale="log")
            axes.legend()
        return _svg(figure)


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
