"""`cadsight labels` there and back, of a batch that `cadsight select` chose."""

import json
import os
import shutil

import pytest
import torch
from cadsight_cli.main import main
from squares import write_squares

from cadsight_core import formats


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A detector, a batch of three images that it chose, and one that nothing chose."""
    folder = tmp_path_factory.mktemp("labels")
    torch.set_num_threads(1)
    write_squares(folder / "labelled", {"train": 4, "val": 2}, shades=(90, 91))
    write_squares(folder / "others", {"train": 8}, shades=(60, 61))
    (folder / "pool").mkdir()
    for image in (folder / "others" / "images" / "train").iterdir():
        shutil.copy(image, folder / "pool")
    words = ["train", "detector", "--data", str(folder / "labelled"), "--out", str(folder / "model"), "--epochs", "1"]
    assert main([*words, "--image-size", "64", "--weights", "scratch", "--batch", "4"]) == 0
    select = ["select", "--pool", str(folder / "pool"), "--k", "3"]
    assert (
        main([*select, "--model", str(folder / "model"), "--strategy", "margin", "--out", str(folder / "batch")]) == 0
    )
    assert main([*select, "--strategy", "random", "--out", str(folder / "plain")]) == 0
    return folder


def hand_in(folder, target, count):
    """Label Studio's export of the first ``count`` tasks, each with a box of ours beside what the model saw."""
    tasks = json.loads((folder / "tasks.json").read_text())[:count]
    for number, task in enumerate(tasks):
        result = [r for p in task.get("predictions", []) for r in p["result"]]
        value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
        value["rectanglelabels"] = [names_in(folder)[0]]
        own = {"id": "own", "type": "rectanglelabels", "origin": "manual", "value": value}
        task |= {"id": number, "annotations": [{"id": number, "result": [*result, own]}], "predictions": []}
    target.write_text(json.dumps(tasks))
    return target


def names_in(folder):
    return json.loads((folder / "export.json").read_text())["classes"]


def test_a_batch_goes_out_and_half_of_it_comes_back(material, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["labels", "export", str(material / "batch"), "--to", "label-studio", "--min-score", "0.001"]
    assert main([*words, "--out", str(out)]) == 0
    assert "3 images, " in capsys.readouterr().out
    images = json.loads((material / "batch" / "batch.json").read_text())["images"]
    tasks = json.loads((out / "tasks.json").read_text())
    assert [t["data"]["cadsight_sha256"] for t in tasks] == [i["sha256"] for i in images]
    assert tasks[0]["data"]["image"].startswith("/data/local-files/?d=out/images/")
    export = hand_in(out, tmp_path / "export.json", 2)
    words = ["labels", "import", str(export), "--from", "label-studio", "--images", str(out)]
    assert main([*words, "--out", str(tmp_path / "set"), "--json", str(tmp_path / "a.json")]) == 0
    said = capsys.readouterr().out
    assert "2 images labelled, 0 empty, 0 skipped" in said
    assert "1 of 3 images are left to annotate" in said
    account = json.loads((tmp_path / "a.json").read_text())
    assert account["sources"]["human-drawn"] == 2
    samples, _ = formats.load(tmp_path / "set")
    box = samples[0].instances[-1].box
    size = samples[0].size
    assert box.as_tuple() == pytest.approx(
        (size.width * 0.1, size.height * 0.2, size.width * 0.4, size.height * 0.6), abs=1e-6
    )


def test_the_batch_itself_tells_what_its_images_are(material, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["labels", "export", str(material / "batch"), "--to", "label-studio", "--out", str(out)]) == 0
    export = hand_in(out, tmp_path / "export.json", 3)
    words = ["labels", "import", str(export), "--from", "label-studio", "--images"]
    assert main([*words, str(material / "batch"), "--out", str(tmp_path / "one")]) == 0
    assert main([*words, str(material / "pool"), "--out", str(tmp_path / "two")]) == 0
    assert "left to annotate" in capsys.readouterr().out
    assert len(formats.load(tmp_path / "one")[0]) == len(formats.load(tmp_path / "two")[0]) == 3


def test_a_batch_of_no_model_needs_classes_and_cvat_takes_it(material, tmp_path, capsys):
    words = ["labels", "export", str(material / "plain"), "--to", "cvat", "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "expected --classes NAME" in capsys.readouterr().err
    assert main([*words, "--classes", "nut", "bolt"]) == 0
    text = (tmp_path / "out" / "annotations.xml").read_text()
    first = json.loads((tmp_path / "out" / "export.json").read_text())["images"][0]
    size = f'width="{first["width"]}" height="{first["height"]}"'
    box = '<box label="bolt" source="manual" xtl="1.00" ytl="2.00" xbr="3.00" ybr="4.00"/>'
    (tmp_path / "back.xml").write_text(text.replace(f"{size} />", f"{size}>{box}</image>", 1))
    words = ["labels", "import", str(tmp_path / "back.xml"), "--from", "cvat", "--images", str(tmp_path / "out")]
    assert main([*words, "--out", str(tmp_path / "set")]) == 0
    (sample,), classes = formats.load(tmp_path / "set")
    assert classes == ("nut", "bolt")
    assert [(i.class_id, i.box.as_tuple(), i.source) for i in sample.instances] == [(1, (1, 2, 3, 4), "human-drawn")]


def test_a_data_set_takes_a_model_s_word_as_the_first_guess(material, tmp_path, capsys):
    words = ["labels", "export", str(material / "pool"), "--to", "label-studio", "--out", str(tmp_path / "out")]
    assert main([*words, "--model", str(material / "model"), "--min-score", "0.001"]) == 0
    assert "8 images" in capsys.readouterr().out
    guess = json.loads((tmp_path / "out" / "tasks.json").read_text())[0].get("predictions")
    assert guess is None or guess[0]["model_version"].startswith("model ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("labels export BATCH --to cvat --out NEW --url x", "--url was given and does nothing with --to cvat"),
        ("labels export POOL --to cvat --out NEW --min-score 0.5", "--min-score was given and does nothing"),
        ("labels import POOL --from cvat --images NOWHERE --out NEW", "could not be read"),
        ("labels import BATCH/batch.json --from label-studio --images BATCH --out NEW", "expected Label Studio's full"),
        ("labels import BATCH/batch.json --from cvat --images BATCH --out NEW", "is not XML"),
        ("labels import BATCH/batch.json --from label-studio --images BATCH --out POOL", "expected a new or empty"),
        (
            "labels import X --from label-studio --images BATCH --out NEW --all-checked",
            "--all-checked was given and does nothing",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(material, tmp_path, capsys, words, said):
    places = {"BATCH": material / "batch", "POOL": material / "pool", "NEW": tmp_path / "new"}
    for word, place in places.items():
        words = words.replace(word, str(place))
    assert main(words.split()) == 2
    assert said in capsys.readouterr().err
    assert not os.path.lexists(tmp_path / "new")
