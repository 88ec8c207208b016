"""Any runs on one page: their figures with intervals, curves, errors and saliency maps, side by side."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.storage.output_file import is_page, refuse_foreign_file, write_output
from cadsight_experiments.comparison import load_comparison
from cadsight_experiments.results import Comparison
from cadsight_experiments.set_figures import Measured
from cadsight_experiments.synthetic_gap import SyntheticGap, best_of_each, better_of, synthetic_gaps
from cadsight_learning.data.letterbox import framed
from cadsight_learning.detection.ultralytics.detector import UltralyticsDetector
from cadsight_learning.evaluation.saliency import detector_saliency, normal_saliency
from cadsight_learning.metrics.box_metrics import METRICS
from cadsight_learning.models import load_detector, load_regressor
from cadsight_learning.normals.crops import views
from cadsight_learning.similarity.compare import some
from markupsafe import Markup

from cadsight_report.graphics import charts
from cadsight_report.graphics.drawing import TRUTH_RGB, data_uri, heat, zoomed
from cadsight_report.origin import versions
from cadsight_report.page import PageImage, filled
from cadsight_report.side_by_side.entries import Entry, TestImages, distinct, entries_of, is_experiment
from cadsight_report.side_by_side.gap_sentences import gap_sentences

STAGES = ("evaluate", "charts", "saliency", "page")
Progress = Callable[[str], None]

# By kind of model its figures: name, title and digits.
_FIGURES = {
    "Detectors": tuple((metric.name, metric.title, 3) for metric in METRICS.values()),
    "Normals, degrees": (
        ("mean_deg", "Mean error", 2),
        ("median_deg", "Median error", 2),
        ("p90_deg", "90th percentile", 2),
    ),
}
_DETECTOR_CURVES = (
    ("box loss, validation", "valid/box_loss"),
    ("class loss, validation", "valid/class_loss"),
    ("mAP50:95, validation", "valid/map50_95"),
)
_NORMAL_CURVES = (
    ("loss, training", "train/loss"),
    ("loss, validation", "valid/loss"),
    ("median error, validation, degrees", "valid/median_deg"),
)
_CHARTS = (
    "detector_figures", "normal_figures", "detector_curves", "normals_curves", "by_vertical", "calibration",
)  # fmt: skip
# Rows and columns of the saliency maps: more are too small to see.
_SALIENCY_IMAGES, _SALIENCY_MODELS = 3, 6
_FAILING, _SURROUNDINGS, _SIDE = 8, 2.5, 320


@dataclass(frozen=True)
class SaliencyRow:
    """One image and the saliency map of each model on it."""

    name: str
    uri: str
    maps: tuple[PageImage, ...]


@dataclass(frozen=True)
class GapSection:
    """The synthetic gap of one of the models of an experiment.

    Attributes:
        failing: some of the test images that fail.
        names: names of all that fail.
    """

    title: str
    sentences: tuple[str, ...]
    chart: str | None
    failing: tuple[PageImage, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class SideBySide:
    """The content of the page."""

    entries: tuple[Entry, ...]
    charts: Mapping[str, str]
    normal_saliency: tuple[SaliencyRow, ...] = ()
    detector_saliencies: tuple[SaliencyRow, ...] = ()
    gaps: tuple[GapSection, ...] = field(default_factory=tuple)
    grids: tuple[str, ...] = ()


def build_side_by_side(
    folders: Sequence[str | Path],
    page: str | Path,
    test: TestImages | None = None,
    progress: Progress = lambda stage: None,
) -> Path:
    """Write the page of ``folders``, each a model, a run or an experiment.

    Args:
        test: labelled images to evaluate models and runs on (see :func:`.side_by_side.entries.entries_of`).
        progress: called with the name of each of :data:`STAGES` before it.

    Raises:
        CadsightError: when a folder is none of these, a part of it cannot be read, or a model learned from ``test``.
    """
    refuse_foreign_file(page, is_page)
    gone = next((f for f in folders if not Path(f).is_dir()), None)
    if gone is not None:
        raise CadsightError(f"the folder {gone} is missing, expected that of a model, a run or an experiment")
    progress(STAGES[0])
    evaluated = with_progress(folders, len(folders), "runs evaluated")
    entries = distinct([one for folder in evaluated for one in entries_of(folder, test)])
    progress(STAGES[1])
    svgs = _charts(entries)
    comparisons = [load_comparison(folder) for folder in folders if is_experiment(folder)]
    grids = [chart for comparison in comparisons if (chart := _grid(comparison))]
    gaps = [b for comparison in comparisons for b in _gap_sections(comparison)]
    progress(STAGES[2])
    samples = _samples_of(entries)
    saliency = _normal_saliency(entries, samples), _detector_saliencies(entries, samples)
    progress(STAGES[3])
    text = _rendered(SideBySide(tuple(entries), svgs, *saliency, tuple(gaps), tuple(grids)))
    return write_output(page, text, is_page)


def _rendered(page: SideBySide) -> str:
    return filled(
        "side_by_side.html.j2",
        tables=[table for kind, columns in _FIGURES.items() if (table := _table(kind, columns, page.entries))],
        entries=page.entries,
        charts=dict.fromkeys(_CHARTS) | {name: Markup(svg) for name, svg in page.charts.items()},
        curves=any(name in page.charts for name in ("detector_curves", "normals_curves")),
        confusions=[(one.name, one.confusion) for one in page.entries if one.confusion],
        normal_saliency=page.normal_saliency,
        detector_saliencies=page.detector_saliencies,
        gaps=[(b.title, b.sentences, b.chart and Markup(b.chart), b.failing, b.names) for b in page.gaps],
        grids=[Markup(svg) for svg in page.grids],
        tests=sorted({one.evaluated_on for one in page.entries}),
        made=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        versions=versions(),
    )


def _table(
    kind: str, columns: Sequence[tuple[str, str, int]], entries: Sequence[Entry]
) -> tuple[str, list[str], list[tuple[Entry, list[tuple[str, str, str]]]]] | None:
    """Heading, column titles, and a row for each entry that has any of the figures."""
    there = [one for one in entries if any(name in one.figures for name, _, _ in columns)]
    rows = [
        (one, [_words(one.figures.get(name), one.std.get(name), digits) for name, _, digits in columns])
        for one in there
    ]
    return (kind, [title for _, title, _ in columns], rows) if rows else None


def _words(measured: Measured | None, std: float | None, digits: int) -> tuple[str, str, str]:
    """The value, its interval and its standard deviation over the seeds, '' where one is not known."""
    if measured is None:
        return "", "", ""
    between = f"{measured.low:.{digits}f} to {measured.high:.{digits}f}" if np.isfinite(measured.low) else ""
    return f"{measured.value:.{digits}f}", between, "" if std is None else f"± {std:.{digits}f}"


def _charts(entries: Sequence[Entry]) -> dict[str, str]:
    found, order = {}, [one.name for one in entries]
    titles = {key: title for columns in _FIGURES.values() for key, title, _ in columns}
    for name, keys in (("detector_figures", ("map50", "map50_95")), ("normal_figures", ("median_deg", "p90_deg"))):
        panels = [
            (titles[key], {e.name: (m.value, m.low, m.high) for e in entries if (m := e.figures.get(key)) is not None})
            for key in keys
        ]
        if any(rows for _, rows in panels):
            found[name] = charts.with_intervals([(title, rows) for title, rows in panels if rows], order)
    for kind, curves in (("detector", _DETECTOR_CURVES), ("normals", _NORMAL_CURVES)):
        lines = [(title, {e.name: seeds for e in entries if (seeds := _having(e, kind, key))}) for title, key in curves]
        if any(runs for _, runs in lines):
            found[f"{kind}_curves"] = charts.overlaid([(title, runs) for title, runs in lines if runs], order)
    errors = {e.name: e.errors for e in entries if len(e.errors[0])}
    if errors:
        found["by_vertical"] = charts.by_vertical(errors, order)
    calibrated = {e.name: (e.calibration.expected, e.calibration.observed) for e in entries if e.calibration}
    if calibrated:
        found["calibration"] = charts.calibrations(calibrated, order)
    return found


def _grid(comparison: Comparison) -> str | None:
    """mAP50 by number of images from CAD and of real ones (Morato, section 6), where the sets are such a sweep."""
    cells = {
        (one.facts["cad"], one.facts["real"]): one.mean["map50"]
        for one in comparison.sets
        if {"cad", "real"} <= one.facts.keys()
    }
    return charts.grid(cells, "images from CAD", "real images", "mAP50") if cells else None


def _having(entry: Entry, kind: str, key: str) -> list[list[float]]:
    """For each seed that has them the values of ``key`` by epoch."""
    seeds = [[row[key] for row in rows if key in row] for rows in entry.curves.get(kind, ())]
    return [values for values in seeds if values]


def _gap_sections(comparison: Comparison) -> list[GapSection]:
    samples = {s.name: s for s in _loaded(TestImages(comparison.test))}
    answers = synthetic_gaps(comparison)
    found = []
    for answer, title, label in (
        (answers.detector, "Detector", "mAP50:95"),
        (answers.normals, "Surface normals", "median error, degrees"),
    ):
        if answer is not None:
            names = answer.fails.images if answer.fails else ()
            failing = tuple(_failing(samples[n]) for n in names[:_FAILING] if n in samples)
            found.append(GapSection(title, gap_sentences(answer), _gap_chart(answer, label), failing, names))
    return found


def _gap_chart(answer: SyntheticGap, label: str) -> str | None:
    if answer.synthetic is None or answer.real is None or answer.fails is None:
        return None
    ends = (("synthetic", answer.synthetic), ("real", answer.real))
    lines = {f"{word} only ({end.name})": _triple(end.measured) for word, end in ends}
    points = {
        word: [
            (float(s.real), *_triple(s.measured))
            for s in best_of_each([s for s in answer.sets if s.kind == kind and s.real], better_of(answer.figure))
        ]
        for word, kind in (("synthetic and real", "mixed"), ("real alone", "real"))
    }
    return charts.gap({word: found for word, found in points.items() if found}, lines, label)


def _triple(one: Measured) -> tuple[float, float, float]:
    return one.value, one.low, one.high


def _failing(sample: Sample) -> PageImage:
    image, there = read_image(sample.image), list(sample.instances)
    if there:
        image, moved = zoomed(image, there[0].box.scaled(_SURROUNDINGS).squared(sample.size), _SIDE)
        image = draw_instances(image, [moved(i) for i in there], colour=TRUTH_RGB, thickness=2)
    return PageImage(sample.name, data_uri(image, max_width=_SIDE), sample.name)


def _samples_of(entries: Sequence[Entry]) -> Sequence[Sample]:
    """A few evenly spaced images of the first test set that exists."""
    test = next((e.test for e in entries if e.test and Path(e.test.data).exists()), None)
    samples = [s for s in _loaded(test) if s.instances] if test else []
    return some(samples, _SALIENCY_IMAGES)


def _loaded(test: TestImages) -> Sequence[Sample]:
    return test.load()[0] if Path(test.data).exists() else []


def _normal_saliency(entries: Sequence[Entry], samples: Sequence[Sample]) -> tuple[SaliencyRow, ...]:
    """Saliency of the regressor of each entry on the same crops (Comillas, figure 20)."""
    regressors = [e for e in entries if "normals" in e.models][:_SALIENCY_MODELS]
    samples = [s for s in samples if any(i.normal is not None for i in s.instances)]
    if not regressors or not samples:
        return ()
    seen = views(samples)[:_SALIENCY_IMAGES]
    crops = np.stack([v.crop for v in seen])
    tracked = with_progress(regressors, len(regressors), "saliency of regressors")
    maps = {e.name: normal_saliency(load_regressor(e.models["normals"]), crops) for e in tracked}
    return tuple(
        SaliencyRow(
            v.name, data_uri(v.crop), tuple(PageImage(n, data_uri(heat(v.crop, m[i])), n) for n, m in maps.items())
        )
        for i, v in enumerate(seen)
    )


def _detector_saliencies(entries: Sequence[Entry], samples: Sequence[Sample]) -> tuple[SaliencyRow, ...]:
    loaded = {e.name: load_detector(e.models["detector"]) for e in entries[:_SALIENCY_MODELS] if "detector" in e.models}
    detectors = {name: detector for name, detector in loaded.items() if isinstance(detector, UltralyticsDetector)}
    rows = []
    shown_samples = samples if detectors else ()
    for sample in with_progress(shown_samples, len(shown_samples), "saliency of detectors"):
        image = read_image(sample.image)
        maps = []
        for name, detector in detectors.items():
            canvas, _ = framed(image, detector.image_size)
            maps.append(
                PageImage(name, data_uri(heat(canvas, detector_saliency(detector, image)), max_width=360), name)
            )
        rows.append(SaliencyRow(sample.name, data_uri(image, max_width=360), tuple(maps)))
    return tuple(rows)
