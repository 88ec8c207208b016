"""Cycles with a real pool, real processes that choose, train and compare, and a process that ends between any steps."""

import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cadsight_active.gate_options import GateOptions
from cadsight_active.loop.cycle import Cycles, SilentServerError
from cadsight_active.loop.history import (
    BatchChosen,
    Ended,
    Gated,
    Labelled,
    Learned,
    Noticed,
    Swapped,
    Triggered,
)
from cadsight_active.loop.labellers import People, Truth
from cadsight_active.loop.options import LoopOptions
from cadsight_active.loop.pool_images import PoolImages, name_of
from cadsight_active.loop.steps.child import StoppedError, Work
from cadsight_active.loop.steps.choosing import chosen_again
from cadsight_active.loop.steps.recalling import look_again
from cadsight_active.pool.pool import opened_pool
from cadsight_active.triggers.trigger import Alarm
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import read_image
from cadsight_core.served import ServedNames
from cadsight_learning.detection.factory import new_detector
from cadsight_learning.detection.families import detector_options
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.store import save_model, version
from seen_images import seen

ALARM = Alarm("amount", "enough", 1.0, 1.0)
CLASSES = ("block", "rod")
OPTIONS = LoopOptions(
    k=4, audit_fraction=0.5, updates=4, batch=4, freeze=5, gate=GateOptions(least_images=2, least_labels=1)
)


class Server:
    """Serves by name, and is silent when it is told to be."""

    def __init__(self, detector="detector"):
        self.generation, self.detector, self.silent, self.asked = 1, detector, False, []

    def served(self):
        if self.silent:
            raise SilentServerError("nobody answers")
        return ServedNames(self.generation, self.detector, "d" * 64, "normals", "e" * 64)

    def serve(self, detector):
        self.asked.append(detector)
        self.generation, self.detector = self.generation + 1, detector
        return self.served()


@pytest.fixture
def models(tmp_path) -> Path:
    options = detector_options({"family": "yolo11", "weights": "scratch", "image_size": 64}, "test")
    network, origin = new_detector(CLASSES, options)
    card = ModelCard("detector", network.architecture, CLASSES, 64, origin)
    save_model(tmp_path / "models" / "detector", card, network.module.state_dict())
    return tmp_path / "models"


@pytest.fixture
def pool(tmp_path, block_samples):
    with opened_pool(tmp_path / "loop" / "pool") as pool:
        for number, sample in enumerate(block_samples[:8]):
            assert pool.offer(read_image(sample.image), seen(number)).number
        yield pool


@pytest.fixture
def truth(tmp_path, block_samples) -> Path:
    """What a simulated cell knows of the images of the pool."""
    dataset = Dataset.create(tmp_path / "truth", CLASSES)
    for sample in block_samples[:8]:
        dataset.append_file(sample)
    return dataset.folder


class Rig:
    """The parts of a loop, and a new :class:`Cycles` of them as after a kill."""

    def __init__(self, tmp_path, models, pool, labeller, gather=0):
        self.folder, self.models, self.pool = tmp_path / "loop", models, pool
        self.images, self.labeller, self.gather = PoolImages(pool.store), labeller, gather
        self.server = Server()
        self.told: list[str] = []
        self.work = Work(self.folder / ".work", OPTIONS, self.told.append)

    def cycles(self) -> Cycles:
        return Cycles(self.folder, self.models, [], self.images, self.labeller, self.work, self.server, self.gather, 5)

    def states(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in self.pool.store.records():
            found.setdefault(record.state, []).append(name_of(record.number))
        return found


def test_a_cycle_whose_process_ends_between_any_steps_goes_on_where_it_was(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    assert rig.cycles().step() is None
    rig.cycles().notice(ALARM)
    events = []
    while rig.cycles().runs:
        events.append(rig.cycles().step())
    batch, labelled, learned, gated = events[:4]
    assert [type(event) for event in events[:4]] == [BatchChosen, Labelled, Learned, Gated]
    assert (len(batch.learn), len(batch.audit)) == (2, 2)
    assert not set(batch.learn) & set(batch.audit)
    again = chosen_again(rig.folder / batch.batch)
    assert (again.learn, again.audit) == (batch.learn, batch.audit)
    assert (labelled.images, labelled.left_out) == (4, ())
    assert {name for name, _ in labelled.audit_scores} == set(batch.audit)
    assert sorted(Dataset.open(rig.folder / labelled.learn).names) == sorted(batch.learn)
    states = rig.states()
    assert (states["labelled"], states["audit"]) == (sorted(batch.learn), sorted(batch.audit))
    assert len(states["new"]) == 4
    assert (learned.model, learned.images) == ("loop-001", 2)
    assert learned.sha256 == version(models / "loop-001")
    assert (gated.served, gated.new, gated.images) == ("detector", "loop-001", 2)
    # Four steps of a network that knew nothing: the gate answers, whatever it is.
    assert rig.server.asked == (["loop-001"] if gated.answer == "accept" else [])


def test_what_a_gate_accepted_is_served_once_though_the_process_ends_before_it_is_written_down(
    tmp_path, models, pool, truth
):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    cycles = rig.cycles()
    cycles.notice(ALARM)
    cycles.history.add(Gated("detector", "loop-001", "accept", "better", 100, 0.1, 0.05))
    rig.server.serve("loop-001")  # and killed
    swapped = rig.cycles().step()
    assert swapped == Swapped(rig.server.served(), "gate")
    assert rig.server.asked == ["loop-001"]
    assert not rig.cycles().runs


def test_the_pool_knows_its_newest_images_by_the_features_of_a_model_before_that_is_served(
    tmp_path, models, pool, truth
):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    shutil.copytree(models / "detector", models / "loop-001")
    cycles = rig.cycles()
    cycles.notice(ALARM)
    cycles.history.add(Gated("detector", "loop-001", "accept", "better", 100, 0.1, 0.05))
    serve, known = rig.server.serve, []

    def serve_and_look(detector: str) -> ServedNames:
        known.extend(one for one in pool.store.feature_sets() if one.key.model == version(models / "loop-001"))
        return serve(detector)

    rig.server.serve = serve_and_look
    assert isinstance(cycles.step(), Swapped)
    (newest,) = look_again(rig.images.newest(1), models / "loop-001", lambda done: None)
    assert [one.key.kind for one in known] == (["object"] if len(newest.boxes) else [])
    images = [one for one in pool.store.feature_sets() if one.key.model == newest.image_model]
    assert [one.rows for one in images] == [5]
    assert pool.decide(newest).verdict == "duplicate"


def test_a_model_that_somebody_changed_meanwhile_is_not_replaced(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    cycles = rig.cycles()
    cycles.notice(ALARM)
    cycles.history.add(Gated("detector", "loop-001", "accept", "better", 100, 0.1, 0.05))
    rig.server.serve("other")
    assert cycles.step() == Ended("other serves now and loop-001 was compared with detector")


def test_a_trainer_that_is_killed_is_started_again(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    cycles = rig.cycles()
    cycles.notice(ALARM)
    cycles.step(), cycles.step()
    killed = []

    def began(process) -> None:
        if not killed:
            killed.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)

    rig.work._begin = began
    assert isinstance(cycles.step(), Learned)
    assert len(killed) == 1


def test_a_step_that_is_stopped_comes_first_at_the_next_start(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    cycles = rig.cycles()
    cycles.notice(ALARM)
    stopper = threading.Timer(0.2, rig.work.stop)
    stopper.start()
    with pytest.raises(StoppedError):
        cycles.step()
    stopper.join()
    rig.work = Work(rig.folder / ".work", OPTIONS, rig.told.append)
    assert isinstance(rig.cycles().step(), BatchChosen)


def test_an_alarm_in_a_cycle_is_written_down_and_begins_none(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    cycles = rig.cycles()
    cycles.notice(ALARM)
    cycles.notice(ALARM)
    assert [type(entry.event) for entry in cycles.history.entries] == [Triggered, Noticed]


def test_an_empty_pool_ends_the_cycle_with_a_sentence(tmp_path, models, truth):
    with opened_pool(tmp_path / "empty") as pool:
        rig = Rig(tmp_path, models, pool, Truth([truth]))
        cycles = rig.cycles()
        cycles.notice(ALARM)
        event = cycles.step()
    assert event == Ended("the pool has 0 new images, expected at least two to choose from")
    assert not rig.cycles().runs


def test_a_batch_waits_for_the_images_that_are_to_be_gathered(tmp_path, models, pool, truth, block_samples):
    rig = Rig(tmp_path, models, pool, Truth([truth]), gather=2)
    cycles = rig.cycles()
    cycles.notice(replace(ALARM, is_new=True))
    assert (cycles.step(), cycles.waits) == (None, "images")
    for number in (8, 9):
        pool.offer(read_image(block_samples[number].image), seen(number))
    assert cycles.waits == ""
    batch = cycles.step()
    # Of those that came since the alarm.
    assert sorted((*batch.learn, *batch.audit)) == ["000000009", "000000010"]


def test_an_alarm_that_speaks_of_nothing_new_waits_for_no_image(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]), gather=100)
    cycles = rig.cycles()
    cycles.notice(ALARM)
    assert cycles.waits == ""


def test_a_server_that_is_silent_ends_nothing(tmp_path, models, pool, truth):
    rig = Rig(tmp_path, models, pool, Truth([truth]))
    cycles = rig.cycles()
    cycles.notice(ALARM)
    rig.server.silent = True
    with pytest.raises(SilentServerError):
        cycles.step()
    assert cycles.runs


def chosen(rig: Rig) -> Cycles:
    """With a batch of the first four images, which was chosen by hand."""
    cycles = rig.cycles()
    cycles.notice(ALARM)
    cycles.history.add(BatchChosen("batches/001", ("000000001", "000000002"), ("000000003", "000000004")))
    return rig.cycles()  # which marks them, as after a kill


def test_a_batch_that_is_labelled_in_part_gives_the_others_back(tmp_path, models, pool, block_samples):
    half = Dataset.create(tmp_path / "half", CLASSES)
    for sample in block_samples[:3]:
        half.append_file(sample)
    rig = Rig(tmp_path, models, pool, Truth([half.folder]))
    cycles = chosen(rig)
    assert rig.states()["selected"] == [name_of(n) for n in (1, 2, 3, 4)]
    event = cycles.step()
    assert (event.images, event.left_out) == (3, ("000000004",))
    assert rig.states()["audit"] == ["000000003"]
    assert "000000004" in rig.states()["new"]


def test_labels_of_people_are_waited_for_and_taken_when_they_are_there(tmp_path, models, pool, truth):
    people = People(tmp_path / "loop" / "answers")
    rig = Rig(tmp_path, models, pool, people)
    cycles = chosen(rig)
    assert (cycles.step(), cycles.waits) == (None, "labels")
    given = Dataset.create(people.folder_of(1), CLASSES)
    for sample in list(Dataset.open(truth))[:4]:
        given.append_file(sample)
    assert cycles.step().images == 4


def test_labels_of_an_image_that_is_not_in_the_batch_or_of_other_classes_end_the_cycle(
    tmp_path, models, pool, block_samples, truth
):
    people = People(tmp_path / "loop" / "answers")
    rig = Rig(tmp_path, models, pool, people)
    cycles = chosen(rig)
    stranger = Dataset.create(people.folder_of(1), CLASSES)
    stranger.append_file(block_samples[7])
    assert "which is not in batch 1, expected images of it alone" in cycles.step().why
    # They are new again, and may be chosen by the next cycle.
    assert len(rig.states()["new"]) == 8
    shutil.rmtree(tmp_path / "loop")
    with opened_pool(tmp_path / "loop" / "pool") as other:
        for number, sample in enumerate(block_samples[:8]):
            other.offer(read_image(sample.image), seen(number))
        rig = Rig(tmp_path, models, other, people)
        cycles = chosen(rig)
        given = Dataset.create(people.folder_of(1), ("hammer",))
        given.append_file(block_samples[0])
        assert "the data hold the class 'hammer'" in cycles.step().why
