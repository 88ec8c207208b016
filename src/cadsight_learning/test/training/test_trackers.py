"""What is reported of each epoch is found again by the trackers' own readers."""

import pytest
from cadsight_core.errors import CadsightError
from cadsight_learning.training.progress import EpochReport
from cadsight_learning.training.trackers import both, tracked
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def report(epoch, loss):
    return EpochReport(epoch, 4, epoch / 4, 1.0, {"train/loss": loss, "valid/map50": 1 - loss}, False)


def test_tensorboard_shows_each_epoch_once_also_after_a_kill(tmp_path):
    with tracked("tensorboard", tmp_path / "model", {"epochs": 4}) as tell:
        for epoch, loss in ((1, 0.5), (2, 0.25), (3, 0.9)):
            tell(report(epoch, loss))
    # Killed before the third epoch was kept: it is trained again.
    with tracked("tensorboard", tmp_path / "model", {"epochs": 4}) as tell:
        for epoch, loss in ((3, 0.125), (4, 0.0625)):
            tell(report(epoch, loss))
    found = EventAccumulator(str(tmp_path / "model" / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in found.Scalars("train/loss")] == [(1, 0.5), (2, 0.25), (3, 0.125), (4, 0.0625)]
    assert [e.step for e in found.Scalars("valid/map50")] == [1, 2, 3, 4]
    assert "epochs: 4" in found.Tensors("options/text_summary")[0].tensor_proto.string_val[0].decode()


def test_nothing_is_written_where_nothing_is_reported_or_asked_for(tmp_path):
    with tracked("tensorboard", tmp_path / "one", {}):
        pass
    with tracked("none", tmp_path / "two", {}) as tell:
        tell(report(1, 0.5))
    assert list(tmp_path.iterdir()) == []


def test_each_of_several_hears_of_every_epoch():
    calls: list[tuple[str, int]] = []
    tell = both(lambda r: calls.append(("a", r.epoch)), lambda r: calls.append(("b", r.epoch)))
    tell(report(1, 0.5))
    tell(report(2, 0.5))
    assert calls == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_an_unknown_tracker_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="the tracker is 'paper', expected one of tensorboard, mlflow, wandb, none"):
        tracked("paper", tmp_path, {})


@pytest.mark.parametrize("tracker", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_named_with_what_to_do(tmp_path, tracker):
    try:
        __import__(tracker)
    except ImportError:
        with pytest.raises(CadsightError, match=f"{tracker} is not installed .* expected `uv pip install {tracker}`"):
            tracked(tracker, tmp_path, {})
