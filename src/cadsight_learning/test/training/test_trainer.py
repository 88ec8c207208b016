import csv
import json
import math

import numpy as np
import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.registry.model_folder import STATE, files_of_model
from cadsight_learning.training.trainer import Schedule, forget, train
from cadsight_learning.weights.checkpoint import load_checkpoint, save_checkpoint
from torch import nn


class Line:
    """Learns y = 2x - 1 from eight numbers; evaluated on the squared error."""

    steps = 2

    def __init__(self, bad_epoch: int = 0, dies_in: int = 0) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(1, 1)
        self.epoch = 0
        self.bad_epoch, self.dies_in = bad_epoch, dies_in

    def batches(self, rng: np.random.Generator, fraction: float):
        self.epoch += 1
        for _ in range(self.steps):
            yield torch.from_numpy(rng.uniform(-1, 1, (8, 1))).float()

    def loss(self, x):
        value = ((self.module(x) - (2 * x - 1)) ** 2).mean()
        if self.epoch == self.dies_in:
            raise KeyboardInterrupt
        if self.epoch == self.bad_epoch:
            value = value * math.nan
        return value, {"loss": value.item()}

    def evaluate(self, module):
        x = torch.linspace(-1, 1, 5)[:, None]
        with torch.no_grad():
            error = float(((module(x) - (2 * x - 1)) ** 2).mean())
        return -error, {"error": error}


def schedule(epochs: int = 30, **changes) -> Schedule:
    given = {"seconds": 0.0, "learning_rate": 0.2, "weight_decay": 0.0, "patience": 0, "seed": 3, "identity": "a"}
    return Schedule(epochs=epochs, **{**given, **changes})


def quiet(_):
    """Nobody looks."""


def test_a_line_is_learned_and_its_best_epoch_kept(tmp_path):
    task = Line()
    outcome = train(task, schedule(100), tmp_path, quiet)
    errors = [c["valid/error"] for c in outcome.curves]
    assert outcome.best_epoch == int(np.argmin(errors)) + 1
    assert min(errors) < 0.01 < errors[0]
    task.module.load_state_dict(outcome.state)
    assert -task.evaluate(task.module)[0] == pytest.approx(min(errors))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_optimizer_learns_the_line_and_goes_on_after_a_kill(tmp_path, optimizer):
    how = schedule(60, optimizer=optimizer)
    whole = train(Line(), how, tmp_path / "whole", quiet)
    assert -whole.best_score < 0.02
    with pytest.raises(KeyboardInterrupt):
        train(Line(dies_in=30), how, tmp_path / "killed", quiet)
    resumed = train(Line(), how, tmp_path / "killed", quiet)
    assert all(torch.equal(value, resumed.state[name]) for name, value in whole.state.items())


def test_curves_are_saved_epoch_by_epoch_and_the_state_stays_until_it_is_forgotten(tmp_path):
    train(Line(), schedule(4), tmp_path, quiet)
    curves = json.loads((tmp_path / "curves.json").read_text())
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert [c["epoch"] for c in curves] == [1, 2, 3, 4]
    assert [float(r["train/loss"]) for r in rows] == pytest.approx([c["train/loss"] for c in curves])
    assert (tmp_path / STATE).exists()
    forget(tmp_path)
    assert not (tmp_path / STATE).exists()


def test_a_training_that_was_killed_ends_as_if_it_had_not_been(tmp_path):
    whole = train(Line(), schedule(10), tmp_path / "whole", quiet)
    with pytest.raises(KeyboardInterrupt):
        train(Line(dies_in=5), schedule(10), tmp_path / "killed", quiet)
    seen = []
    resumed = train(Line(), schedule(10), tmp_path / "killed", lambda report: seen.append(report.epoch))
    assert seen == [5, 6, 7, 8, 9, 10]
    for name, value in whole.state.items():
        assert torch.equal(value, resumed.state[name]), name
    assert [c["train/loss"] for c in whole.curves] == pytest.approx([c["train/loss"] for c in resumed.curves])


def test_an_unfinished_training_of_something_else_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(Line(dies_in=3), schedule(10), tmp_path, quiet)
    with pytest.raises(CadsightError, match="unfinished training on other data"):
        train(Line(), schedule(10, identity="b"), tmp_path, quiet)


def test_a_loss_that_is_no_number_ends_training_with_the_last_good_epoch(tmp_path):
    outcome = train(Line(bad_epoch=4), schedule(10), tmp_path, quiet)
    assert (outcome.epochs, outcome.stopped) == (3, "the loss became nan in epoch 4")
    assert all(torch.isfinite(v).all() for v in outcome.state.values())


def test_a_loss_that_is_no_number_from_the_start_is_an_error(tmp_path):
    with pytest.raises(CadsightError, match="the loss became nan in epoch 1 before a first epoch"):
        train(Line(bad_epoch=1), schedule(10), tmp_path, quiet)


def test_training_ends_when_its_time_is_up(tmp_path):
    reports = []
    outcome = train(Line(), schedule(1_000_000, seconds=0.3), tmp_path, reports.append)
    assert 1 <= outcome.epochs < 100_000
    assert 0.25 < outcome.seconds < 2
    assert reports[-1].fraction > 0.9
    assert outcome.stopped == f"the 0.3 s were up in epoch {outcome.epochs} of 1000000"


def test_the_learning_rate_knows_nothing_of_time(tmp_path):
    limited = train(Line(), schedule(20, seconds=60.0), tmp_path / "limited", quiet)
    free = train(Line(), schedule(20), tmp_path / "free", quiet)
    assert all(torch.equal(value, limited.state[name]) for name, value in free.state.items())
    assert [c["learning_rate"] for c in limited.curves] == [c["learning_rate"] for c in free.curves]


def test_each_step_is_reported_with_the_time_left(tmp_path):
    reports = []
    train(Line(), schedule(30), tmp_path, quiet, reports.append)
    assert len(reports) == 60 - 3
    assert [report.fraction for report in reports] == sorted(report.fraction for report in reports)
    assert reports[-1].fraction == 1.0
    assert all(report.step_seconds > 0 for report in reports)
    assert reports[0].left > reports[-1].left


def test_training_ends_when_nothing_gets_better(tmp_path):
    task = Line()
    task.evaluate = lambda module: (float(-abs(task.epoch - 3)), {"error": 0.0})
    outcome = train(task, schedule(500, patience=5), tmp_path, quiet)
    assert (outcome.best_epoch, outcome.epochs) == (3, 8)


def as_before(state):
    """The state as versions wrote it that knew one network and one loss."""
    done, best = state["callbacks"], state["callbacks"]["best"]
    return {
        "identity": state["identity"],
        "module": state["modules"]["network"],
        "average": done["averages"]["network"],
        "optimizer": state["optimizers"]["training"],
        "best": best["state"],
        "numbers": [best["epoch"], best["score"], state["epoch"], done["clock"]["seconds"]],
        "curves": done["curves"]["rows"],
        "stopped": state["stopped"],
        "mode": done["computing"]["mode"],
        "computed": done["computing"]["modes"],
    }


@pytest.mark.parametrize("lacking", [(), ("mode", "computed", "stopped")])
def test_the_state_of_an_earlier_version_is_gone_on_with(tmp_path, lacking):
    whole = train(Line(), schedule(10), tmp_path / "whole", quiet)
    with pytest.raises(KeyboardInterrupt):
        train(Line(dies_in=5), schedule(10), tmp_path / "killed", quiet)
    path = tmp_path / "killed" / STATE
    older = as_before(load_checkpoint(path))
    save_checkpoint(path, {key: value for key, value in older.items() if key not in lacking})
    assert STATE in files_of_model(tmp_path / "killed")
    seen = []
    resumed = train(Line(), schedule(10), tmp_path / "killed", lambda report: seen.append(report.epoch))
    assert seen == [5, 6, 7, 8, 9, 10]
    assert all(torch.equal(value, resumed.state[name]) for name, value in whole.state.items())
    assert [c["epoch"] for c in resumed.curves] == list(range(1, 11))


def test_a_training_of_an_earlier_version_that_had_ended_stays_so(tmp_path):
    task = Line()
    task.evaluate = lambda module: (float(-abs(task.epoch - 3)), {"error": 0.0})
    train(task, schedule(500, patience=5), tmp_path, quiet)
    save_checkpoint(tmp_path / STATE, as_before(load_checkpoint(tmp_path / STATE)))
    seen = []
    outcome = train(Line(), schedule(500, patience=5), tmp_path, seen.append)
    assert (outcome.best_epoch, outcome.epochs, seen) == (3, 8, [])
