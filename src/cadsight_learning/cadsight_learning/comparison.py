"""What training sets are worth: models trained on each, all judged on one test set (Comillas, tables 1 and 2)."""

import contextlib
import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.files import write_atomically
from cadsight_core.part import Part
from cadsight_core.sample import Sample

from cadsight_learning.data import divided, load_together, oddities, parts_in
from cadsight_learning.detection_figures import SHARES
from cadsight_learning.detector import Progress, silent
from cadsight_learning.evaluation import evaluate_detector, evaluate_normals, in_classes_of
from cadsight_learning.fitting import fit_detector, fit_normals
from cadsight_learning.judged_objects import counting, judged_objects
from cadsight_learning.options import DetectorOptions, NormalOptions
from cadsight_learning.registry import WEIGHTS, fingerprint
from cadsight_learning.set_figures import Measured, resampled_sets, set_figures

FORMAT = "cadsight-comparison-1"
COMPARISON = "comparison.json"
DETECTOR_FIGURES = SHARES
NORMAL_FIGURES = ("mean_deg", "median_deg", "p90_deg")


@dataclass(frozen=True)
class TrainingSet:
    """Data sets that are learned from together, under one name.

    Attributes:
        counts: pictures taken of each folder, 0 for all (see :func:`cadsight_learning.data.load_together`).
        detector: how its detector is trained, where it is another way than the comparison's.
        normals: how its regressor is trained, where that is another way.
        has_normals: whether a regressor is trained on it, where the comparison has one.
        after: name of the set whose models, of the same seed, it goes on from.
        facts: kept with its results, such as a place in a grid.
    """

    name: str
    folders: tuple[str, ...]
    counts: tuple[int, ...] = ()
    detector: DetectorOptions | None = None
    normals: NormalOptions | None = None
    has_normals: bool = True
    after: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_drawn(self) -> bool:
        """Whether each seed has pictures of its own."""
        return any(self.counts)

    @staticmethod
    def parse(words: str) -> "TrainingSet":
        """``NAME=DIR[:N][,DIR[:N]...]`` of a command line; with N that many pictures of the folder.

        Raises:
            CadsightError: for words of another form.
        """
        name, _, folders = words.partition("=")
        if not name or Path(name).name != name or name.startswith(".") or not folders:
            raise CadsightError(f"the training set is {words!r}, expected NAME=DIR or NAME=DIR,DIR")
        parts = [re.fullmatch(r"(.+?)(?::(\d+))?", folder) for folder in folders.split(",")]
        if not all(parts):
            raise CadsightError(f"the training set is {words!r}, expected a folder after each comma")
        return TrainingSet(name, tuple(p[1] for p in parts if p), tuple(int(p[2] or 0) for p in parts if p))


@dataclass(frozen=True)
class _Draw:
    """What is told of the pictures that a set gives to a seed."""

    pictures: int
    origins: dict[str, int]
    fingerprint: str

    @staticmethod
    def of(train: Sequence[Sample], valid: Sequence[Sample]) -> "_Draw":
        every = [*train, *valid]
        return _Draw(len(train), dict(sorted(Counter(s.origin for s in every).items())), fingerprint(every))


@dataclass(frozen=True)
class Trial:
    """One training of both models."""

    training_set: TrainingSet
    seed: int

    def __str__(self) -> str:
        return f"{self.training_set.name}, seed {self.seed}"


Shown = Callable[[Trial, str], contextlib.AbstractContextManager[Progress]]


def compare(
    sets: Sequence[TrainingSet],
    test: str | Path,
    seeds: int,
    out: str | Path,
    detector: DetectorOptions,
    normals: NormalOptions | None,
    progress: Shown = lambda trial, what: contextlib.nullcontext(silent),
    parts: Sequence[Part] = (),
    note: Callable[[str], None] = lambda sentence: None,
) -> dict[str, Any]:
    """Train on each set with the seeds 0 to ``seeds - 1`` and judge every model on ``test``.

    Each trial is kept in ``out``/SET/SEED; called again after a kill with the same arguments it goes on where it was.
    A set validates on its own pictures: those of the split ``valid`` where it has any, else a part of each folder.

    Args:
        normals: how the regressor is trained; None for the detector alone.
        progress: for a trial and the model's kind, a context around its training that gives what is told of each
            epoch, such as a progress bar.
        parts: classes whose symmetry counts for normals, in training and in judging; of the classes by their names.
        note: is told before training what speaks against the sets (see :func:`cadsight_learning.data.oddities`).

    Returns:
        What ``comparison.json`` holds: ``sets``, each with the ``origins`` of its pictures (those that validate among
        them), its ``trials`` and the ``mean`` and ``spread`` (standard deviation over the seeds, n - 1) of every
        figure; and ``objects``, what is known of each label of the test set (see
        :func:`cadsight_learning.judged_objects.judged_objects`), and ``symmetry``, the names of the parts that were
        judged up to theirs. A trial has its ``seed``, ``figures``, ``intervals``,
        ``matches`` (a :class:`cadsight_learning.match_table.MatchTable`), ``confusion`` and ``objects``: of each label,
        in the order of the test set's, whether it was ``found``, with which ``iou`` and ``score``, and its normal's
        ``angle_deg``.

    Raises:
        CadsightError: for two sets of one name, a test set that shares a picture with a training set or has a class
            that it lacks, pictures without labels, or without normals where a regressor is trained, a part that is no
            class of a set, and whatever reading, training and judging raise.
    """
    names = [s.name for s in sets]
    if len(set(names)) < len(names) or not sets or seeds < 1:
        raise CadsightError(
            f"the sets {', '.join(names)} with {seeds} seeds are to be compared, expected at least one set, a name for "
            "each and at least one seed"
        )
    for place, one in enumerate(sets):
        if one.after and one.after not in names[:place]:
            raise CadsightError(f"the set {one.name} comes after {one.after!r}, expected one of those before it")
    judges, test_names = load_together([test])
    tested, test_data = {_content(s): s.name for s in judges}, fingerprint(judges)
    # What is wrong with a set is said before hours are spent on those before it.
    draws: dict[tuple[str, int], _Draw] = {}
    notes: list[str] = []
    learned: list[Sample] = []
    for one in sets:
        for seed in range(seeds if one.is_drawn else 1):
            train, valid, classes = _parted(one, seed)
            parts_in(parts, classes)
            tests = in_classes_of(judges, test_names, classes)
            _check_labels(one.name, train, valid, tests, normals is not None and one.has_normals)
            _refuse_shared(one.name, [*train, *valid], str(test), tested)
            draws[one.name, seed] = _Draw.of(train, valid)
            notes += [f"{one.name}: {sentence}" for sentence in oddities((), train, classes)]
            learned += [dataclasses.replace(s, instances=()) for s in train]  # masks of all sets would fill the memory
    notes += oddities(list(dict.fromkeys(folder for one in sets for folder in one.folders)), learned, ())
    for sentence in dict.fromkeys(notes):
        note(sentence)
    found = []
    for one in sets:
        trials = []
        for seed in range(seeds):
            draw = draws[one.name, seed if one.is_drawn else 0]
            trial, folder = Trial(one, seed), Path(out) / one.name / str(seed)
            options = _options(one, seed, Path(out), detector, normals)
            asked = [draw.fingerprint, test_data, *(o and dataclasses.asdict(o) for o in options)]
            if options[1] and parts:
                asked.append({p.name: [[*s.axis, s.order] for s in p.symmetry] for p in parts})
            results = _kept(folder, asked)
            if results is None:
                train, valid, classes = _parted(one, seed)
                tests = in_classes_of(judges, test_names, classes)
                results = _tried(trial, train, valid, classes, tests, folder, options, progress, parts)
                write_atomically(folder / "trial.json", json.dumps({"asked": asked, **results}) + "\n")
            trials.append({"seed": seed, **results})
        summed = _summed([t["figures"] for t in trials])
        told = {"name": one.name, "pictures": draw.pictures, "origins": draw.origins, "facts": dict(one.facts)}
        told["after"] = one.after
        found.append({**told, "trials": trials, **summed})
    comparison = {
        "format": FORMAT,
        "test": str(test),
        "test_pictures": len(judges),
        "seeds": seeds,
        "objects": judged_objects(judges, test_names),
        "symmetry": sorted(p.name for p in parts if p.symmetry),
        "sets": found,
    }
    write_atomically(Path(out) / COMPARISON, json.dumps(comparison) + "\n")
    write_atomically(Path(out) / "comparison.md", table(comparison))
    return comparison


def load_comparison(folder: str | Path) -> dict[str, Any]:
    """What :func:`compare` wrote in ``folder``.

    Raises:
        CadsightError: when it cannot be read, or is of another format.
    """
    path = Path(folder) / COMPARISON
    try:
        comparison = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CadsightError(f"{path} could not be read ({error}), expected what cadsight experiment writes") from error
    if not isinstance(comparison, dict) or comparison.get("format") != FORMAT:
        raise CadsightError(f"{path} is of another format, expected {FORMAT}: run the experiment again")
    return comparison


def table(comparison: Mapping[str, Any]) -> str:
    """The comparison as Markdown, a table for each kind of model.

    A figure is the mean over the seeds, of several seeds with their standard deviation, and its 95 % interval.
    """
    measured = set_figures(comparison, resampled_sets(comparison))
    tables = []
    for names, digits in ((DETECTOR_FIGURES, 3), (NORMAL_FIGURES, 2)):
        rows = [one for one in comparison["sets"] if any(f in one["mean"] for f in names)]
        if not rows:
            continue
        lines = [f"| trained on | pictures | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
        for one in rows:
            cells = [_cell(measured[one["name"]][f], one["spread"].get(f), digits) for f in names]
            lines.append(f"| {one['name']} | {one['pictures']} | {' | '.join(cells)} |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _cell(figure: Measured, spread: float | None, digits: int) -> str:
    over = "" if spread is None else f" +- {spread:.{digits}f}"
    return f"{figure.value:.{digits}f}{over} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def _options(
    one: TrainingSet, seed: int, out: Path, detector: DetectorOptions, normals: NormalOptions | None
) -> tuple[DetectorOptions, NormalOptions | None]:
    """How both models of a set are trained, from another set's where it comes after that."""
    how = one.detector or detector
    angles = (normals and one.has_normals and (one.normals or normals)) or None
    if one.after:
        before = out / one.after / str(seed)
        how = dataclasses.replace(how, weights=str(before / "detector" / WEIGHTS))
        angles = angles and dataclasses.replace(angles, weights=str(before / "normals" / WEIGHTS))
    return dataclasses.replace(how, seed=seed), angles and dataclasses.replace(angles, seed=seed)


def _check_labels(
    name: str, train: Sequence[Sample], valid: Sequence[Sample], judges: Sequence[Sample], normals: bool
) -> None:
    """Refuse pictures from which nothing can be learned, or by which nothing can be judged."""
    for samples, what in ((train, f"to train {name} on"), (judges, "of the test set")):
        if not any(s.instances for s in samples):
            raise CadsightError(f"none of the {len(samples)} pictures {what} has a label, expected some")
    for samples, what in (
        (train, f"to train {name} on"),
        (valid, f"to validate {name} on"),
        (judges, "of the test set"),
    ):
        if normals and not any(i.normal is not None for s in samples for i in s.instances):
            raise CadsightError(
                f"none of the {len(samples)} pictures {what} has a label with a normal, expected some, or no regressor"
            )


def _parted(one: TrainingSet, seed: int) -> tuple[list[Sample], list[Sample], tuple[str, ...]]:
    samples, classes = load_together(one.folders, one.counts, seed)
    if any(s.split == "valid" for s in samples):
        train, valid, _ = divided(samples)
        return train, valid, classes
    train, valid = [], []
    for part in _by_folder(samples):
        learned, judged, _ = divided(part)
        train += learned
        valid += judged
    return train, valid, classes


def _by_folder(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    folders: dict[Path, list[Sample]] = {}
    for sample in samples:
        folders.setdefault(sample.image.parent, []).append(sample)
    yield from folders.values()


def _refuse_shared(name: str, train: Sequence[Sample], test: str, tested: Mapping[str, str]) -> None:
    """Refuse a training set that has a picture of the test set, whose names ``tested`` has by content."""
    for sample in train:
        twin = tested.get(_content(sample))
        if twin is not None:
            raise CadsightError(
                f"the picture {twin} of the test set {test} is {sample.name} of the training set {name}, "
                "expected pictures that training never saw"
            )


def _kept(folder: Path, asked: Any) -> dict[str, Any] | None:
    try:
        kept = json.loads((folder / "trial.json").read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CadsightError(f"{folder}/trial.json could not be read ({error}), expected a trial's figures") from error
    if kept.pop("asked", None) != asked:
        raise CadsightError(f"{folder} holds a trial with other settings or data, expected the same or another --out")
    if "matches" not in kept:
        raise CadsightError(f"{folder} holds a trial of an earlier version, expected another --out")
    return kept


def _tried(
    trial: Trial,
    train: Sequence[Sample],
    valid: Sequence[Sample],
    classes: Sequence[str],
    test: Sequence[Sample],
    folder: Path,
    options: tuple[DetectorOptions, NormalOptions | None],
    progress: Shown,
    parts: Sequence[Part],
) -> dict[str, Any]:
    how, normals = options
    with progress(trial, "detector") as shown:
        detector, _ = fit_detector(train, valid, classes, folder / "detector", how, shown)
    judged = evaluate_detector(detector, test, square=how.square)
    figures = {f: float(judged[f]) for f in DETECTOR_FIGURES}
    intervals = {f: judged["intervals"][f] for f in DETECTOR_FIGURES if f in judged["intervals"]}
    objects = [{k: i[k] for k in ("found", "iou", "score")} for p in judged["per_image"] for i in p["labels"]]
    results = {"matches": judged["matches"], "confusion": judged["confusion"]}
    if normals is not None:
        with progress(trial, "normals") as shown:
            there = parts_in(parts, classes)
            regressor, _ = fit_normals(train, valid, classes, folder / "normals", normals, shown, there)
        angles = evaluate_normals(regressor, test, {p.class_id: p.symmetry for p in there})
        figures |= {f: float(angles[f]) for f in NORMAL_FIGURES}
        intervals |= {f: angles["intervals"][f] for f in NORMAL_FIGURES}
        objects = _with_angles(objects, test, [one["angle_deg"] for one in angles["per_image"]])
        results |= {name: angles[name] for name in ("calibration",) if name in angles}
    return {"figures": figures, "intervals": intervals, **results, "objects": objects}


def _with_angles(
    objects: Sequence[Mapping[str, Any]], samples: Sequence[Sample], angles: Sequence[float]
) -> list[dict[str, Any]]:
    """``objects``, one for each label that counts, with the ``angles``, one for each label that has a normal."""
    left = iter(angles)
    by_label = {id(i): next(left) if i.normal is not None else None for s in samples for i in s.instances}
    labels = [i for s in samples for i in counting(s)]
    return [{**one, "angle_deg": by_label[id(i)]} for one, i in zip(objects, labels, strict=True)]


def _summed(trials: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    values = {f: np.array([t[f] for t in trials]) for f in trials[0]}
    spread = {f: float(v.std(ddof=1)) for f, v in values.items()} if len(trials) > 1 else {}
    return {"mean": {f: float(v.mean()) for f, v in values.items()}, "spread": spread}


def _content(sample: Sample) -> str:
    try:
        return hashlib.sha256(sample.image.read_bytes()).hexdigest()
    except OSError as error:
        raise CadsightError(f"the picture {sample.image} could not be read: {error.strerror}") from error
