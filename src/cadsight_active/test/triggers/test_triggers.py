"""When each trigger speaks, and when it is silent."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from cadsight_active.triggers.amount import AmountOptions, AmountTrigger
from cadsight_active.triggers.elapsed import ElapsedOptions, ElapsedTrigger
from cadsight_active.triggers.falling_score import FallingScoreOptions, FallingScoreTrigger
from cadsight_active.triggers.registry import TRIGGERS
from cadsight_active.triggers.shift import ShiftOptions, ShiftTrigger, lag_of
from cadsight_active.triggers.trigger import Observed
from cadsight_core.errors import ParameterError


def seen(number, **what):
    return Observed(f"i{number}", float(number), **what)


def alarms(trigger, images):
    return [(n, alarm) for n, image in enumerate(images) if (alarm := trigger.observe(image)) is not None]


def test_every_trigger_of_the_table_is_made_of_its_own_options():
    for kind in (TRIGGERS[name] for name in ("amount", "elapsed", "shift", "falling_score")):
        assert kind.new(kind.options()).observe(seen(0)) is None


def test_so_many_new_images_alarm_once_until_a_reset():
    trigger = AmountTrigger(AmountOptions(new_images=3))
    images = [seen(n, is_new=n % 2 == 0) for n in range(10)]
    ((number, alarm),) = alarms(trigger, images)
    assert (number, alarm.statistic, alarm.threshold, alarm.images) == (4, 3, 3, ("i4",))
    trigger.reset()
    assert [n for n, _ in alarms(trigger, images)] == [4]


def test_so_much_time_alarms_once_until_a_reset():
    trigger = ElapsedTrigger(ElapsedOptions(hours=1.0))
    images = [seen(n * 600) for n in range(12)]
    ((number, alarm),) = alarms(trigger, images)
    assert (number, alarm.statistic) == (6, 1.0)
    trigger.reset()
    assert trigger.observe(seen(12 * 600)) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_shift_of_the_features_alarms_soon_and_names_the_strangest_images(seed):
    rng = np.random.default_rng(seed)
    trigger = ShiftTrigger(ShiftOptions(calibration=200, lag=1))
    usual = [seen(n, features=rng.normal(size=16)) for n in range(500)]
    assert alarms(trigger, usual) == []
    strange = [seen(1000 + n, features=rng.normal(size=16) + 3) for n in range(50)]
    ((number, alarm),) = alarms(trigger, strange)
    assert number < 20
    assert alarm.statistic >= alarm.threshold == 1000
    assert all(int(name[1:]) >= 1000 for name in alarm.images)
    assert json.loads(json.dumps(asdict(alarm)))["trigger"] == "shift"
    trigger.reset()
    assert trigger.wealth == 1


def test_without_a_shift_the_chance_of_ever_alarming_is_bounded():
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(100):
        trigger = ShiftTrigger(ShiftOptions(calibration=40, lag=1, level=20.0, neighbours=3))
        found += bool(alarms(trigger, [seen(n, features=f) for n, f in enumerate(rng.normal(size=(240, 4)))]))
    assert found / 100 <= 1 / 20 + 3 * np.sqrt(0.05 * 0.95 / 100)


def test_of_neighbours_in_a_stream_one_is_taken():
    rng = np.random.default_rng(0)
    slow = np.repeat(rng.normal(size=(60, 8)), 10, axis=0)
    assert lag_of(slow[:, 0]) == pytest.approx(10, abs=3)
    trigger = ShiftTrigger(ShiftOptions(calibration=40, lag=10, level=20.0))
    assert alarms(trigger, [seen(n, features=f) for n, f in enumerate(slow)]) == []


def test_the_lag_of_a_stream_that_never_changes_is_the_shortest():
    assert lag_of(np.ones(10)) == 1


def test_images_without_features_or_scores_say_nothing():
    assert alarms(ShiftTrigger(), [seen(n) for n in range(10)]) == []
    assert alarms(FallingScoreTrigger(), [seen(n) for n in range(10)]) == []


def test_a_falling_score_alarms_and_a_steady_one_does_not():
    rng = np.random.default_rng(0)
    steady = [seen(n, score=float(s)) for n, s in enumerate(rng.beta(18, 2, 400))]
    trigger = FallingScoreTrigger()
    assert alarms(trigger, steady) == []
    fallen = [seen(400 + n, score=float(s)) for n, s in enumerate(rng.beta(8, 8, 400))]
    ((number, alarm),) = alarms(trigger, fallen)
    assert number < 400
    assert alarm.statistic < alarm.threshold
    assert len(alarm.images) == 5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AmountOptions(0), "new_images"),
        (lambda: ElapsedOptions(-1.0), "hours"),
        (lambda: ShiftOptions(level=1.0), "level"),
        (lambda: ShiftOptions(calibration=10), "calibration"),
        (lambda: FallingScoreOptions(alpha=0.0), "alpha"),
    ],
)
def test_options_out_of_range_are_refused(make, words):
    with pytest.raises(ParameterError, match=words):
        make()
