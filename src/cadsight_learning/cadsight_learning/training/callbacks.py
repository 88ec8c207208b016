"""What is done around the steps of a training: its rate, averages of its weights, its end, its state on the disk."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cadsight_learning.training.phases import Callback, Trainer
from cadsight_learning.weights.checkpoint import load_checkpoint, save_checkpoint

_WARM_UP = 0.06
_LAST_RATE = 0.02


def warm_cosine(fraction: float) -> float:
    """The part of the highest rate after ``fraction`` of a training: up in a line, down in a cosine."""
    if fraction < _WARM_UP:
        return max(fraction / _WARM_UP, 0.02)
    cosine = 0.5 * (1 + math.cos(math.pi * (fraction - _WARM_UP) / (1 - _WARM_UP)))
    return _LAST_RATE + (1 - _LAST_RATE) * cosine


class LearningRate(Callback):
    """Sets the rate of each phase before a step: its highest one, by the phase's name, times ``factor``."""

    def __init__(self, highest: Mapping[str, float], factor: Callable[[float], float] = warm_cosine) -> None:
        self._highest, self._factor = highest, factor

    def before_step(self, trainer: Trainer, batch: Any) -> None:
        for phase in trainer.phases:
            rate = self._highest[phase.name] * self._factor(trainer.fraction)
            for group in phase.optimizer.param_groups:
                group["lr"] = rate


class Averages(Callback):
    """Keeps an average of the weights of ``modules`` over about the last ``steps`` steps.

    Attributes:
        modules: the averages, by the names of the modules.
    """

    name = "averages"

    def __init__(self, modules: Mapping[str, nn.Module], steps: int) -> None:
        self._of = modules
        self._models = {
            name: AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(1 - 1 / steps))
            for name, module in modules.items()
        }
        self.modules: dict[str, nn.Module] = {name: model.module for name, model in self._models.items()}

    def after_step(self, trainer: Trainer) -> None:
        for name, model in self._models.items():
            model.update_parameters(self._of[name])

    def state_dict(self) -> dict[str, Any]:
        return {name: model.state_dict() for name, model in self._models.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, model in self._models.items():
            model.load_state_dict(state[name])


class Clock(Callback):
    """Counts the seconds of a training, over all its runs, and ends it when they are up.

    Attributes:
        seconds: of the epochs that are done, and of what callbacks before it do after them.
    """

    name = "clock"

    def __init__(self, limit: float = 0.0) -> None:
        """``limit`` in seconds, 0 for none."""
        self.limit, self.seconds = limit, 0.0
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds until now."""
        return self.seconds + time.monotonic() - self._began

    def before_epoch(self, trainer: Trainer) -> None:
        self._began = time.monotonic()

    def before_step(self, trainer: Trainer, batch: Any) -> None:
        if self.limit and self.now >= self.limit:
            trainer.cut = True
            trainer.stopped = self._sentence(trainer, trainer.epoch + (trainer.number > 0))

    def after_epoch(self, trainer: Trainer) -> None:
        self.seconds, self._began = self.now, time.monotonic()
        if self.limit and self.seconds >= self.limit and trainer.epoch < trainer.epochs:
            trainer.stopped = self._sentence(trainer, trainer.epoch)

    def _sentence(self, trainer: Trainer, epoch: int) -> str:
        return f"the {self.limit:g} s were up in epoch {epoch or 1} of {trainer.epochs}"

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.seconds = float(state["seconds"])


class EarlyStop(Callback):
    """Ends a training whose best epoch is ``patience`` epochs ago; 0 for never."""

    def __init__(self, patience: int, best_epoch: Callable[[], int]) -> None:
        self._patience, self._best_epoch = patience, best_epoch

    def after_epoch(self, trainer: Trainer) -> None:
        trainer.over = bool(self._patience) and trainer.epoch - self._best_epoch() >= self._patience


class Checkpoint(Callback):
    """Writes the trainer's state after each epoch; callbacks that have a state of their own come before it."""

    def __init__(self, path: Path, identity: str) -> None:
        """``identity`` is what must be the same for a training to be gone on with."""
        self._path, self._identity = path, identity

    def after_epoch(self, trainer: Trainer) -> None:
        save_checkpoint(self._path, {"identity": self._identity, **trainer.state_dict()})

    def resume(self, trainer: Trainer, older: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        """Load the state that is there, if there is one; ``older`` makes one of today out of an earlier version's.

        Raises:
            CadsightError: when it is that of another training, or cannot be read.
        """
        if not self._path.exists():
            return
        data = load_checkpoint(self._path)
        if data.get("identity") != self._identity:
            raise CadsightError(
                f"{self._path.parent} holds an unfinished training on other data or with other options, "
                f"expected the same ones to go on, or that {self._path.name} is removed to start anew"
            )
        trainer.load_state_dict(older(data) if older is not None and "modules" not in data else data)


class Samples(Callback):
    """Lets ``write`` show what the networks make, after every ``every`` epochs and after the last one."""

    def __init__(self, write: Callable[[int], None], every: int = 1) -> None:
        """``write`` is given the number of the epoch, counted from 1."""
        self._write, self._every = write, every

    def after_epoch(self, trainer: Trainer) -> None:
        if trainer.epoch % self._every == 0 or trainer.epoch == trainer.epochs or trainer.stopped:
            self._write(trainer.epoch)
