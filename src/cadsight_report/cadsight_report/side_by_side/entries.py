"""The entries of a side-by-side page: a model, the models of a run, or each training set of an experiment."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part
from cadsight_core.sample import Sample
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_core.storage.json_text import with_nan
from cadsight_experiments.comparison import COMPARISON, load_comparison, stopped_early
from cadsight_experiments.results import DETECTOR_FIGURES, NORMAL_FIGURES
from cadsight_experiments.set_figures import Measured, resampled_sets, set_figures
from cadsight_experiments.trial import stopped
from cadsight_learning.data.loading import chosen, load_together, parts_in
from cadsight_learning.evaluation.evaluate import evaluate_detector, evaluate_normals, in_classes_of
from cadsight_learning.evaluation.normal_metrics import NormalMetrics
from cadsight_learning.metrics.results import Confusion, DetectionMetrics
from cadsight_learning.models import load_detector, load_regressor
from cadsight_learning.normals.calibration import Calibration
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.model_folder import CARD
from cadsight_learning.registry.provenance import refuse_learned

Curves = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class TestImages:
    """Labelled images that models are evaluated on.

    Attributes:
        data: a data set of any known format.
        split: only the images of this split, '' for all.
        parts: classes, matched by name, whose symmetry counts for normals.
    """

    data: str | Path
    split: str = ""
    parts: Sequence[Part] = ()

    def load(self) -> tuple[Sequence[Sample], tuple[str, ...]]:
        """Samples and classes.

        Raises:
            CadsightError: when the set cannot be read, or has no image in the split.
        """
        samples, classes = load_together([self.data])
        return chosen(samples, self.split) if self.split else samples, classes


@dataclass(frozen=True)
class CalibrationCurve:
    """Expected and observed fractions (see :class:`cadsight_learning.normals.calibration.Calibration`)."""

    expected: Sequence[float]
    observed: Sequence[float]


@dataclass(frozen=True, eq=False)
class Entry:
    """One column of the comparison.

    Attributes:
        trained_on, evaluated_on: the data, in words.
        figures: by name, each with its interval, which is NaN where none is known.
        std: standard deviation of each figure over the seeds, where there are several.
        test: the images it was evaluated on; None for its own validation images.
        notes: sentences to keep in mind when reading its figures.
        curves: by kind ('detector', 'normals') and seed a row for each epoch.
        errors: for each crop the vertical component of the true normal, and the error in degrees.
        calibration: of all seeds together.
        models: folders of 'detector' and 'normals', those of the first seed.
    """

    name: str
    trained_on: str
    evaluated_on: str
    figures: dict[str, Measured]
    test: TestImages | None = None
    notes: tuple[str, ...] = ()
    std: Mapping[str, float] = field(default_factory=dict)
    curves: dict[str, list[Curves]] = field(default_factory=dict)
    errors: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    confusion: Confusion | None = None
    calibration: CalibrationCurve | None = None
    models: dict[str, Path] = field(default_factory=dict)


def is_experiment(folder: str | Path) -> bool:
    return (Path(folder) / COMPARISON).is_file()


def stands_alone(folder: str | Path) -> bool:
    """Whether ``folder`` is an experiment or a model, which have no page of their own."""
    return is_experiment(folder) or (Path(folder) / CARD).is_file()


def entries_of(folder: str | Path, test: TestImages | None = None) -> list[Entry]:
    """The entries that ``folder`` holds.

    Args:
        test: labelled images that a model or a run is evaluated on, which they must not have learned from; a run has
            its test session, and a model without ``test`` has its validation figures. An experiment has its own.

    Raises:
        CadsightError: when the folder is none of the three, a part of it cannot be read, or it learned from ``test``.
    """
    folder = Path(folder)
    if is_experiment(folder):
        return _of_experiment(folder)
    if (folder / CARD).is_file():
        return [_of_models(folder.name, [folder], test, given=test is not None)]
    run = RunFolder(folder)
    trained = [m for m in (run.detector, run.normals) if (m / CARD).is_file()]
    if not trained:
        raise CadsightError(
            f"{folder} holds no {CARD}, {COMPARISON} or models/, expected the folder of a model, a run or an experiment"
        )
    own = run.session("test").labelled
    evaluation = test or (TestImages(own) if own.is_dir() else None)
    return [_of_models(folder.resolve().name, trained, evaluation, given=test is not None)]


def distinct(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with names of their own: those that share one are numbered."""
    often, seen, named = Counter(e.name for e in entries), Counter[str](), []
    for one in entries:
        seen[one.name] += 1
        named.append(replace(one, name=f"{one.name} ({seen[one.name]})") if often[one.name] > 1 else one)
    return named


def _of_experiment(folder: Path) -> list[Entry]:
    comparison = load_comparison(folder)
    evaluated_on = _evaluated_on(comparison.test_images, comparison.test, comparison.symmetry)
    figures = set_figures(comparison, resampled_sets(comparison))
    trials = comparison.seeds
    entries = []
    for one in comparison.sets:
        after = f" after those of {one.after}" if one.after else ""
        origins = ", ".join(f"{count} {name}" for name, count in one.origins.items())
        pairs = [
            (o.tilt_deg, t.angle_deg)
            for trial in one.trials
            for o, t in zip(comparison.objects, trial.objects, strict=True)
            if t.angle_deg is not None and o.tilt_deg is not None
        ]
        trained = [
            {kind: path for kind in ("detector", "normals") if (path := seed / kind) and (path / CARD).is_file()}
            for seed in (folder / one.name / str(trial.seed) for trial in one.trials)
        ]
        matrices = [t.confusion for t in one.trials]
        entries.append(
            Entry(
                one.name,
                f"{origins} images{after}, {trials} seed{'' if trials == 1 else 's'}",
                evaluated_on,
                figures[one.name],
                TestImages(comparison.test),
                tuple(stopped_early(one)),
                one.std,
                {kind: [_curves(models[kind]) for models in trained if kind in models] for kind in trained[0]},
                ([_vertical(tilt) for tilt, _ in pairs], [angle for _, angle in pairs]),
                Confusion(matrices[0].classes, _added([m.matrix for m in matrices])),
                _pooled([t.calibration for t in one.trials if t.calibration is not None]),
                trained[0],
            )
        )
    return entries


def _of_models(name: str, folders: Sequence[Path], test: TestImages | None, given: bool) -> Entry:
    """``given``: the user named ``test``, so it is checked whether a model learned from it."""
    entry = Entry(name, "", "", {}, test)
    samples, classes = test.load() if test else ([], ())
    symmetries = {part.class_id: part.symmetry for part in parts_in(test.parts if test else (), classes)}
    trained_on, notes = [], []
    for folder in folders:
        card = load_card(folder)
        trained_on.append(f"{card.data.get('train', {}).get('pictures', '?')} images; {card.started_from}")
        if card.stopped:
            notes.append(f"{card.kind}: {stopped(card.stopped)}")
        if given:
            notes += refuse_learned(folder, samples)
        entry.models[card.kind] = folder
        entry.curves[card.kind] = [_curves(folder)]
        if test is None:
            names = (*DETECTOR_FIGURES, *NORMAL_FIGURES)
            nothing = float("nan")
            entry.figures.update({k: Measured(v, nothing, nothing) for k, v in card.figures.items() if k in names})
            continue
        if card.kind == "detector":
            found: DetectionMetrics | NormalMetrics = evaluate_detector(
                load_detector(folder),
                in_classes_of(samples, classes, card.classes),
                square=bool(card.options.get("square", False)),
            )
        else:
            found = evaluate_normals(load_regressor(folder), samples, symmetries)
        if isinstance(found, DetectionMetrics):
            entry = replace(entry, confusion=found.confusion)
        else:
            errors = [crop.vertical for crop in found.per_image], [crop.angle_deg for crop in found.per_image]
            entry = replace(entry, errors=errors, calibration=_curve(found.calibration))
        entry.figures.update({
            k: Measured(value, *found.intervals.get(k, (float("nan"),) * 2))
            for k, value in found.figures.items()
            if k in (*DETECTOR_FIGURES, *NORMAL_FIGURES)
        })  # fmt: skip
    evaluated = "its own validation images"
    if test:
        where = f"{test.data}, {test.split}" if test.split else str(test.data)
        evaluated = _evaluated_on(len(samples), where, sorted(p.name for p in test.parts if p.symmetry))
    return replace(entry, trained_on=" · ".join(dict.fromkeys(trained_on)), evaluated_on=evaluated, notes=tuple(notes))


def _evaluated_on(images: int, where: str, symmetric: Sequence[str]) -> str:
    """``symmetric``: names of the parts that were evaluated up to their symmetry."""
    up_to = f", normals up to the symmetry of {', '.join(symmetric)}" if symmetric else ""
    return f"{images} images of {where}{up_to}"


def _vertical(tilt_deg: float) -> float:
    return math.cos(math.radians(tilt_deg))


def _added(matrices: Sequence[Sequence[Sequence[int]]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(sum(cells) for cells in zip(*rows, strict=True)) for rows in zip(*matrices, strict=True))


def _curve(one: Calibration | None) -> CalibrationCurve | None:
    return None if one is None else CalibrationCurve(one.expected, one.observed)


def _pooled(calibrations: Sequence[Calibration]) -> CalibrationCurve | None:
    """The calibration of all crops of several trials, which have equally many each."""
    if not calibrations:
        return None
    observed = zip(*(c.observed for c in calibrations), strict=True)
    return CalibrationCurve(calibrations[0].expected, tuple(fmean(fractions) for fractions in observed))


def _curves(folder: Path) -> Curves:
    path = folder / "curves.json"
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text())
        return [{str(k): float(v) for k, v in with_nan(row).items()} for row in rows]
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise CadsightError(f"{path} could not be read ({error}), expected one row an epoch") from error
