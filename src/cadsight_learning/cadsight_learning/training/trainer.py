"""The loop that trains every network: a schedule by epochs, the best one kept, resumed after a kill."""

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.files import write_atomically
from cadsight_core.json_text import figures_text
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cadsight_learning.registry.model_folder import CARD, CURVES_CSV, CURVES_JSON, STATE
from cadsight_learning.runtime.devices import device_of_module, on_device
from cadsight_learning.training.computing import Computing, threads_kept
from cadsight_learning.training.pace import Pace
from cadsight_learning.training.progress import EpochReport, Progress, StepProgress, StepReport, silent
from cadsight_learning.weights.checkpoint import load_checkpoint, save_checkpoint

# Steps over which weights are averaged: the short trainings here have some hundreds in all.
_EMA_STEPS = 40
_WARM_UP = 0.06
_LAST_RATE = 0.02
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, betas=(0.9, 0.99), fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
}


def shuffled(count: int, batch: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """The numbers below ``count`` in an order drawn by lot, ``batch`` at a time.

    A last one alone gets another beside it, for normalisation over a batch of one would leave nothing of it.
    """
    order = rng.permutation(count)
    for start in range(0, count, batch):
        numbers = order[start : start + batch].tolist()
        yield numbers + rng.integers(count, size=max(2 - len(numbers), 0)).tolist()


class Task(Protocol):
    """What is being trained, on what, and how it is judged.

    ``module`` lies on the device that trains it, and what ``loss`` is given is on that device too.
    """

    module: nn.Module
    steps: int  # batches an epoch

    def batches(self, rng: np.random.Generator, share: float) -> Iterator[Any]:
        """One epoch; ``share`` says how much of the training is done."""

    def loss(self, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """The loss to descend, and its parts by name."""

    def judge(self, module: nn.Module) -> tuple[float, dict[str, float]]:
        """How good ``module`` is on validation pictures (higher is better), and its figures there by name."""


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

    ``steps`` is told of each step as soon as the pace is known.

    A loss that is no number ends the training with the best epoch until then.

    Raises:
        CadsightError: when the folder holds a training of something else, the disk is full, or the loss was
            no number before a first epoch was done.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(task, schedule, folder, steps)
    run.resume()
    with threads_kept():
        while not run.done and not run.outcome.stopped:
            run.epoch(progress)
    if not run.outcome.state:
        raise CadsightError(
            f"{run.outcome.stopped} before a first epoch was done, expected a lower learning rate or more time"
        )
    return run.outcome


def forget(folder: str | Path) -> None:
    """Remove the state of a training that is over, once what came of it is kept."""
    (Path(folder) / STATE).unlink(missing_ok=True)


def curve_files(curves: Sequence[Mapping[str, float]]) -> dict[str, bytes]:
    """The curves as JSON and as a table, by their files' names."""
    table = io.StringIO()
    writer = csv.DictWriter(table, list(curves[0]), extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(curves)
    return {CURVES_JSON: (figures_text(curves, indent=1) + "\n").encode(), CURVES_CSV: table.getvalue().encode()}


class _Run:
    def __init__(self, task: Task, schedule: Schedule, folder: Path, steps: StepProgress) -> None:
        self.task, self.schedule, self.folder = task, schedule, folder
        self._steps, self._pace = steps, Pace()
        self.outcome = Outcome({}, 0, -math.inf, 0, 0.0)
        self._over = False
        self.average = AveragedModel(task.module, multi_avg_fn=get_ema_multi_avg_fn(1 - 1 / _EMA_STEPS))
        trained = [p for p in task.module.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": schedule.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = OPTIMIZERS[schedule.optimizer](groups, lr=schedule.learning_rate)
        self.device = device_of_module(task.module)
        self._computing = Computing(task.module, task.loss, task.steps * schedule.epochs)

    @property
    def done(self) -> bool:
        outcome, schedule = self.outcome, self.schedule
        waited = schedule.patience and outcome.epochs - outcome.best_epoch >= schedule.patience
        return self._over or self.passed(outcome.epochs, outcome.seconds) >= 1 or bool(waited)

    def share(self, epochs: float) -> float:
        """How much of the schedule is done."""
        return min(epochs / self.schedule.epochs, 1.0)

    def passed(self, epochs: float, seconds: float) -> float:
        """How much is done of the schedule, or of the time where that ends first."""
        by_time = seconds / self.schedule.seconds if self.schedule.seconds else 0.0
        return min(max(self.share(epochs), by_time), 1.0)

    def rate(self, share: float) -> float:
        """Learning rate after ``share`` of the schedule: up in a line, down in a cosine."""
        if share < _WARM_UP:
            return self.schedule.learning_rate * max(share / _WARM_UP, 0.02)
        cosine = 0.5 * (1 + math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP)))
        return self.schedule.learning_rate * (_LAST_RATE + (1 - _LAST_RATE) * cosine)

    def epoch(self, progress: Progress) -> None:
        """Train and judge once."""
        outcome, schedule, started = self.outcome, self.schedule, time.monotonic()
        rng = np.random.default_rng([schedule.seed, outcome.epochs])
        torch.manual_seed(schedule.seed * 100_003 + outcome.epochs)
        sums: dict[str, float] = {}
        weight, rate, cut = 0, 0.0, False
        self._pace.begin()
        for number, batch in enumerate(self.task.batches(rng, self.share(outcome.epochs))):
            if schedule.seconds and outcome.seconds + time.monotonic() - started >= schedule.seconds:
                cut = True
                break
            rate = self.rate(self.share(outcome.epochs + number / self.task.steps))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch = on_device(batch, self.device)
            if self._computing.choose(batch, self._pace.step):
                outcome.computed.append((outcome.epochs + 1, str(self._computing.mode)))
                self._pace.begin()
            with self._computing.precision():
                loss, parts = self.task.loss(self._computing.laid_out(batch))
            if not math.isfinite(loss.item()):
                outcome.stopped = f"the loss became {loss.item()} in epoch {outcome.epochs + 1}"
                return
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.task.module.parameters(), 10.0)
            self.optimizer.step()
            self.average.update_parameters(self.task.module)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value
            weight += 1
            self._pace.stepped()
            self._tell(number + 1, outcome.seconds + time.monotonic() - started)
        if not weight:  # the time was up before a first step of this epoch
            self._over = True
            outcome.stopped = self._time_was_up()
            return
        score, figures = self.task.judge(self.average.module)
        self._pace.judged()
        outcome.epochs += 1
        outcome.seconds += time.monotonic() - started
        figures = {f"train/{k}": v / weight for k, v in sums.items()} | {f"valid/{k}": v for k, v in figures.items()}
        outcome.curves.append(
            {"epoch": outcome.epochs, "seconds": outcome.seconds, "learning_rate": rate, "score": score} | figures
        )
        better = score > outcome.best_score or not outcome.state
        if better:
            outcome.best_score, outcome.best_epoch = score, outcome.epochs
            outcome.state = {k: v.detach().cpu().clone() for k, v in self.average.module.state_dict().items()}
        self._over = cut
        time_up = bool(schedule.seconds) and outcome.seconds >= schedule.seconds and outcome.epochs < schedule.epochs
        if cut or time_up:
            outcome.stopped = self._time_was_up()
        self.save()
        share = 1.0 if self.done else self.passed(outcome.epochs, outcome.seconds)
        computed = outcome.computed[-1][1] if outcome.computed else ""
        progress(
            EpochReport(outcome.epochs, schedule.epochs, share, outcome.seconds, figures, better, computed=computed)
        )

    def _time_was_up(self) -> str:
        return f"the {self.schedule.seconds:g} s were up in epoch {self.outcome.epochs or 1} of {self.schedule.epochs}"

    def _tell(self, steps_done: int, seconds: float) -> None:
        """Say how far it is, after ``steps_done`` of the epoch."""
        epochs_left = self.schedule.epochs - self.outcome.epochs
        left = self._pace.left(epochs_left * self.task.steps - steps_done, epochs_left)
        if left is None or self._pace.step is None:
            return
        if self.schedule.seconds:
            left = min(left, max(self.schedule.seconds - seconds, 0.0))
        share = self.passed(self.outcome.epochs + steps_done / self.task.steps, seconds)
        self._steps(StepReport(share, self._pace.step, left))

    def save(self) -> None:
        outcome = self.outcome
        if not (self.folder / CARD).exists():
            for name, data in curve_files(outcome.curves).items():
                write_atomically(self.folder / name, data)
        save_checkpoint(
            self.folder / STATE,
            {
                "identity": self.schedule.identity,
                "module": self.task.module.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "best": outcome.state,
                "numbers": [outcome.best_epoch, outcome.best_score, outcome.epochs, outcome.seconds],
                "curves": outcome.curves,
                "stopped": outcome.stopped,
                "mode": self._computing.state,
                "computed": outcome.computed,
            },
        )

    def resume(self) -> None:
        path = self.folder / STATE
        if not path.exists():
            return
        data = load_checkpoint(path)
        if data.get("identity") != self.schedule.identity:
            raise CadsightError(
                f"{self.folder} holds an unfinished training on other data or with other options, "
                f"expected the same ones to go on, or that {STATE} is removed to start anew"
            )
        self.task.module.load_state_dict(data["module"])
        self.average.load_state_dict(data["average"])
        self.optimizer.load_state_dict(data["optimizer"])
        best_epoch, best_score, epochs, seconds = data["numbers"]
        computed = [(int(epoch), str(mode)) for epoch, mode in data.get("computed", [])]
        stopped = str(data.get("stopped", ""))
        self.outcome = Outcome(data["best"], best_epoch, best_score, epochs, seconds, data["curves"], stopped, computed)
        # As before, so that it ends as if it had not been killed.
        self._computing.resume(data.get("mode"))
