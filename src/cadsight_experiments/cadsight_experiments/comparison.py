"""Compares training sets: models trained on each, all evaluated on one test set (Comillas, tables 1 and 2)."""

import dataclasses
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_core.storage.documents import read_document
from cadsight_core.storage.files import alone_in, write_atomically
from cadsight_core.storage.json_text import figures_text
from cadsight_core.storage.output_file import json_with, refuse_foreign_file
from cadsight_learning.data.loading import dataset_warnings, load_together, parts_in
from cadsight_learning.evaluation.evaluate import in_classes_of
from cadsight_learning.evaluation.label_properties import evaluated_labels
from cadsight_learning.options import DetectorOptions, NormalOptions
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.provenance import by_content, refuse_shared
from cadsight_learning.registry.store import fingerprint

from cadsight_experiments.plan import Plan
from cadsight_experiments.results import DETECTOR_FIGURES, NORMAL_FIGURES, Comparison, SetResult, TrialResult
from cadsight_experiments.set_figures import Measured, resampled_sets, set_figures
from cadsight_experiments.training_set import TrainingSet, chosen_samples
from cadsight_experiments.trial import (
    Trial,
    TrialProgress,
    Trials,
    refuse_foreign_trial,
    stopped,
    unseen,
)

FORMAT = "cadsight-comparison-1"
COMPARISON, _TABLE = "comparison.json", "comparison.md"
_TABLE_HEAD = "| trained on | images |"
_is_comparison = json_with("sets", "test", form=FORMAT)


@dataclass(frozen=True)
class _Chosen:
    """The images that a set gives to one seed: their number, origins and fingerprint."""

    images: int
    origins: dict[str, int]
    fingerprint: str

    @staticmethod
    def of(train: Sequence[Sample], valid: Sequence[Sample]) -> "_Chosen":
        every = [*train, *valid]
        return _Chosen(len(train), dict(sorted(Counter(s.origin for s in every).items())), fingerprint(every))


# Runs the trials of these numbers, here or elsewhere.
ParallelMap = Callable[[Trials, Sequence[int]], Iterable[None]]


@dataclass(frozen=True)
class Running:
    """Where and how trainings run and where they report; their results do not depend on it.

    Attributes:
        progress: for a trial and the model's kind, a context around its training; it gives the function that each
            epoch is reported to, such as that of a progress bar.
        note: is called before training with each warning about the sets (see
            :func:`cadsight_learning.data.loading.dataset_warnings`).
        parallel: runs the trials, each named by a number: here one after the other, or in other processes or on other
            machines, which have to see the same folders; ``progress`` goes with them.
        threads: threads of one trial, 0 for as many as torch takes.
    """

    progress: TrialProgress = unseen
    note: Callable[[str], None] = lambda sentence: None
    parallel: ParallelMap = map
    threads: int = 0


def compare(plan: Plan, out: str | Path, running: Running = Running()) -> Comparison:
    """Train on each set with every seed and evaluate every model on the test set.

    Each trial is kept in ``out``/SET/SEED; called again after a kill with the same plan it goes on where it was.
    A set validates on its own images: those of the split ``valid`` where it has any, else a part of each folder.

    Returns:
        What ``comparison.json`` in ``out`` holds.

    Raises:
        CadsightError: for files of others under the names that are written, a test set that shares an image with a
            training set or has a class that it lacks, images without labels, or without normals where a regressor is
            trained, a part that is no class of a set, and whatever reading, training and evaluating raise.
    """
    refuse_foreign_comparison(out)
    test_samples, test_names = load_together([plan.test])
    # What is wrong with a set is reported before hours are spent on the sets before it.
    chosen = _checked_samples(plan, test_samples, test_names, running.note)
    test_data = fingerprint(test_samples)
    trials = [
        Trial(
            one,
            seed,
            Path(out) / one.name / str(seed),
            *_options(plan, one, seed, Path(out)),
            plan.parts,
            (chosen[one.name, seed if one.is_sampled else 0].fingerprint, test_data),
        )
        for one in plan.sets
        for seed in range(plan.seeds)
    ]
    with alone_in(out):
        done = _done(Trials(trials, plan.test, running.progress, running.threads), running.parallel)
    found = []
    for one in plan.sets:
        results = tuple(kept for trial, kept in zip(trials, done, strict=True) if trial.training_set is one)
        first, summed = chosen[one.name, 0], _summed([t.figures for t in results])
        found.append(SetResult(one.name, first.images, first.origins, one.facts, one.after, results, *summed))
    comparison = Comparison(
        test=plan.test,
        test_images=len(test_samples),
        seeds=plan.seeds,
        objects=evaluated_labels(test_samples, test_names),
        symmetry=tuple(sorted(p.name for p in plan.parts if p.symmetry)),
        sets=tuple(found),
    )
    write_atomically(Path(out) / COMPARISON, figures_text({"format": FORMAT, **comparison.to_json()}) + "\n")
    write_atomically(Path(out) / _TABLE, table(comparison))
    return comparison


def refuse_foreign_comparison(out: str | Path) -> None:
    """Refuse a folder with files that a comparison would overwrite but none wrote, before anything is rendered.

    Raises:
        CadsightError: naming the file.
    """
    out = Path(out)
    refuse_foreign_file(out / COMPARISON, _is_comparison)
    refuse_foreign_file(out / _TABLE, lambda data: data.startswith(_TABLE_HEAD.encode()))
    for folder in out.glob("*/*"):
        if folder.name.isdecimal() and not folder.parent.name.startswith("."):
            refuse_foreign_trial(folder)


def load_comparison(folder: str | Path) -> Comparison:
    """What :func:`compare` wrote in ``folder``.

    Raises:
        CadsightError: when it cannot be read, or is of another format.
    """
    path = Path(folder) / COMPARISON
    data = read_document(path, FORMAT, "comparison")
    try:
        return Comparison.from_json(data)
    except CadsightError as error:
        raise CadsightError(f"{path}: {error}") from error


def table(comparison: Comparison) -> str:
    """The comparison as Markdown, a table for each kind of model.

    A figure is the mean over the seeds, of several seeds with their standard deviation, and its 95 % interval.
    Trainings that ended early are listed beneath.
    """
    measured = set_figures(comparison, resampled_sets(comparison))
    tables = []
    for known, digits in ((DETECTOR_FIGURES, 3), (NORMAL_FIGURES, 2)):
        rows = [one for one in comparison.sets if any(f in one.mean for f in known)]
        if not rows:
            continue
        # A comparison of before a figure was added lacks it.
        names = [f for f in known if all(f in measured[one.name] for one in rows)]
        lines = [f"{_TABLE_HEAD} {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
        for one in rows:
            cells = [_cell(measured[one.name][f], one.std.get(f), digits) for f in names]
            lines.append(f"| {one.name} | {one.images} | {' | '.join(cells)} |")
        tables.append("\n".join(lines) + "\n")
    notes = [f"- {one.name}, {sentence}\n" for one in comparison.sets for sentence in stopped_early(one)]
    return "\n".join([*tables, "".join(notes)] if notes else tables)


def stopped_early(one: SetResult) -> list[str]:
    """Of a set of a comparison the trainings that ended early, a sentence each."""
    return [f"seed {trial.seed}, {kind}: {stopped(why)}" for trial in one.trials for kind, why in trial.stopped.items()]


def _cell(figure: Measured, std: float | None, digits: int) -> str:
    over = "" if std is None else f" +- {std:.{digits}f}"
    return f"{figure.value:.{digits}f}{over} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def _checked_samples(
    plan: Plan, test_samples: Sequence[Sample], test_names: Sequence[str], note: Callable[[str], None]
) -> dict[tuple[str, int], _Chosen]:
    """The images of each set for each seed, for the first seed alone where all seeds have the same."""
    tested = by_content(test_samples)
    chosen: dict[tuple[str, int], _Chosen] = {}
    notes: list[str] = []
    learned: list[Sample] = []
    for one in plan.sets:
        for seed in range(plan.seeds if one.is_sampled else 1):
            train, valid, classes = chosen_samples(one, seed)
            parts_in(plan.parts, classes)
            tests = in_classes_of(test_samples, test_names, classes)
            _check_labels(one.name, train, valid, tests, plan.normals is not None and one.has_normals)
            refuse_shared([*train, *valid], f"the training set {one.name}", tested, f"the test set {plan.test}")
            chosen[one.name, seed] = _Chosen.of(train, valid)
            notes += [f"{one.name}: {sentence}" for sentence in dataset_warnings((), train, classes)]
            learned += [dataclasses.replace(s, instances=()) for s in train]  # masks of all sets would fill the memory
    notes += dataset_warnings(list(dict.fromkeys(folder for one in plan.sets for folder in one.folders)), learned, ())
    for sentence in dict.fromkeys(notes):
        note(sentence)
    return chosen


def _options(plan: Plan, one: TrainingSet, seed: int, out: Path) -> tuple[DetectorOptions, NormalOptions | None]:
    """How both models of a set are trained, from another set's where it comes after that."""
    how = one.detector or plan.detector
    angles = (plan.normals and one.has_normals and (one.normals or plan.normals)) or None
    if one.after:
        before = out / one.after / str(seed)
        how = dataclasses.replace(how, weights=str(before / "detector" / WEIGHTS))
        angles = angles and dataclasses.replace(angles, weights=str(before / "normals" / WEIGHTS))
    return dataclasses.replace(how, seed=seed), angles and dataclasses.replace(angles, seed=seed)


def _done(work: Trials, parallel: ParallelMap) -> list[TrialResult]:
    """The results of every trial; those that have none yet are run, first those from whose models others go on."""
    left = [number for number, trial in enumerate(work.trials) if trial.kept() is None]
    depths: dict[str, int] = {}
    for trial in work.trials:
        one = trial.training_set
        depths[one.name] = depths[one.after] + 1 if one.after else 0
    for depth in sorted(set(depths.values())):
        deque(parallel(work, [n for n in left if depths[work.trials[n].training_set.name] == depth]), maxlen=0)
    return [_results(trial) for trial in work.trials]


def _results(trial: Trial) -> TrialResult:
    kept = trial.kept()
    if kept is None:
        raise CadsightError(
            f"{trial.folder} has no results after a worker's training, expected a folder that is the same on all "
            "machines"
        )
    return kept


def _check_labels(
    name: str, train: Sequence[Sample], valid: Sequence[Sample], test_samples: Sequence[Sample], normals: bool
) -> None:
    """Refuse images from which nothing can be learned, or on which nothing can be evaluated."""
    for samples, what in ((train, f"to train {name} on"), (test_samples, "of the test set")):
        if not any(s.instances for s in samples):
            raise CadsightError(f"none of the {len(samples)} images {what} has a label, expected some")
    for samples, what in (
        (train, f"to train {name} on"),
        (valid, f"to validate {name} on"),
        (test_samples, "of the test set"),
    ):
        if normals and not any(i.normal is not None for s in samples for i in s.instances):
            raise CadsightError(
                f"none of the {len(samples)} images {what} has a label with a normal, expected some, or no regressor"
            )


def _summed(trials: Sequence[Mapping[str, float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and standard deviation of each figure."""
    values = {f: np.array([t[f] for t in trials]) for f in trials[0]}
    std = {f: float(v.std(ddof=1)) for f, v in values.items()} if len(trials) > 1 else {}
    return {f: float(v.mean()) for f, v in values.items()}, std
