"""How steps are computed: what is chosen, and that trying leaves no trace."""

import numpy as np
import pytest
import torch
from cadsight_learning.registry.model_folder import STATE
from cadsight_learning.training.computing import Computing, Mode, quickest, step_seconds
from cadsight_learning.training.trainer import Schedule, train
from torch import nn

USUAL = Mode(2, True, True)


@pytest.fixture(autouse=True)
def threads():
    """Torch's threads are those of the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_what_is_quicker_by_far_is_taken_one_thing_after_the_other():
    seconds = {USUAL: 1.0, Mode(1, True, True): 0.5, Mode(1, False, True): 0.6, Mode(1, True, False): 0.3}
    assert quickest(seconds.__getitem__, USUAL, 2) == Mode(1, True, False)


def test_what_is_hardly_quicker_is_not_taken():
    assert quickest(lambda mode: 1.0 if mode == USUAL else 0.9, USUAL, 2) == USUAL


def test_float32_is_never_left_for_bfloat16():
    tried = []
    quickest(lambda mode: tried.append(mode) or 1.0, Mode(2, False, True), 2)
    assert not any(mode.bfloat16 for mode in tried)


def test_later_the_threads_alone_are_tried():
    tried = []
    quickest(lambda mode: tried.append(mode) or 1.0, Mode(1, True, False), 2, threads_only=True)
    assert tried == [Mode(1, True, False), Mode(2, True, False)]


def convolutions() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.Dropout(0.1), nn.Conv2d(32, 32, 3), nn.Flatten(), nn.LazyLinear(1)
    )


class Images:
    """Learns the mean of random images by convolutions whose step is long enough to be tried."""

    steps = 2

    def __init__(self, dies_in: int = 0) -> None:
        self.module, self.epoch, self.dies_in = convolutions(), 0, dies_in
        self.module(torch.zeros(2, 3, 48, 48))

    def batches(self, rng: np.random.Generator, fraction: float):
        self.module.train()
        self.epoch += 1
        if self.epoch == self.dies_in:
            raise KeyboardInterrupt
        for _ in range(self.steps):
            yield torch.from_numpy(rng.uniform(-1, 1, (32, 3, 48, 48))).float()

    def loss(self, x):
        value = ((self.module(x)[:, 0] - x.mean(dim=(1, 2, 3))) ** 2).mean()
        return value, {"loss": value.item()}

    def evaluate(self, module):
        return -1.0, {"error": 1.0}


def test_trying_a_step_leaves_weights_statistics_and_random_state_as_they_were():
    task = Images()
    task.module.train()
    before = {name: value.clone() for name, value in task.module.state_dict().items()}
    images = torch.rand(4, 3, 48, 48)
    rng_state = torch.get_rng_state()
    for mode in (Mode(1, False, False), Mode(1, False, True)):
        assert step_seconds(task.module, task.loss, images, mode) > 0
    assert all(torch.equal(before[name], value) for name, value in task.module.state_dict().items())
    assert torch.equal(rng_state, torch.get_rng_state())
    assert all(weight.grad is None for weight in task.module.parameters())


def test_a_training_reports_how_it_computes_and_goes_on_so_after_a_kill(tmp_path):
    # More epochs than are done: it is patient for two.
    how = Schedule(200, 0.0, 1e-3, 0.0, 2, 3, "a")
    with pytest.raises(KeyboardInterrupt):
        train(Images(dies_in=2), how, tmp_path, lambda _: None)
    kept = torch.load(tmp_path / STATE, weights_only=True)
    seen = []
    outcome = train(Images(), how, tmp_path, seen.append)
    assert outcome.computed[0] == (1, str(Mode(*kept["callbacks"]["computing"]["mode"])))
    assert seen[0].computed == outcome.computed[0][1]


def test_the_threads_are_as_before_when_a_training_has_ended(tmp_path):
    before = torch.get_num_threads()
    train(Images(), Schedule(200, 0.0, 1e-3, 0.0, 1, 3, "a"), tmp_path, lambda _: None)
    assert torch.get_num_threads() == before


def test_the_threads_are_tried_again_when_steps_take_three_times_as_long_and_not_before():
    task, tried = Images(), []

    def loss(x):
        tried.append(torch.get_num_threads())
        return task.loss(x)

    computing, images = Computing(task.module, loss, 1000), torch.rand(32, 3, 48, 48)
    assert computing.choose(images, None)
    first, mode = len(tried), computing.mode
    for step_s in (None, 1.0, 2.9, 1.5):
        assert not computing.choose(images, step_s)
    assert len(tried) == first
    computing.choose(images, 3.1)
    assert len(tried) > first
    assert (computing.mode.bfloat16, computing.mode.channels_last) == (mode.bfloat16, mode.channels_last)


def test_a_training_of_few_steps_tries_nothing():
    task = Images()
    computing = Computing(task.module, task.loss, 299)
    assert not computing.choose(torch.rand(32, 3, 48, 48), None)
    assert computing.mode is None
