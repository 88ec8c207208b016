"""Trains one network by a schedule of epochs, keeps the best one and goes on after a kill."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from torch import Tensor, nn

from cadsight_learning.registry.model_folder import STATE
from cadsight_learning.training.callbacks import Averages, Checkpoint, Clock, EarlyStop, LearningRate
from cadsight_learning.training.computing import Computing, threads_kept
from cadsight_learning.training.curves import Curves
from cadsight_learning.training.pace import Pace
from cadsight_learning.training.phases import Callback, Loss, Phase, Trainer
from cadsight_learning.training.progress import EpochReport, Progress, StepProgress, StepReport, silent

# Steps over which weights are averaged: the short trainings here have some hundreds in all.
_EMA_STEPS = 40
_CLIP = 10.0
# What the one network of a task and its one phase are called in the state.
_NETWORK, _TRAINING = "network", "training"
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, betas=(0.9, 0.99), fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
}


def shuffled(count: int, batch: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """The numbers below ``count`` in random order, ``batch`` at a time.

    A last one alone gets another beside it, for normalisation over a batch of one would leave nothing of it.
    """
    order = rng.permutation(count)
    for start in range(0, count, batch):
        numbers = order[start : start + batch].tolist()
        yield numbers + rng.integers(count, size=max(2 - len(numbers), 0)).tolist()


class Task(Protocol):
    """What is being trained, on what, and how it is evaluated.

    ``module`` lies on the device that trains it, and what ``loss`` is given is on that device too.
    """

    module: nn.Module
    steps: int  # batches an epoch

    def batches(self, rng: np.random.Generator, fraction: float) -> Iterator[Any]:
        """One epoch; ``fraction`` is how much of the training is done."""

    def loss(self, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """The loss to descend, and its parts by name."""

    def evaluate(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        """How good ``module`` is on validation images (higher is better), and its figures there by name."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        seconds: training is broken off after this time, whatever the epochs; 0 for none. The learning rate knows
            nothing of it: the same epochs are the same training on every machine.
        optimizer: one of :data:`OPTIMIZERS`.
        patience: epochs without a better one after which training ends; 0 for never.
        identity: what must be the same for a training to be gone on with.
    """

    epochs: int
    seconds: float
    learning_rate: float
    weight_decay: float
    patience: int
    seed: int
    identity: str
    optimizer: str = "adamw"


@dataclass
class Outcome:
    """The best epoch of a training.

    Attributes:
        curves: one mapping an epoch: ``epoch``, ``seconds``, ``learning_rate``, ``train/...``, ``valid/...``.
        stopped: why training ended before its schedule, or ''.
        computed: how steps were computed, from which epoch on, where that was tried.
    """

    state: dict[str, Tensor]
    best_epoch: int
    best_score: float
    epochs: int
    seconds: float
    curves: list[dict[str, float]] = field(default_factory=list)
    stopped: str = ""
    computed: list[tuple[int, str]] = field(default_factory=list)


def train(
    task: Task, schedule: Schedule, folder: str | Path, progress: Progress, steps: StepProgress = silent
) -> Outcome:
    """Train until the schedule ends; ``folder`` gets the state to go on from after a kill, which stays until the model
    is kept (see :func:`forget`), and the curves, unless a model is there, whose own they would replace.

    ``steps`` is called with each step as soon as the pace is known.

    A loss that is no number ends the training with the best epoch until then.

    Raises:
        CadsightError: when the folder holds a training of something else, the disk is full, or the loss was
            no number before a first epoch was done.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pace, clock = Pace(), Clock(schedule.seconds)
    average = Averages({_NETWORK: task.module}, _EMA_STEPS)
    quickest = _Quickest(Computing(task.module, task.loss, task.steps * schedule.epochs), pace)
    best = _BestEpoch(task, average.modules[_NETWORK], pace)
    curves = Curves(folder, clock, lambda _: {"score": best.score, **best.figures})
    checkpoint = Checkpoint(folder / STATE, schedule.identity)
    trainer = Trainer(
        [Phase(_TRAINING, {_NETWORK: task.module}, _optimizer(task.module, schedule), quickest.loss(task), clip=_CLIP)],
        task.batches,
        task.steps,
        schedule.epochs,
        schedule.seed,
        [
            average,
            best,
            clock,
            LearningRate({_TRAINING: schedule.learning_rate}),
            quickest,
            EarlyStop(schedule.patience, lambda: best.epoch),
            curves,
            checkpoint,
            _Reports(progress, steps, clock, pace, best, quickest),
        ],
    )
    checkpoint.resume(trainer, lambda data: _older(data, schedule, task.steps))
    with threads_kept():
        trainer.run()
    if not best.state:
        raise CadsightError(
            f"{trainer.stopped} before a first epoch was done, expected a lower learning rate or more time"
        )
    return Outcome(
        best.state,
        best.epoch,
        best.best_score,
        trainer.epoch,
        clock.seconds,
        curves.rows,
        trainer.stopped,
        quickest.modes,
    )


def forget(folder: str | Path) -> None:
    """Remove the state of a training that is over, once what came of it is kept."""
    (Path(folder) / STATE).unlink(missing_ok=True)


def _optimizer(module: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[schedule.optimizer](groups, lr=schedule.learning_rate)


class _Quickest(Callback):
    """Has steps computed as is quickest; ``modes`` are the ways, with the epochs from which on they were taken."""

    name = "computing"

    def __init__(self, computing: Computing, pace: Pace) -> None:
        self.modes: list[tuple[int, str]] = []
        self._computing, self._pace = computing, pace

    def loss(self, task: Task) -> Loss:
        def computed(batch: Any) -> tuple[Tensor, dict[str, float]]:
            with self._computing.precision():
                return task.loss(self._computing.laid_out(batch))

        return computed

    def before_step(self, trainer: Trainer, batch: Any) -> None:
        if self._computing.choose(batch, self._pace.step):
            self.modes.append((trainer.epoch + 1, str(self._computing.mode)))
            self._pace.begin()

    def state_dict(self) -> dict[str, Any]:
        return {"mode": self._computing.state, "modes": self.modes}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.modes = [(int(epoch), str(mode)) for epoch, mode in state["modes"]]
        # As before, so that it ends as if it had not been killed.
        self._computing.resume(state["mode"])


class _BestEpoch(Callback):
    """Evaluates each epoch; keeps ``score``, ``figures`` and weights of the best one, whose number is 0 at first."""

    name = "best"

    def __init__(self, task: Task, average: nn.Module, pace: Pace) -> None:
        self.state: dict[str, Tensor] = {}
        self.epoch, self.best_score, self.score = 0, -math.inf, -math.inf
        self.figures: dict[str, float] = {}
        self._task, self._average, self._pace = task, average, pace

    def after_epoch(self, trainer: Trainer) -> None:
        self.score, figures = self._task.evaluate(self._average)
        self._pace.evaluated()
        self.figures = {f"train/{name}": value for name, value in trainer.means().items()}
        self.figures |= {f"valid/{name}": value for name, value in figures.items()}
        if self.score > self.best_score or not self.state:
            self.best_score, self.epoch = self.score, trainer.epoch
            self.state = {k: v.detach().cpu().clone() for k, v in self._average.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        return {"state": self.state, "epoch": self.epoch, "score": self.best_score}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.state, self.epoch, self.best_score = dict(state["state"]), int(state["epoch"]), float(state["score"])


class _Reports(Callback):
    """Reports how far the training is, after each step and each epoch."""

    def __init__(
        self, progress: Progress, steps: StepProgress, clock: Clock, pace: Pace, best: _BestEpoch, quickest: _Quickest
    ) -> None:
        self._progress, self._steps = progress, steps
        self._clock, self._pace, self._best, self._quickest = clock, pace, best, quickest

    def before_epoch(self, trainer: Trainer) -> None:
        self._pace.begin()

    def after_step(self, trainer: Trainer) -> None:
        self._pace.stepped()
        epochs_left = trainer.epochs - trainer.epoch
        left = self._pace.left(epochs_left * trainer.steps - trainer.number, epochs_left)
        if left is None or self._pace.step is None:
            return
        seconds = self._clock.now
        if self._clock.limit:
            left = min(left, max(self._clock.limit - seconds, 0.0))
        self._steps(StepReport(self._fraction(trainer, seconds), self._pace.step, left))

    def after_epoch(self, trainer: Trainer) -> None:
        seconds, best, modes = self._clock.seconds, self._best, self._quickest.modes
        fraction = 1.0 if trainer.done else self._fraction(trainer, seconds)
        better, computed = best.epoch == trainer.epoch, modes[-1][1] if modes else ""
        self._progress(
            EpochReport(trainer.epoch, trainer.epochs, fraction, seconds, best.figures, better, computed=computed)
        )

    def _fraction(self, trainer: Trainer, seconds: float) -> float:
        """How much is done of the epochs, or of the time where that ends first."""
        by_time = seconds / self._clock.limit if self._clock.limit else 0.0
        return min(max(trainer.fraction, by_time), 1.0)


def _older(data: Mapping[str, Any], schedule: Schedule, steps: int) -> dict[str, Any]:
    """The state of a trainer out of that which versions before it wrote."""
    best_epoch, best_score, epochs, seconds = data["numbers"]
    return {
        "modules": {_NETWORK: data["module"]},
        "optimizers": {_TRAINING: data["optimizer"]},
        "callbacks": {
            Clock.name: {"seconds": seconds},
            _Quickest.name: {"mode": data.get("mode"), "modes": data.get("computed", [])},
            Averages.name: {_NETWORK: data["average"]},
            _BestEpoch.name: {"state": data["best"], "epoch": best_epoch, "score": best_score},
            Curves.name: {"rows": data["curves"]},
        },
        "epoch": epochs,
        "step": epochs * steps,
        "stopped": data.get("stopped", ""),
        "over": bool(schedule.patience) and epochs - best_epoch >= schedule.patience,
    }
