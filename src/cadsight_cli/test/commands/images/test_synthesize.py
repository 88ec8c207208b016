"""`cadsight synthesize` as a user types it."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.formats import load
from cadsight_core.imaging.images import read_image, write_image

PART = Path(__file__).parents[5] / "config/parts/bracket.yaml"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "sweep.yaml"
    path.write_text(f"kind: views\nparts: [{PART}]\nviews_per_scene: 2\nimage: {{width: 160, height: 120}}\n")
    return path


@pytest.fixture(scope="module")
def made(recipe: Path) -> Path:
    out = recipe.parent / "set"
    words = ["synthesize", str(recipe), "--count", "5", "--out", str(out), "--engine", "raster", "--split", "valid"]
    assert main(words) == 0
    return out


def test_samples_and_every_format_are_written(made: Path) -> None:
    dataset = Dataset.open(made)
    assert len(dataset) == 5
    assert {s.split for s in dataset} == {"valid"}
    for name in ("yolo", "coco", "via"):
        samples, classes = load(made / name)
        assert len(samples) == 5, name
        assert classes == ("bracket",), name
        for given, read in zip(dataset, sorted(samples, key=lambda s: s.name), strict=True):
            assert read.name == given.name
            assert read.instances[0].box.as_tuple() == pytest.approx(given.instances[0].box.as_tuple(), abs=0.01)
            assert np.array_equal(read_image(read.image), read_image(given.image))
    coco = json.loads(next((made / "coco").rglob("*.json")).read_text())
    assert coco["annotations"][0]["segmentation"]
    labels = next((made / "regression").rglob("labels.txt"))
    lines = labels.read_text().splitlines()
    assert lines[0] == "Name, width, height, u, v, w"
    assert len(lines) == 6
    name, *numbers = lines[1].split()
    assert read_image(labels.parent / name).shape == (224, 224, 3)
    # u right, v up, w towards the camera: the optical frame's y and z turned.
    first = next(iter(dataset)).instances[0].normal
    assert [float(n) for n in numbers[2:]] == pytest.approx([first[0], -first[1], -first[2]], abs=1e-5)


def test_a_set_is_continued_and_its_formats_follow(made: Path, recipe: Path, capsys: pytest.CaptureFixture) -> None:
    before = Dataset.open(made).names
    words = ["synthesize", str(recipe), "--count", "6", "--out", str(made), "--engine", "raster", "--split", "valid"]
    assert main([*words, "--formats", "coco"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(made / "coco"), "6 images", str(made)]
    assert Dataset.open(made).names[:5] == before[:5]
    assert len(load(made / "coco")[0]) == 6


def test_the_preview_is_one_page_with_nine_images(recipe: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["synthesize", "preview", str(recipe), "--out", str(page)]) == 0
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 9
    assert "bracket 100 % visible" in text
    assert "http" not in text


def test_the_check_ends_with_status_zero_or_one(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    page, report = tmp_path / "page.html", tmp_path / "check.json"
    words = ["synthesize", "check", str(made), "--out", str(page), "--json", str(report)]
    assert main(words) == 0
    assert "labels and meshes agree" in capsys.readouterr().out
    assert json.loads(report.read_text())["problems"] == []
    manifest = made / "manifest.jsonl"
    kept = manifest.read_text()
    lines = [json.loads(line) for line in kept.splitlines()]
    lines[2]["instances"][0]["attributes"]["full_box"][0] -= 4
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        assert main(words) == 1
    finally:
        manifest.write_text(kept)
    assert f"{lines[2]['name']}, label 0: the box is" in capsys.readouterr().out
    assert 'class="wrong"' in page.read_text()


def test_an_interrupted_set_is_whole_and_nobody_goes_on_drawing(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    words = ["synthesize", str(recipe), "--count", "4000", "--out", str(out), "--engine", "raster", "--workers", "2"]
    code = "import sys; from cadsight_cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 300
        while not (out / "manifest.jsonl").exists() or (out / "manifest.jsonl").read_bytes().count(b"\n") < 4:
            assert time.monotonic() < end
            time.sleep(0.05)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(workers) >= 2
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=180)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "cadsight: interrupted"
    assert "Traceback" not in errors
    while any(Path(f"/proc/{pid}/exe").exists() for pid in workers):
        assert time.monotonic() < end + 60
        time.sleep(0.05)
    assert 4 <= len(Dataset.open(out)) < 4000


def test_a_composition_that_fails_leaves_no_folder_to_the_corrected_one(made: Path, tmp_path: Path, capsys) -> None:
    write_image(tmp_path / "small.png", np.full((8, 8, 3), 230, np.uint8))
    write_image(tmp_path / "empty.png", np.full((240, 320, 3), 230, np.uint8))
    words = ["compose", "--from", str(made), "--out", str(tmp_path / "set"), "--count", "2", "--background"]
    assert main([*words, str(tmp_path / "small.png")]) == 2
    assert not (tmp_path / "set").exists()
    assert main([*words, str(tmp_path / "empty.png")]) == 0
    assert len(Dataset.open(tmp_path / "set")) == 2


def test_a_composed_recipe_pastes_what_was_labelled(made: Path, tmp_path: Path, capsys) -> None:
    write_image(tmp_path / "empty.png", np.full((240, 320, 3), 230, np.uint8))
    (tmp_path / "mixed.yaml").write_text(
        f"kind: composed\nseed: 4\nsource: {made}\nbackground: empty.png\ncomposition: {{max_parts: 2}}\n"
    )
    words = ["synthesize", str(tmp_path / "mixed.yaml"), "--count", "3", "--formats", "yolo", "--out"]
    assert main([*words, str(tmp_path / "one")]) == 0
    assert main([*words, str(tmp_path / "two"), "--workers", "2"]) == 0
    one, two = Dataset.open(tmp_path / "one"), Dataset.open(tmp_path / "two")
    assert one.names == ("mixed-4-000000", "mixed-4-000001", "mixed-4-000002")
    assert one.fingerprint() == two.fingerprint()
    assert {s.origin for s in one} == {"composed"}
    assert main(["synthesize", "preview", str(tmp_path / "mixed.yaml"), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text().count("base64,") == 9
    (tmp_path / "parameters.yaml").write_text("max_parts: 2\nseed: 4\n")
    short = ["compose", "--from", str(made), "--background", str(tmp_path / "empty.png"), "--out", str(tmp_path / "3")]
    short += ["--parameters", str(tmp_path / "parameters.yaml")]
    assert main([*short, "--count", "2"]) == 0
    shutil.move(tmp_path / "3", tmp_path / "moved")  # what it is made of counts, not where
    assert main([*short[:-3], str(tmp_path / "moved"), *short[-2:], "--count", "3"]) == 0
    errors = capsys.readouterr().err
    labelled = len(Dataset.open(made))
    for line in (
        f"images read: {labelled} of {labelled}",
        f"parts cut out: {labelled} of {labelled}",
        "images: 2 of 2",
    ):
        assert line in errors
    three = Dataset.open(tmp_path / "moved")
    assert three.names == ("composed-4-000000", "composed-4-000001", "composed-4-000002")
    for ours, theirs in zip(three, one, strict=True):
        assert {**ours.to_json(), "name": 0, "image": 0} == {**theirs.to_json(), "name": 0, "image": 0}
        np.testing.assert_array_equal(three.image(ours), one.image(theirs))
    assert main([*short[:-3], str(tmp_path / "moved"), "--count", "3"]) == 2  # another seed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["RECIPE"], "the following arguments are required: --count, --out"),
        (["RECIPE", "--count", "3"], "the following arguments are required: --out"),
        (["RECIPE", "--count", "3", "--out", "OUT", "--formats", "yolo,voc"], "--formats has 'voc'"),
        (["preview"], "the following arguments are required: RECIPE.yaml; see cadsight synthesize preview --help"),
        (["check", "a", "b"], "unrecognized arguments: b"),
        (["preview", "RECIPE", "--workers", "2"], "unrecognized arguments: --workers 2"),
        (["check", "a", "--engine", "raster"], "unrecognized arguments: --engine raster"),
        (["RECIPE", "--count", "1", "--out", "OUT", "--json", "j"], "unrecognized arguments: --json j"),
        (["preview", "nowhere.yaml"], "nowhere.yaml could not be read"),
        (["RECIPE", "--count", "3", "--out", "OUT", "--cluster", "tcp://127.0.0.1:9"], "no Dask scheduler answers at"),
        (["RECIPE", "--count", "3", "--out", "OUT", "--cluster", "here"], "no Dask scheduler answers at 'here'"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture, words: list[str], sentence: str
) -> None:
    places = {"RECIPE": str(recipe), "OUT": str(tmp_path / "out")}
    assert main(["synthesize", *(places.get(w, w) for w in words), "--engine", "raster"]) == 2
    errors = capsys.readouterr().err
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1
