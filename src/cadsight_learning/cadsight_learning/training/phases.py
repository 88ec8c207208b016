"""Steps of several networks in turn, in epochs, with whatever else is done around them: what every training is made of.

One loss of one network is a training of one phase; a GAN has one for its generators and one for its discriminators.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cadsight_learning.runtime.devices import device_of_module, on_device

Loss = Callable[[Any], tuple[Tensor, Mapping[str, float]]]
Batches = Callable[[np.random.Generator, float], Iterator[Any]]


@dataclass(frozen=True)
class Phase:
    """What one optimiser does at a step.

    Attributes:
        modules: what it trains, by names that are the same for the same module in all phases; what its loss asks
            besides gets no gradient.
        loss: from a batch on the modules' device to the loss to descend and its parts by name.
        every: it is taken at one of so many steps.
        clip: the norm that its gradients are cut to.
    """

    name: str
    modules: Mapping[str, nn.Module]
    optimizer: torch.optim.Optimizer
    loss: Loss
    every: int = 1
    clip: float = math.inf

    def parameters(self) -> list[nn.Parameter]:
        """The weights that its optimiser changes."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]


class Callback:
    """What is done around steps and epochs, in the order in which a trainer has them; it does nothing by itself.

    Attributes:
        name: its state's in a checkpoint; '' for what has none.
    """

    name = ""

    def before_epoch(self, trainer: "Trainer") -> None: ...

    def before_step(self, trainer: "Trainer", batch: Any) -> None: ...

    def after_step(self, trainer: "Trainer") -> None: ...

    def after_epoch(self, trainer: "Trainer") -> None:
        """``trainer.epoch`` counts the epoch already."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Trainer:
    """Takes the phases' steps, epoch by epoch.

    Each epoch has random numbers of its own, of ``seed`` and its number. So a trainer whose state was loaded goes on,
    after the last whole epoch, to the same bytes as if it had not been interrupted.

    Attributes:
        epoch: whole epochs that are done.
        number: steps of this epoch that are done.
        step: steps that are done in all.
        sums: of this epoch, each phase's parts of the loss, added up.
        taken: of this epoch, how many steps each part was added up over.
        stopped: why it was broken off, or ''.
        over: whether it ends before its epochs are done, since nothing more would come of it.
        cut: whether this epoch ends before its batches do.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        batches: Batches,
        steps: int,
        epochs: int,
        seed: int,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        """``batches`` gives one epoch, from its random numbers and the fraction of the training that is done; ``steps``
        are the batches of an epoch."""
        self.phases, self.callbacks = tuple(phases), tuple(callbacks)
        self.steps, self.epochs, self.seed = steps, epochs, seed
        self.modules = {name: module for phase in phases for name, module in phase.modules.items()}
        self.epoch = self.number = self.step = 0
        self.sums: dict[str, float] = {}
        self.taken: dict[str, int] = {}
        self.stopped, self.over, self.cut = "", False, False
        self._batches = batches
        self._device = device_of_module(next(iter(self.modules.values())))

    @property
    def fraction(self) -> float:
        """How much of the epochs is done, 0 to 1, this one's steps included."""
        return min((self.epoch + self.number / self.steps) / self.epochs, 1.0)

    @property
    def done(self) -> bool:
        """Whether no epoch is to come."""
        return self.epoch >= self.epochs or self.over or bool(self.stopped)

    def run(self) -> None:
        """Train until the epochs are done, or a callback or a loss that is no number stops it."""
        while not self.done:
            self.run_epoch()

    def run_epoch(self) -> None:
        """One epoch. It does not count where it was stopped before its first step, or its loss became no number."""
        rng = np.random.default_rng([self.seed, self.epoch])
        torch.manual_seed(self.seed * 100_003 + self.epoch)
        self.number, self.sums, self.taken, self.cut = 0, {}, {}, False
        began = self.step
        for callback in self.callbacks:
            callback.before_epoch(self)
        for batch in self._batches(rng, self.fraction):
            batch = on_device(batch, self._device)
            if not self._may_step(batch):
                break
            self.run_step(batch)
            if self.stopped:
                self.step, self.number = began, 0
                return
            for callback in self.callbacks:
                callback.after_step(self)
        if not self.number:
            return
        self.epoch, self.number = self.epoch + 1, 0
        for callback in self.callbacks:
            callback.after_epoch(self)

    def _may_step(self, batch: Any) -> bool:
        for callback in self.callbacks:
            callback.before_step(self, batch)
            if self.cut:
                return False
        return True

    def run_step(self, batch: Any) -> None:
        """The phases' steps on ``batch``, one after the other."""
        for phase in self.phases:
            if self.step % phase.every == 0 and not self.stopped:
                self._descend(phase, batch)
        self.number, self.step = self.number + 1, self.step + 1

    def _descend(self, phase: Phase, batch: Any) -> None:
        self._give_gradients_to(phase)
        loss, parts = phase.loss(batch)
        if not math.isfinite(loss.item()):
            self.stopped = f"the loss became {loss.item()} in epoch {self.epoch + 1}"
            return
        phase.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if phase.clip < math.inf:
            weights = [p for module in phase.modules.values() for p in module.parameters()]
            nn.utils.clip_grad_norm_(weights, phase.clip)
        phase.optimizer.step()
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.taken[name] = self.taken.get(name, 0) + 1

    def _give_gradients_to(self, phase: Phase) -> None:
        if len(self.phases) == 1:
            return
        own = {id(p) for p in phase.parameters()}
        for other in self.phases:
            for weight in other.parameters():
                weight.requires_grad_(id(weight) in own)

    def means(self) -> dict[str, float]:
        """The parts of the losses, their means over this epoch's steps."""
        return {name: value / self.taken[name] for name, value in self.sums.items()}

    def state_dict(self) -> dict[str, Any]:
        """All that :meth:`load_state_dict` goes on from."""
        return {
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimizers": {phase.name: phase.optimizer.state_dict() for phase in self.phases},
            "callbacks": {one.name: one.state_dict() for one in self.callbacks if one.name},
            "epoch": self.epoch,
            "step": self.step,
            "stopped": self.stopped,
            "over": self.over,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as the trainer of ``state`` would have; it has the same phases and callbacks."""
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for phase in self.phases:
            phase.optimizer.load_state_dict(state["optimizers"][phase.name])
        for callback in self.callbacks:
            if callback.name:
                callback.load_state_dict(state["callbacks"][callback.name])
        self.epoch, self.step = int(state["epoch"]), int(state["step"])
        self.stopped, self.over = str(state["stopped"]), bool(state["over"])
