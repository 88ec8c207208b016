import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_core.storage import files
from cadsight_generation.unconditional.model import load_generator
from cadsight_generation.unconditional.options import options_for
from cadsight_generation.unconditional.training import fit_generator
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.provenance import load_learned_from
from cadsight_learning.weights.checkpoint import load_checkpoint
from limited_files import small_files
from small_sets import folder_of_images, learned_images, masked_set

SMALL = {"images_seen": 24, "epoch_images": 8, "width": 4, "z": 8, "sheet_images": 4}


def options(**given):
    return options_for("smoke", {**SMALL, **given}, "here")


def trained(data, folder, **given):
    return fit_generator(learned_images(data), folder, options(**given))


def what_stays(folder: Path) -> "dict[str, object]":
    """All that a training leaves but its seconds and its date."""
    curves = json.loads((folder / "curves.json").read_text())
    sheets = {path.name: path.read_bytes() for path in sorted((folder / "sheets").glob("*.png"))}
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in curves]
    named = {name: (folder / name).read_bytes() for name in ("weights.pt", "learned_from.json")}
    return {"rows": rows, "files": sorted(p.name for p in folder.iterdir()), **sheets, **named}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return folder_of_images(tmp_path_factory.mktemp("data") / "own", 5)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> "dict[str, object]":
    folder = tmp_path_factory.mktemp("whole") / "model"
    trained(data, folder)
    return what_stays(folder)


LOSSES, PENALTIES = ("gan", "lsgan", "hinge", "hinge2", "wgan"), ("none", "wgan-gp", "dragan")
TOGETHER = [("dcgan", loss, penalty) for loss in LOSSES for penalty in PENALTIES]
TOGETHER += [("default", loss, PENALTIES[number % 3]) for number, loss in enumerate(LOSSES)]


@pytest.mark.parametrize(("kind", "loss", "penalty"), TOGETHER)
def test_every_loss_goes_with_every_penalty_and_kind(kind, loss, penalty, data, tmp_path):
    card = trained(data, tmp_path / "m", kind=kind, loss=loss, penalty=penalty, images_seen=4)
    assert card.extra["images_seen"] == 4
    assert ("train/penalty" in card.figures) == (penalty != "none")


def test_the_card_says_what_was_learned_from(data, tmp_path):
    made = folder_of_images(tmp_path / "made", 2, first=20)
    images = learned_images(data, generated=[made])
    fit_generator(images, tmp_path / "m", options())
    train = load_card(tmp_path / "m").data["train"]
    assert train["origins"] == {"real": 5}
    assert train["contents"] == [c[:16] for c in images.own.contents]
    assert train["generated"] == {"images": 2, "contents": [c[:16] for c in images.added]}
    learned = load_learned_from(tmp_path / "m")
    assert set(learned.train) == {*train["contents"], *train["generated"]["contents"]}


def test_flips_that_are_chosen_by_the_set_stand_in_the_card(data, tmp_path):
    assert trained(data, tmp_path / "m", flips="auto", images_seen=8).options["flips"] == "none"


class Killed(BaseException):
    """Ends a training where it stands."""


def test_a_training_killed_at_any_of_its_writes_ends_with_the_same_bytes(data, tmp_path, monkeypatch):
    short = {"images_seen": 8, "epoch_images": 4, "sheet_images": 1}
    trained(data, tmp_path / "whole", **short)
    whole = what_stays(tmp_path / "whole")
    replaced, left = os.replace, 0

    def replace(*names):
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        replaced(*names)

    monkeypatch.setattr(os, "replace", replace)
    moments = 0
    while True:
        left = moments + 1
        folder = tmp_path / str(moments)
        try:
            trained(data, folder, **short)
        except Killed:
            moments += 1
        else:
            break
        left = 0
        trained(data, folder, **short)
        assert what_stays(folder) == whole, f"killed at write {moments}"
    # Curves, sheet and state of two epochs, then the model.
    assert moments > 12


def test_a_disk_that_is_full_is_one_sentence_and_is_gone_on_from(data, whole, tmp_path):
    with small_files(20_000), pytest.raises(CadsightError, match=r"training.pt could not be written: File too large"):
        trained(data, tmp_path / "m")
    trained(data, tmp_path / "m")
    assert what_stays(tmp_path / "m") == whole


CHILD = """
import sys
import torch
from limited_files import small_files
from small_sets import learned_images
from pathlib import Path
from cadsight_generation.unconditional.options import options_for
from cadsight_generation.unconditional.training import fit_generator
torch.set_num_threads(1)
fit_generator(
    learned_images(Path(sys.argv[1])), sys.argv[2], options_for("smoke", {given}, "here"),
    lambda report: print("epoch", report.epoch, flush=True),
)
"""


def test_a_process_that_is_killed_is_gone_on_from_to_the_same_bytes(data, tmp_path):
    long = {**SMALL, "images_seen": 80}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(given=long), str(data), str(tmp_path / "killed")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])},
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("epoch 2"):
            child.send_signal(signal.SIGKILL)
            break
    assert child.wait() == -signal.SIGKILL
    state = load_checkpoint(tmp_path / "killed" / "training.pt")
    assert 2 <= state["epoch"] < 10
    trained(data, tmp_path / "killed", **long)
    trained(data, tmp_path / "whole", **long)
    assert what_stays(tmp_path / "killed") == what_stays(tmp_path / "whole")


def test_the_sheet_shows_the_same_random_numbers_all_along(data, tmp_path, monkeypatch):
    kept = []
    written = files.write_atomically

    def noted(path, content):
        written(path, content)
        if Path(path).name == "training.pt":
            kept.append(load_checkpoint(path)["callbacks"]["sheets"]["z"])

    monkeypatch.setattr("cadsight_learning.weights.checkpoint.write_atomically", noted)
    trained(data, tmp_path / "m")
    assert len(kept) == 3
    assert all(torch.equal(z, kept[0]) for z in kept)
    assert torch.equal(load_checkpoint(tmp_path / "m" / "weights.pt")["sheet.z"], kept[0])


def test_the_set_grows_at_the_end_of_an_epoch(data, tmp_path):
    made = folder_of_images(tmp_path / "made", 1, first=20)
    images = learned_images(data, generated=[made])

    def another(report):
        folder_of_images(made, 1, first=20 + report.epoch)

    fit_generator(images, tmp_path / "m", options(), another)
    curves = json.loads((tmp_path / "m" / "curves.json").read_text())
    assert [row["generated"] for row in curves] == [1, 2, 3]
    assert [row["images"] for row in curves] == [5, 5, 5]


def test_a_training_that_goes_on_has_its_generated_images_in_the_order_in_which_they_came(data, tmp_path):
    def growing(folder, ends=0):
        """Another image after each epoch, whose name comes before those that are there."""

        def another(report):
            folder_of_images(folder, 1, first=30 - report.epoch)
            if report.epoch == ends:
                raise Killed

        return another

    made = [folder_of_images(tmp_path / name, 1, first=30) for name in ("whole", "killed")]
    fit_generator(learned_images(data, generated=[made[0]]), tmp_path / "a", options(), growing(made[0]))
    with pytest.raises(Killed):
        fit_generator(learned_images(data, generated=[made[1]]), tmp_path / "b", options(), growing(made[1], ends=2))
    fit_generator(learned_images(data, generated=[made[1]]), tmp_path / "b", options(), growing(made[1]))
    assert what_stays(tmp_path / "b") == what_stays(tmp_path / "a")


def bad_after(epochs, monkeypatch, what):
    """The generator's loss, or its weights, are no number after so many epochs of two steps."""
    from cadsight_generation.unconditional.steps import Adversaries

    loss, calls = Adversaries.generator_loss, 0

    def generator_loss(self, batch):
        nonlocal calls
        calls += 1
        value, parts = loss(self, batch)
        if what == "loss":
            return value * (float("nan") if calls > 2 * epochs else 1.0), parts
        if calls == 2 * epochs + 2:
            # A slope that is no number where the loss is one: the last step of an epoch makes bad weights.
            (weight, *_) = self.generator.parameters()
            weight.register_hook(lambda gradient: gradient * float("nan"))
        return value, parts

    monkeypatch.setattr(Adversaries, "generator_loss", generator_loss)


@pytest.mark.parametrize("what", ["loss", "weights"])
def test_a_training_that_runs_into_no_number_keeps_the_last_good_state_and_says_so(what, data, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        bad_after(2, patched, what)
        card = trained(data, tmp_path / "bad", average_images=0)
    assert card.epochs == 2
    assert card.stopped.startswith(f"the {what}")
    good = trained(data, tmp_path / "good", average_images=0, images_seen=16)
    assert good.stopped == ""
    found, expected = (load_checkpoint(tmp_path / name / "weights.pt") for name in ("bad", "good"))
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_no_number_in_the_first_epoch_is_one_sentence(data, tmp_path, monkeypatch):
    bad_after(0, monkeypatch, "loss")
    with pytest.raises(CadsightError, match=r"the loss became nan in epoch 1 and no epoch was done before, expected a"):
        trained(data, tmp_path / "m")


def test_a_model_is_gone_on_from_with_what_it_learned_from(data, tmp_path):
    trained(data, tmp_path / "first")
    others = folder_of_images(tmp_path / "others", 4, first=30)
    start = load_generator(tmp_path / "first", "cpu")
    card = fit_generator(learned_images(others), tmp_path / "second", options(), start=start)
    assert card.started_from.startswith("a continuation of first")
    assert card.extra["started_from"] == start.version
    learned = [set(load_learned_from(tmp_path / name).train) for name in ("first", "second")]
    assert learned[0] < learned[1]
    assert len(learned[1]) == 9


def test_frozen_layers_of_the_critic_stay_as_they_were(data, tmp_path):
    trained(data, tmp_path / "first")
    start = load_generator(tmp_path / "first", "cpu")
    fit_generator(learned_images(data), tmp_path / "second", options(frozen=2), start=start)
    before, after = (load_checkpoint(tmp_path / name / "weights.pt") for name in ("first", "second"))
    same = {k for k in before if k.startswith("critic.layers") and torch.equal(before[k], after[k])}
    assert same == {k for k in before if k.startswith(("critic.layers.0.", "critic.layers.1."))}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kind": "dcgan"}, "is a default of .*, expected a dcgan of"),
        ({"size": 32}, "size=16.*expected a default of .*size=32"),
        ({"frozen": 7}, "7 layers of the critic are to be frozen, expected at most 3"),
    ],
)
def test_what_does_not_fit_the_model_to_go_on_from_is_refused(given, sentence, data, tmp_path):
    trained(data, tmp_path / "first", images_seen=8)
    start = load_generator(tmp_path / "first", "cpu")
    images = learned_images(data, size=given.get("size", 16))
    with pytest.raises(CadsightError, match=sentence):
        fit_generator(images, tmp_path / "second", options(**given), start=start)


def test_layers_are_not_frozen_without_a_model(data, tmp_path):
    with pytest.raises(CadsightError, match="2 layers are to be frozen in a new critic, expected a model"):
        trained(data, tmp_path / "m", frozen=2)


def test_another_training_in_the_folder_is_not_gone_on_with(data, tmp_path, monkeypatch):
    monkeypatch.setattr("cadsight_generation.unconditional.training.save_model", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trained(data, tmp_path / "m")
    with pytest.raises(CadsightError, match="holds an unfinished training on other data or with other options"):
        trained(data, tmp_path / "m", seed=1)


def test_a_sheet_of_others_is_not_written_over(data, tmp_path):
    (tmp_path / "m" / "sheets").mkdir(parents=True)
    (tmp_path / "m" / "sheets" / "00002.png").write_bytes(b"theirs")
    with pytest.raises(CadsightError, match=r"00002.png is no earlier output of ours of this kind, expected another"):
        trained(data, tmp_path / "m")
    assert not (tmp_path / "m" / "training.pt").exists()


def test_masks_are_made_where_they_were_learned(tmp_path):
    card = trained(masked_set(tmp_path / "data", 5), tmp_path / "m")
    assert card.classes == ("block",)
    assert card.data["train"]["origins"] == {"synthetic": 5}
    model = load_generator(tmp_path / "m")
    (image, mask), *_ = model.images(1, 0)
    assert image.shape == (16, 16, 3)
    assert mask.shape == (16, 16)
