"""Compares strategies: one cycle with several numbers of images, then cycle after cycle (Eversberg, section 4)."""

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_active.options import SelectionOptions
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_core.storage.files import alone_in, write_atomically
from cadsight_core.storage.output_file import refuse_foreign_file
from cadsight_learning.data.loading import load_together, of_splits
from cadsight_learning.evaluation.evaluate import evaluate_detector, in_classes_of
from cadsight_learning.registry.provenance import by_content, refuse_shared
from cadsight_learning.registry.store import fingerprint

from cadsight_experiments.active.choosing import Choosing, refuse_foreign_choices
from cadsight_experiments.active.plan import ActivePlan
from cadsight_experiments.active.results import RESULTS, ActiveComparison, ActiveResult, is_results, save_active
from cadsight_experiments.active.start import Model, Start, trained, weights_sha256
from cadsight_experiments.active.table import TABLE, TABLE_HEAD, active_table
from cadsight_experiments.active.training import (
    CONFIDENCE,
    MAX_DETECTIONS,
    ChosenTrial,
    ChosenTrials,
    content_of,
    digest,
    named,
)
from cadsight_experiments.comparison import Running
from cadsight_experiments.training_set import TrainingSet
from cadsight_experiments.trial import refuse_foreign_trial

_TRAININGS, _BATCHES = "trainings", "batches"
# Makes the start of a comparison, given the test images.
MakeStart = Callable[[Sequence[Sample]], Start]


@dataclass(frozen=True)
class _Asked:
    """A row of the results that a trial is for."""

    has_base: bool
    strategy: str
    cycle: int
    seed: int
    trial: ChosenTrial
    labels: int

    def result(self) -> ActiveResult:
        kept = self.trial.kept() if self.labels else None
        if self.labels and kept is None:
            raise CadsightError(
                f"{self.trial.folder} has no results after a worker's training, expected a folder that is the same on "
                "all machines"
            )
        # Of images without a label nothing is learned, and nothing found.
        figures = kept.figures if kept else {"map50_95": 0.0, "map50": 0.0}
        return ActiveResult(
            self.has_base,
            self.strategy,
            self.cycle,
            len(self.trial.names),
            self.seed,
            self.labels,
            figures["map50_95"],
            figures["map50"],
            self.trial.key,
        )


def compare_strategies(plan: ActivePlan, out: str | Path, make_start: MakeStart, running: Running) -> ActiveComparison:
    """Choose, train and evaluate; what is done is kept in ``out``, so that a second call goes on where a first was.

    OUT/batches/KEY.json      what was chosen
    OUT/trainings/KEY         a training's figures, and its model where others go on from it
    OUT/active.json, .md      the comparison

    Seed s has the same random batch, order and starting weights for all strategies.

    Raises:
        CadsightError: for files of others under the names that are written, an unknown strategy, a pool that is empty
            or shares an image with the test set, a class that the detector lacks, and whatever choosing, training and
            evaluating raise.
    """
    out = Path(out)
    refuse_foreign_active(out)
    for name in (*plan.strategies, plan.cycle_strategy):
        STRATEGIES.named(name)
    samples, classes = load_together([plan.pool])
    pool = of_splits(samples, ("train", "valid", ""))
    test, test_classes = load_together([plan.test])
    if not pool:
        raise CadsightError(f"the pool {plan.pool} has no image that is not for testing, expected some")
    refuse_shared(pool, f"the pool {plan.pool}", by_content(test), f"the test set {plan.test}")
    with alone_in(out):
        start = make_start(test)
        found = _Comparing(plan, out, start, pool, classes, (test, test_classes), running).run()
    save_active(out, found)
    write_atomically(out / TABLE, active_table(found))
    return found


def refuse_foreign_active(out: str | Path) -> None:
    """Refuse a folder with files that a comparison of strategies would overwrite but none wrote.

    Raises:
        CadsightError: naming the file.
    """
    out = Path(out)
    refuse_foreign_file(out / RESULTS, is_results)
    refuse_foreign_file(out / TABLE, lambda data: data.startswith(TABLE_HEAD.encode()))
    refuse_foreign_choices(out / _BATCHES)
    for folder in (out / _TRAININGS).glob("*"):
        refuse_foreign_trial(folder)


class _Comparing:
    def __init__(
        self,
        plan: ActivePlan,
        out: Path,
        start: Start,
        pool: Sequence[Sample],
        classes: Sequence[str],
        tested: tuple[Sequence[Sample], Sequence[str]],
        running: Running,
    ) -> None:
        self._plan, self._out, self._start, self._running = plan, out, start, running
        self._pool, self._names = pool, classes
        # In the order of the base, whose head then goes on with its own classes.
        own = start.base.detector.classes
        self._classes = own if start.own_classes and set(classes) <= set(own) else tuple(classes)
        self._tested = in_classes_of(*tested, self._classes)
        self._test_data = fingerprint(self._tested)
        self._choosing = Choosing(out / _BATCHES, pool, classes)
        self._notes: list[str] = []

    def run(self) -> ActiveComparison:
        asked = self._one_cycle()
        self._trained(asked)
        asked += self._cycles()
        base = self._base_figure()
        start, plan = self._start, self._plan
        return ActiveComparison(
            pool=plan.pool,
            pool_images=len(self._pool),
            test=plan.test,
            test_images=len(self._tested),
            base=start.name,
            base_sha256=start.base.sha256,
            base_map50_95=base,
            without=weights_sha256(start.without, start.base.detector.architecture),
            strategies=plan.strategies,
            cycle_strategy=plan.cycle_strategy if plan.cycles else "",
            between=plan.between,
            detector={
                **content_of(plan.detector, start.base.sha256),
                **({"updates": plan.updates, "epochs": 0} if plan.updates else {}),
            },
            results=tuple(one.result() for one in asked),
            notes=tuple(self._notes),
        )

    def _one_cycle(self) -> list[_Asked]:
        there = {k: seeds for k, seeds in sorted(self._plan.seeds.items()) if k <= len(self._pool)}
        if not there:
            raise CadsightError(
                f"the pool {self._plan.pool} has {len(self._pool)} images, expected at least {min(self._plan.seeds)}"
            )
        if left := sorted(self._plan.seeds.keys() - there.keys()):
            self._note(f"the pool has {len(self._pool)} images, so that {', '.join(map(str, left))} are left out")
        base, asked = self._start.base, []
        for strategy in self._plan.strategies:
            for k, seeds in there.items():
                for seed in range(seeds):
                    names = self._choosing.names(base, (), SelectionOptions(strategy=strategy, k=k, seed=seed))
                    asked.append(
                        self._asked(True, strategy, 0, names, seed, base.weights, self._goes_on(strategy, k, seed))
                    )
                    if strategy == "random":
                        asked.append(self._asked(False, strategy, 0, names, seed, self._start.without))
        return asked

    def _cycles(self) -> list[_Asked]:
        """Batch after batch: each model chooses the next, and learns on from itself of all chosen until then."""
        plan = self._plan
        count = min(plan.cycles, len(self._pool) // plan.cycle_images)
        if count < plan.cycles:
            self._note(f"the pool has {len(self._pool)} images, enough for {count} of {plan.cycles} batches")
        seeds = range(plan.cycle_seeds)
        models: dict[int, Model] = dict.fromkeys(seeds, self._start.base)
        labelled: dict[int, tuple[str, ...]] = dict.fromkeys(seeds, ())
        every: list[_Asked] = []
        for cycle in range(1, count + 1):
            asked = []
            for seed in seeds:
                options = SelectionOptions(strategy=plan.cycle_strategy, k=plan.cycle_images, seed=seed)
                labelled[seed] += self._choosing.names(models[seed], labelled[seed], options)
                weights = models[seed].weights
                asked.append(self._asked(True, plan.cycle_strategy, cycle, labelled[seed], seed, weights, True))
            self._trained(asked)
            for seed, one in zip(seeds, asked, strict=True):
                if one.labels:
                    models[seed] = trained(one.trial.model, plan.detector)
            every += asked
        return every

    def _goes_on(self, strategy: str, k: int, seed: int) -> bool:
        """Whether the batches that follow go on from such a model."""
        plan = self._plan
        is_first = (strategy, k) == (plan.cycle_strategy, plan.cycle_images)
        return plan.cycles > 0 and is_first and seed < plan.cycle_seeds

    def _asked(
        self,
        has_base: bool,
        strategy: str,
        cycle: int,
        names: Sequence[str],
        seed: int,
        weights: str,
        keeps_model: bool = False,
    ) -> _Asked:
        chosen = named(self._pool, self._names, names, self._classes)
        detector = self._plan.detector
        epochs, times = self._plan.epochs(len(chosen))
        how = dataclasses.replace(detector, seed=seed, weights=weights, epochs=epochs)
        known = content_of(how, weights_sha256(weights, self._start.base.detector.architecture))
        data = (fingerprint(chosen), self._test_data)
        key = digest(*data, known, times, self._classes, CONFIDENCE, MAX_DETECTIONS)
        of = "" if has_base else " without the base"
        trial = ChosenTrial(
            TrainingSet(f"{strategy}{of}, {len(chosen)} images", (self._plan.pool,)),
            seed,
            self._out / _TRAININGS / key,
            how,
            None,
            (),
            data,
            CONFIDENCE,
            MAX_DETECTIONS,
            names=tuple(s.name for s in chosen),
            classes=self._classes,
            key=key,
            times=times,
            keeps_model=keeps_model,
        )
        labels = sum(len(s.instances) for s in chosen)
        if not labels:
            self._note(f"none of the {len(chosen)} images that {strategy} chose for seed {seed} has a label")
        return _Asked(has_base, strategy, cycle, seed, trial, labels)

    def _trained(self, asked: Sequence[_Asked]) -> None:
        """Do the trainings that are not done, each once, whoever asks for it."""
        trials: dict[str, ChosenTrial] = {}
        for one in asked:
            before = trials.get(one.trial.key)
            if one.labels and (before is None or one.trial.keeps_model):
                trials[one.trial.key] = one.trial
        # Seed by seed, so that a run which is stopped has something of every strategy.
        left = sorted((t for t in trials.values() if t.kept() is None), key=lambda trial: trial.seed)
        running = self._running
        work = ChosenTrials(left, self._plan.test, running.progress, running.threads)
        deque(running.parallel(work, range(len(left))), maxlen=0)

    def _base_figure(self) -> float:
        """mAP50:95 of the base as it is, NaN where its classes are not the parts'."""
        base = self._start.base
        if not self._start.own_classes or self._classes != base.detector.classes:
            return float("nan")
        batch = min(self._plan.detector.batch, base.detector.at_once)
        square = self._plan.detector.square
        evaluated = evaluate_detector(base.detector, self._tested, CONFIDENCE, MAX_DETECTIONS, square, batch)
        return float(evaluated.scores["map50_95"])

    def _note(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes.append(sentence)
            self._running.note(sentence)
