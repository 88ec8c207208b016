"""A small GAN of two generators and two discriminators: two phases, two optimisers, killed and gone on with."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.training.callbacks import (
    Averages,
    Checkpoint,
    Clock,
    EarlyStop,
    LearningRate,
    Samples,
    warm_cosine,
)
from cadsight_learning.training.phases import Callback, Phase, Trainer
from cadsight_learning.weights.checkpoint import load_checkpoint
from torch import nn
from torch.nn import functional

STEPS, EPOCHS = 5, 6


class Killed(Callback):
    """Ends the program in the middle of an epoch."""

    def __init__(self, epoch: int, step: int) -> None:
        self.at = (epoch, step)

    def after_step(self, trainer: Trainer) -> None:
        if (trainer.epoch, trainer.number) == self.at:
            raise KeyboardInterrupt


def cycle_gan(folder, *more: Callback, generators_every: int = 1) -> "tuple[Trainer, Checkpoint]":
    torch.manual_seed(1)
    networks = {
        "to_real": nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)),
        "to_drawn": nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)),
        "is_real": nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1)),
        "is_drawn": nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1)),
    }
    to_real, to_drawn, is_real, is_drawn = networks.values()
    generators = {name: networks[name] for name in ("to_real", "to_drawn")}
    discriminators = {name: networks[name] for name in ("is_real", "is_drawn")}

    def made(batch):
        drawn, real = batch
        fooled = (
            functional.softplus(-is_real(to_real(drawn))).mean() + functional.softplus(-is_drawn(to_drawn(real))).mean()
        )
        cycle = (to_drawn(to_real(drawn)) - drawn).abs().mean() + (to_real(to_drawn(real)) - real).abs().mean()
        return fooled + 10 * cycle, {"fooled": fooled.item(), "cycle": cycle.item()}

    def critics_loss(batch):
        drawn, real = batch
        loss = sum(
            functional.softplus(-critic(true)).mean() + functional.softplus(critic(fake.detach())).mean()
            for critic, true, fake in ((is_real, real, to_real(drawn)), (is_drawn, drawn, to_drawn(real)))
        )
        return loss, {"critics": loss.item()}

    def batches(rng, fraction):
        for _ in range(STEPS):
            points = rng.normal(size=(2, 16, 2))
            yield [torch.from_numpy(points[0]).float(), torch.from_numpy(points[1] * 0.5 + 2).float()]

    def adam(modules):
        return torch.optim.Adam([p for m in modules.values() for p in m.parameters()], betas=(0.5, 0.999))

    checkpoint = Checkpoint(folder / "gan.pt", "one gan")
    trainer = Trainer(
        [
            Phase("generators", generators, adam(generators), made, every=generators_every),
            Phase("critics", discriminators, adam(discriminators), critics_loss, clip=1.0),
        ],
        batches,
        STEPS,
        EPOCHS,
        3,
        [LearningRate({"generators": 1e-2, "critics": 2e-2}), Averages(generators, 10), *more, checkpoint],
    )
    return trainer, checkpoint


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    averages = next(one for one in trainer.callbacks if isinstance(one, Averages))
    modules = trainer.modules | {f"average of {name}": module for name, module in averages.modules.items()}
    return {f"{name}.{key}": value for name, m in modules.items() for key, value in m.state_dict().items()}


def flat(state: Any, path: str = "") -> dict[str, Any]:
    """The values of a state by their places, the bytes of tensors."""
    if isinstance(state, dict):
        return {key: value for name, one in state.items() for key, value in flat(one, f"{path}/{name}").items()}
    if isinstance(state, list):
        return {key: value for number, one in enumerate(state) for key, value in flat(one, f"{path}/{number}").items()}
    return {path: state.numpy().tobytes() if isinstance(state, torch.Tensor) else state}


@pytest.mark.parametrize("generators_every", [1, 2, 3])
def test_a_gan_that_is_killed_in_the_middle_ends_with_the_same_bytes(tmp_path, generators_every):
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole, _ = cycle_gan(tmp_path / "whole", generators_every=generators_every)
    whole.run()
    killed, _ = cycle_gan(tmp_path / "killed", Killed(3, 2), generators_every=generators_every)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    again, checkpoint = cycle_gan(tmp_path / "killed", generators_every=generators_every)
    checkpoint.resume(again)
    assert (again.epoch, again.step) == (3, 3 * STEPS)
    again.run()
    assert weights(again).keys() == weights(whole).keys()
    assert all(torch.equal(value, weights(again)[name]) for name, value in weights(whole).items())
    states = [flat(load_checkpoint(tmp_path / name / "gan.pt")) for name in ("whole", "killed")]
    assert states[0] == states[1]
    assert any("exp_avg_sq" in path for path in states[0])


def test_a_phase_changes_its_own_networks_alone_and_at_its_own_steps(tmp_path):
    trainer, _ = cycle_gan(tmp_path, generators_every=2)
    batch = next(trainer._batches(np.random.default_rng(0), 0.0))

    def moved() -> set[str]:
        before = {name: [p.clone() for p in m.parameters()] for name, m in trainer.modules.items()}
        trainer.run_step(batch)
        return {
            name
            for name, module in trainer.modules.items()
            if any(not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True))
        }

    assert moved() == {"to_real", "to_drawn", "is_real", "is_drawn"}
    assert moved() == {"is_real", "is_drawn"}
    assert trainer.taken == {"fooled": 1, "cycle": 1, "critics": 2}
    # The generators' losses went through the critics, which learned nothing of them.
    assert all(p.requires_grad for p in trainer.modules["is_real"].parameters())


def test_the_state_of_another_training_is_refused(tmp_path):
    trainer, _ = cycle_gan(tmp_path)
    trainer.run()
    with pytest.raises(CadsightError, match="unfinished training on other data"):
        Checkpoint(tmp_path / "gan.pt", "another").resume(trainer)


def test_a_loss_that_is_no_number_stops_before_it_is_descended(tmp_path):
    trainer, _ = cycle_gan(tmp_path)
    trainer.run_epoch()
    with torch.no_grad():
        trainer.modules["is_drawn"][0].bias.fill_(math.nan)
    kept = {name: p.clone() for name, p in trainer.modules["to_real"].named_parameters()}
    trainer.run()
    assert (trainer.epoch, trainer.step, trainer.stopped) == (1, STEPS, "the loss became nan in epoch 2")
    assert all(torch.equal(kept[name], p) for name, p in trainer.modules["to_real"].named_parameters())


def test_rates_go_up_in_a_line_and_down_in_a_cosine():
    assert [warm_cosine(fraction) for fraction in (0.0, 0.03, 0.06, 1.0)] == pytest.approx([0.02, 0.5, 1.0, 0.02])
    assert warm_cosine(0.53) == pytest.approx(0.02 + 0.98 / 2)


def test_each_phase_has_a_rate_of_its_own(tmp_path):
    trainer, _ = cycle_gan(tmp_path)
    trainer.run()
    generators, critics = (phase.optimizer.param_groups[0]["lr"] for phase in trainer.phases)
    assert critics == pytest.approx(2 * generators)
    assert generators == pytest.approx(1e-2 * warm_cosine(1 - 1 / (STEPS * EPOCHS)))


def test_samples_are_written_every_so_many_epochs_and_at_the_end(tmp_path):
    seen: list[int] = []
    trainer, _ = cycle_gan(tmp_path, Samples(seen.append, every=4))
    trainer.run()
    assert seen == [4, 6]


def test_a_training_ends_when_nothing_gets_better_and_stays_ended_when_it_is_loaded(tmp_path):
    trainer, checkpoint = cycle_gan(tmp_path, EarlyStop(2, lambda: 1))
    trainer.run()
    assert (trainer.epoch, trainer.over) == (3, True)
    again, checkpoint = cycle_gan(tmp_path)
    checkpoint.resume(again)
    assert again.done


def test_the_time_of_all_runs_counts(tmp_path):
    trainer, _ = cycle_gan(tmp_path, Clock())
    trainer.run_epoch()
    once = next(one for one in trainer.callbacks if isinstance(one, Clock)).seconds
    clock = Clock()
    again, checkpoint = cycle_gan(tmp_path, clock)
    checkpoint.resume(again)
    assert clock.seconds == once > 0
    again.run_epoch()
    assert clock.seconds > once


def test_the_callbacks_step_averages_are_those_of_their_weights(tmp_path):
    module = nn.Linear(1, 1, bias=False)
    averages = Averages({"line": module}, 4)
    trainer, _ = cycle_gan(tmp_path)
    seen = []
    for value in (8.0, 4.0, 0.0):
        with torch.no_grad():
            module.weight.fill_(value)
        averages.after_step(trainer)
        seen.append(averages.modules["line"].weight.item())
    # The first is taken as it is; of each later one a quarter.
    assert seen == pytest.approx([8.0, 7.0, 5.25])
