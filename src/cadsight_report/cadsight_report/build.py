"""From a run folder to its page and its figures."""

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.running.progress import step
from cadsight_core.sample import Sample
from cadsight_core.storage.folders.run_folder import SPLITS, RunFolder, is_figures
from cadsight_core.storage.json_text import figures_text, without_nan
from cadsight_core.storage.output_file import is_page, refuse_foreign_file, write_output
from cadsight_learning.evaluation.evaluate import evaluate_detector, evaluate_normals
from cadsight_learning.inference import Pipeline

from cadsight_report.figures import DetectorFigures, NormalFigures, RunFigures
from cadsight_report.goals.targets import verdicts
from cadsight_report.graphics import charts
from cadsight_report.graphics.drawing import PREDICTION_RGB, TRUTH_RGB, data_uri, zoomed
from cadsight_report.labels import LabelError, label_figures, session_errors
from cadsight_report.origin import settings, step_seconds, versions
from cadsight_report.page import Illustrations, PageImage, render
from cadsight_report.run import models
from cadsight_report.run.live import live_figures, live_report, replay_figures
from cadsight_report.sections import SECTIONS
from cadsight_report.truth import Truth, true_sample, truth_of

IMAGES, SALIENCY_MAPS = 20, 8
_SURROUNDINGS, _IMAGE_SIDE = 2.2, 440
STAGES = ("labels", "sections", "detector", "normals", "images", "page")
Progress = Callable[[str], None]


def build_report(folder: str | Path, progress: Progress = lambda stage: None) -> RunFolder:
    """Write report.json and report.html of a run; what is missing in the run is listed on the page.

    Args:
        folder: the run, such as ``cadsight demo`` makes.
        progress: called with the name of each of :data:`STAGES` before it.

    Raises:
        CadsightError: when the folder is missing or holds no part of a run, or a part cannot be read.
    """
    run = RunFolder(Path(folder).resolve())
    if not run.folder.is_dir():
        raise CadsightError(f"the run {run.folder} is missing, expected a folder such as cadsight demo makes")
    refuse_foreign_file(run.figures, is_figures)
    refuse_foreign_file(run.page, is_page)
    with step("run read"):
        report = _Report(run)
    for stage in STAGES[:-1]:
        progress(stage)
        getattr(report, f"add_{stage}")()
    progress(STAGES[-1])
    report.write()
    return run


class _Report:
    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.started = time.monotonic()
        self.charts: dict[str, str] = {}
        self.images: tuple[PageImage, ...] = ()
        self.saliency: tuple[PageImage, ...] = ()
        self.sentences: dict[str, str] = {}
        self.section_charts: Mapping[str, Mapping[str, str]] = {}
        sessions = {split: run.session(split) for split in SPLITS}
        self.truths: dict[str, Truth] = {
            split: truth for split, session in sessions.items() if (truth := truth_of(session)) is not None
        }
        self.raw = {split: Dataset.open(s.raw) for split, s in sessions.items() if (s.raw / "dataset.json").is_file()}
        self.labelled = {
            split: Dataset.open(s.labelled) for split, s in sessions.items() if (s.labelled / "dataset.json").is_file()
        }
        if not self.raw and not self.labelled and not run.detector.is_dir() and not run.live.is_dir():
            raise CadsightError(f"{run.folder} holds no session, model or live folder, expected a run to report on")
        self.figures = RunFigures(
            run=run.folder.name,
            made=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            part=next((", ".join(d.classes) for d in [*self.labelled.values(), *self.raw.values()]), None),
            truth=bool(self.truths),
            live=live_figures(run),
            replay=replay_figures(run),
            seconds=step_seconds(run),
            settings=settings(run),
            versions=versions(),
        )
        self._add(missing=self._missing())

    def _add(self, **figures: Any) -> None:
        self.figures = replace(self.figures, **figures)

    def _missing(self) -> tuple[str, ...]:
        absent = {
            "no image of a test session was labelled, so the models are not evaluated": "test" not in self.labelled,
            "no detector was trained": not (self.run.detector / "model.json").is_file(),
            "no regressor of normals was trained": not (self.run.normals / "model.json").is_file(),
            "no live inference was recorded": self.figures.live is None,
            "no bag was replayed": self.figures.replay is None,
            "the time of the steps was not recorded": not self.figures.seconds,
        }
        return tuple(sentence for sentence, is_absent in absent.items() if is_absent)

    def add_labels(self) -> None:
        """Labels against each other and, where there is one, against the truth."""
        errors = {split: session_errors(self.run.session(split), truth) for split, truth in self.truths.items()}
        errors = {split: found for split, found in errors.items() if found}
        self._add(labels=label_figures(self.run, errors))
        chart = _label_chart([e for found in errors.values() for e in found if e.kept])
        if chart:
            self.charts["labels"] = chart

    def add_sections(self) -> None:
        """The sections that need nothing of the others.

        Raises:
            CadsightError: for a section with the name of another key of report.json.
        """
        if taken := SECTIONS.keys() & RunFigures.__dataclass_fields__.keys():
            raise CadsightError(f"a section of the report is called {min(taken)!r}, expected no other key of its JSON")
        found = {name: content for name, one in SECTIONS.items() if (content := one.content(self.run)) is not None}
        self._add(sections={name: content.figures for name, content in found.items()})
        self.section_charts = {name: content.charts for name, content in found.items()}

    def add_detector(self) -> None:
        """The paper's table 1, over all captured test images where there is truth, else over the labelled ones."""
        card = models.card(self.run.detector)
        if card is None:
            return
        self.sentences["detector"] = models.sentence(card)
        self._add_curves("detector_curves", models.detector_curves(self.run.detector))
        detector = models.load_detector(self.run.detector)
        square = bool(card.options.get("square", False))
        if truth := self._true_test():
            self._add(detector=DetectorFigures(evaluate_detector(detector, truth, square=square), "truth"))
        if labels := self._labelled_test():
            found = DetectorFigures(evaluate_detector(detector, labels, square=square), "labels")
            self._add(**{"detector_on_labels" if truth else "detector": found})

    def add_normals(self) -> None:
        """The angle error of the regressor, with figures 20, 23 and 24 of the paper."""
        card = models.card(self.run.normals)
        if card is None:
            return
        self.sentences["normals"] = models.sentence(card)
        self._add_curves("normals_curves", models.normals_curves(self.run.normals))
        truth = self._true_test()
        samples = truth or self._labelled_test()
        samples = [s for s in samples if any(i.normal is not None for i in s.instances)]
        if not samples:
            return
        regressor = models.load_regressor(self.run.normals)
        training = self.labelled.get("train")
        known = training.samples() if training else ()
        symmetries = self._symmetries()
        metrics = evaluate_normals(regressor, samples, symmetries)
        constant = models.constant_error_deg(samples, known, symmetries)
        self._add(normals=NormalFigures(metrics, "truth" if truth else "labels", constant))
        lines = {"mean": metrics.mean_deg, "median": metrics.median_deg}
        labels = ("vertical component of the true normal (1: it faces the camera)", "error, degrees")
        vertical, angles = ([getattr(crop, name) for crop in metrics.per_image] for name in ("vertical", "angle_deg"))
        self.charts["angles"] = charts.scatter(vertical, angles, *labels, lines)
        self.saliency = tuple(models.saliency_images(regressor, _evenly_spaced(samples, SALIENCY_MAPS)))

    def add_images(self) -> None:
        """Test images with true and predicted boxes and normals."""
        samples = _evenly_spaced(self._true_test() or self._labelled_test(), IMAGES)
        if not samples:
            return
        seen: Sequence[Sequence[Any]] = [()] * len(samples)
        if (card := models.card(self.run.detector)) is not None:
            samples = models.as_trained(samples, card)
            regressor = models.load_regressor(self.run.normals) if models.card(self.run.normals) else None
            seen = models.infer_samples(Pipeline(models.load_detector(self.run.detector), regressor), samples)
        symmetries = self._symmetries()
        self.images = tuple(_image(s, found, symmetries) for s, found in zip(samples, seen, strict=True))

    def write(self) -> None:
        """Write both files; the page comes last."""
        if seconds := self.figures.seconds:
            self._add(seconds={**seconds, "report": round(time.monotonic() - self.started, 3)})
        self._add(targets=verdicts(self.figures))
        if (live := live_report(self.run)) and live.results:
            panel = ("image in to result out, ms", {"frames": live.latencies_ms})
            self.charts["latency"] = charts.histograms([panel], bins=40)
        figures = without_nan(self.figures.to_json())
        illustrations = Illustrations(self.charts, self.images, self.saliency, self.sentences, self.section_charts)
        page = render(figures, illustrations)
        write_output(self.run.figures, figures_text(figures, indent=2) + "\n", is_figures)
        write_output(self.run.page, page, is_page)

    def _add_curves(self, name: str, panels: Sequence[tuple[str, Mapping[str, Sequence[float]]]]) -> None:
        if panels:
            self.charts[name] = charts.curves(panels)

    def _true_test(self) -> list[Sample]:
        truth, raw = self.truths.get("test"), self.raw.get("test")
        if truth is None or raw is None:
            return []
        samples = [s for s in raw.samples() if not s.record.get("background", False)]
        return [true_sample(s, truth.at(int(s.record["stamp_ns"])), truth.part.class_id) for s in samples]

    def _symmetries(self) -> models.Symmetries:
        """Symmetry of the part in the test session's truth; a real cell's data set does not name the part's file."""
        truth = self.truths.get("test")
        return {truth.part.class_id: truth.part.symmetry} if truth is not None else {}

    def _labelled_test(self) -> list[Sample]:
        return list(self.labelled["test"].samples()) if "test" in self.labelled else []


def _label_chart(kept: Sequence[LabelError]) -> str | None:
    if not kept:
        return None
    colour = [e.colour_iou for e in kept if e.colour_iou is not None]
    kinematic = [e.kinematic_iou for e in kept if e.kinematic_iou is not None]
    normals = [e.normal_deg for e in kept if e.normal_deg is not None]
    panels: list[tuple[str, Mapping[str, Sequence[float]]]] = []
    if colour and kinematic:
        panels.append(("box IoU with the truth", {"kinematic": kinematic, "colour": colour}))
    if normals:
        panels.append(("labelled normal's error, degrees", {"kinematic": normals}))
    return charts.histograms(panels) if panels else None


def _image(sample: Sample, found: Sequence[Any], symmetries: models.Symmetries) -> PageImage:
    image, true = models.image_of(sample), list(sample.instances)
    caption = models.caption(sample, found, symmetries)
    if true:
        # The part and its surroundings, large enough to tell two boxes apart.
        image, moved = zoomed(image, true[0].box.scaled(_SURROUNDINGS).squared(sample.size), _IMAGE_SIDE)
        true, found = [moved(i) for i in true], [moved(i) for i in found]
    for instances, colour in ((true, TRUTH_RGB), (found, PREDICTION_RGB)):
        image = draw_instances(image, instances, colour=colour, thickness=2)
    return PageImage(sample.name, data_uri(image), caption)


def _evenly_spaced(samples: Sequence[Sample], count: int) -> list[Sample]:
    """``count`` evenly spaced samples, the first and the last among them."""
    if len(samples) <= count:
        return list(samples)
    return [samples[round(i)] for i in np.linspace(0, len(samples) - 1, count)]
