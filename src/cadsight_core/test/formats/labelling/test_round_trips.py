"""What goes to a tool comes back as it was: boxes, ids, classes and scores of any batch."""

import json
import shutil
from pathlib import Path

import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load
from cadsight_core.formats.labelling.settling import Settling, settle
from cadsight_core.formats.labelling.tasks import load_record, tasks_of
from cadsight_core.formats.labelling_tools import TOOLS, read_answers, write_export, write_labelled
from cadsight_core.sample import Instance, Sample
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("nut", "große <b>", 'quo"te & co')
SIDES = st.integers(1, 5000)


@st.composite
def batches(draw):
    samples = []
    for number in range(draw(st.integers(1, 3))):
        size = ImageSize(draw(SIDES), draw(SIDES))
        labels = []
        for _ in range(draw(st.integers(0, 4))):
            x0, x1 = sorted(draw(st.floats(-10, size.width + 10)) for _ in range(2))
            y0, y1 = sorted(draw(st.floats(-10, size.height + 10)) for _ in range(2))
            score = draw(st.none() | st.floats(0, 1))
            labels.append(Instance(draw(st.integers(0, 2)), Box(x0, y0, x1, y1), score=score, source="model"))
        samples.append((Sample(f"i{number}", Path(f"i{number}.png"), size, instances=tuple(labels)), f"sha{number}"))
    return tasks_of(samples, NAMES, "model")


def back(tasks, tool, folder, change=lambda text: text):
    """The guesses as they come back from a person who hands them in as they are."""
    name, text = next(iter(TOOLS[tool].files(tasks, "/x/").items()))
    (folder / name).write_text(change(text))
    return settle(tasks, read_answers([folder / name], TOOLS[tool]), Settling(all_checked=True))


def handed_in(text):
    """Tasks as Label Studio exports them when each prediction was submitted, and what had none as empty."""
    tasks = json.loads(text)
    for number, task in enumerate(tasks):
        (prediction,) = task.pop("predictions", None) or [{"result": []}]
        task["annotations"] = [{"id": number, "result": prediction["result"], "was_cancelled": False}]
    return json.dumps(tasks)


@pytest.mark.parametrize(("tool", "change", "off"), [("label-studio", handed_in, 1e-6), ("cvat", str, 0.00501)])
def test_boxes_ids_classes_and_scores_come_back(tool, change, off, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trip")

    @given(batches())
    def holds(tasks):
        settled = back(tasks, tool, folder, change)
        name = next(iter(TOOLS[tool].files(tasks, "/x/")))
        answers = read_answers([folder / name], TOOLS[tool])
        for task, answer in zip(tasks.each, answers, strict=True):
            size = task.sample.size
            (annotation,) = answer.annotations
            for guess, drawn in zip(task.guesses, annotation.drawn, strict=True):
                edges = (
                    drawn.x * size.width,
                    drawn.y * size.height,
                    (drawn.x + drawn.width) * size.width,
                    (drawn.y + drawn.height) * size.height,
                )
                assert edges == pytest.approx(guess.instance.box.as_tuple(), abs=off, rel=1e-12)
                assert drawn.id == guess.id
                assert drawn.name == NAMES[guess.instance.class_id]
                assert drawn.score == guess.instance.score
        for task, sample in zip(tasks.each, settled.samples, strict=True):
            # As nothing was changed, each is the guess itself, to the last digit.
            assert [(i.class_id, i.box, i.score, i.source) for i in sample.instances] == [
                (g.instance.class_id, g.instance.box, g.instance.score, "model-accepted") for g in task.guesses
            ] or len({g.instance.box for g in task.guesses}) < len(task.guesses)
        assert settled.account.conflicts == ()

    holds()


@pytest.fixture
def tasks(image_file):
    guesses = (Instance(0, Box(1.234567, 2, 30, 20), score=0.625, source="model"),)
    samples = [
        (Sample("a/x", image_file("one/x.png"), ImageSize(40, 30), instances=guesses), "11"),
        (Sample("b/x", image_file("two/x.png", seed=1), ImageSize(40, 30)), "22"),
    ]
    return tasks_of(samples, ["nut"], "m")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_folder_for_a_tool_has_images_and_a_record_that_reads_back(tool, tasks, tmp_path):
    folder = write_export(tasks, TOOLS[tool], tmp_path / "out")
    assert sorted(p.name for p in (folder / "images").iterdir()) == ["a_x.png", "b_x.png"]
    found = load_record(folder)
    assert [(t.sample.name, t.sha256, len(t.guesses)) for t in found.each] == [
        ("a_x", "11", 1),
        ("b_x", "22", 0),
    ]
    assert found.each[0].guesses[0].instance.box == Box(1.234567, 2, 30, 20)
    assert found.each[0].sample.image == folder / "images" / "a_x.png"
    shutil.move(folder, tmp_path / "moved")
    assert load_record(tmp_path / "moved").each[0].sample.image == tmp_path / "moved" / "images" / "a_x.png"


def test_tasks_without_images_or_classes_are_refused(tmp_path):
    for samples, classes, words in (([], ["nut"], "has no images"), ([1], [], "has no classes")):
        given_ = [(Sample("a", tmp_path / "a.png", ImageSize(4, 3)), "1") for _ in samples]
        with pytest.raises(CadsightError, match=words):
            write_export(tasks_of(given_, classes), TOOLS["cvat"], tmp_path / "out")


def test_the_labelled_set_tells_empty_from_what_is_not_in_it(tasks, tmp_path):
    folder = write_export(tasks, TOOLS["label-studio"], tmp_path / "out")
    text = handed_in((folder / "tasks.json").read_text())
    (tmp_path / "back.json").write_text(text)
    settled = settle(load_record(folder), read_answers([tmp_path / "back.json"], TOOLS["label-studio"]))
    written = Dataset.open(write_labelled(settled, tmp_path / "set"))
    assert [(s.name, s.record["labels"]) for s in written] == [
        ("a_x", "labelled"),
        ("b_x", "empty"),
    ]
    assert written.extra["labels"]["empty"] == ["b_x"]
    assert load(tmp_path / "set")[0][0].instances[0].source == "model-accepted"


def test_labels_of_nobody_make_no_set(tasks, tmp_path):
    with pytest.raises(CadsightError, match="none of the batch's images is annotated"):
        write_labelled(settle(tasks, []), tmp_path / "set")


def test_cvat_is_told_by_tags_what_its_file_does_not_tell(tasks, tmp_path):
    file = tmp_path / "annotations.xml"
    text = TOOLS["cvat"].files(tasks, "")["annotations.xml"]
    plain = text.replace('height="30" />', 'height="30"></image>')
    for tag, state in (("cadsight-checked", "empty"), ("cadsight-skipped", "skipped"), ("", "not_annotated")):
        body = f'<tag label="{tag}" source="manual" />' if tag else ""
        file.write_text(plain.replace('height="30"></image>', f'height="30">{body}</image>'))
        account = settle(tasks, read_answers([file], TOOLS["cvat"])).account
        assert getattr(account, state) in (("b_x",), ("a_x", "b_x"))
        assert account.labelled == ()


def test_cvat_for_images_reads_its_own_export_as_a_set(tasks, tmp_path):
    folder = write_export(tasks, TOOLS["cvat"], tmp_path / "out")
    samples, classes = load(folder / "annotations.xml")
    assert classes == ("nut",)
    assert samples[0].instances[0].box == Box(1.23, 2, 30, 20)


def test_a_turned_box_of_cvat_turns_about_its_centre(tasks, tmp_path):
    file = tmp_path / "annotations.xml"
    file.write_text(
        '<annotations><image id="0" name="a_x.png" width="40" height="30">'
        '<box label="nut" source="manual" xtl="10" ytl="10" xbr="30" ybr="14" rotation="36.86989764584402"/>'
        "</image></annotations>"
    )
    answers = read_answers([file], TOOLS["cvat"])
    with pytest.raises(CadsightError, match=r"turned by 36\.8699 degrees"):
        settle(tasks, answers)
    (label,) = settle(tasks, answers, Settling(enclose=True)).samples[0].instances
    # The half diagonals are (8, 6) ± (-1.2, 1.6) from the centre at (20, 12).
    assert label.box.as_tuple() == pytest.approx((20 - 9.2, 12 - 7.6, 20 + 9.2, 12 + 7.6))
