import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import encode_image
from cadsight_core.sample import Instance, Sample

SIZE = ImageSize(40, 30)


def pixels(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (size.height, size.width, 3), dtype=np.uint8)


def sample(name, **values):
    return Sample(name, Path(), SIZE, **values)


@pytest.fixture
def dataset(tmp_path):
    return Dataset.create(tmp_path / "set", ["bracket", "plate"])


def test_samples_come_back_in_the_order_in_which_they_came(dataset):
    mask = np.zeros((30, 40), bool)
    mask[3:9, 4:7] = True
    instance = Instance(1, Box(4, 3, 7, 9), mask=mask, source="kinematic")
    for index, name in enumerate(["b", "a", "c.d"]):
        given = sample(name, split="test" if name == "a" else "train", instances=(instance,), record={"seed": index})
        stored = dataset.append(given, pixels(index))
        assert stored.image == dataset.folder / "images" / f"{name}.png"
    again = Dataset.open(dataset.folder)
    assert again.classes == ("bracket", "plate")
    assert again.names == dataset.names == ("b", "a", "c.d")
    assert len(again) == 3
    assert "a" in again
    assert [s.record["seed"] for s in again] == [0, 1, 2]
    assert [s.name for s in again.samples("train")] == ["b", "c.d"]
    assert [s.name for s in again.samples()[1:]] == ["a", "c.d"]
    np.testing.assert_array_equal(again["a"].instances[0].mask, mask)
    np.testing.assert_array_equal(again.image(again["a"]), pixels(1))
    assert again["a"].image.is_absolute()


def test_a_copied_file_keeps_its_bytes(dataset, image_file):
    path = image_file("photo.jpg")
    stored = dataset.append_file(Sample("x", path, SIZE))
    assert stored.image == dataset.folder / "images" / "x.jpg"
    assert stored.image.read_bytes() == path.read_bytes()


def test_an_encoded_image_keeps_its_bytes(dataset):
    data = encode_image(pixels(4))
    stored = dataset.append_encoded(sample("x"), data)
    assert stored.image.read_bytes() == data
    np.testing.assert_array_equal(dataset.image(stored), pixels(4))


def test_samples_are_not_kept_in_memory(dataset):
    mask = np.zeros((30, 40), bool)
    mask[::2] = True
    stored = dataset.append(
        sample("first", instances=(Instance(0, Box(0, 0, 40, 30), mask=mask, source="human"),)), pixels()
    )
    line = (dataset.folder / "manifest.jsonl").read_text()
    assert len(line) > 2000
    with open(dataset.folder / "manifest.jsonl", "a") as file:
        file.writelines(line.replace('"first"', f'"{i}"') for i in range(1000))
    tracemalloc.start()
    try:
        again = Dataset.open(dataset.folder)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(again) == 1001
    assert again["999"].instances[0].mask[::2].all()
    assert kept / 1001 < 600
    assert stored.name in again


def test_the_layout_is_the_documented_one(dataset):
    dataset.append(sample("a"), pixels())
    header = json.loads((dataset.folder / "dataset.json").read_text())
    assert header == {"format": "cadsight-dataset-1", "classes": ["bracket", "plate"]}
    lines = (dataset.folder / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"] for line in lines] == ["images/a.png"]


@pytest.mark.parametrize(
    ("change", "image", "words"),
    [
        ({"name": "a"}, pixels(), "has the sample 'a' already"),
        ({"name": "../a"}, pixels(), "expected one name without folders"),
        ({"name": "/a"}, pixels(), "expected one name"),
        ({"name": ".."}, pixels(), "expected one name"),
        ({"name": ""}, pixels(), "expected one name"),
        ({"name": ".a"}, pixels(), "expected one name"),
        ({"name": "a\0"}, pixels(), "expected one name"),
        ({"name": "x" * 300}, pixels(), "File name too long"),
        ({"size": ImageSize(41, 30)}, pixels(), "40 x 30 pixels, expected 41 x 30"),
        ({}, pixels()[..., :1], r"expected \(H, W, 3\)"),
        ({"instances": (Instance(2, Box(0, 0, 1, 1), source="human"),)}, pixels(), "class id 2, expected 0 to 1"),
        ({"instances": (Instance(0, Box(0, 0, 1, float("inf")), source="human"),)}, pixels(), "expected finite pixels"),
        ({"record": {"joint": float("nan")}}, pixels(), "cannot be written as JSON"),
        ({"record": {"image": pixels()}}, pixels(), "cannot be written as JSON"),
    ],
)
def test_what_does_not_belong_is_refused_and_nothing_changes(dataset, change, image, words):
    dataset.append(sample("a"), pixels())
    before = dataset.fingerprint()
    with pytest.raises(CadsightError, match=words):
        dataset.append(replace(sample("b"), **change), image)
    assert [p.name for p in (dataset.folder / "images").iterdir()] == ["a.png"]
    assert Dataset.open(dataset.folder).fingerprint() == before
    dataset.append(sample("b"), pixels(1))


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_half_written_last_line_is_cut_off_on_opening(dataset, cut):
    dataset.append(sample("a"), pixels())
    dataset.append(sample("b"), pixels(1))
    manifest = dataset.folder / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-cut])
    again = Dataset.open(dataset.folder)
    assert again.names == ("a",)
    assert manifest.read_bytes().endswith(b"\n")
    again.append(sample("b"), pixels(2))
    assert Dataset.open(dataset.folder).names == ("a", "b")


def test_the_image_of_a_killed_writer_is_removed_and_other_files_are_left_alone(dataset):
    dataset.append(sample("a"), pixels())
    images = dataset.folder / "images"
    for orphan in ("b.png", ".b.png.x1y2z3w4"):
        (images / orphan).write_bytes(b"half")
    (dataset.folder / ".lock").write_text("b.png")  # what a writer killed before its line leaves
    (images / "notes-of-the-user.png").write_bytes(b"mine")
    assert Dataset.open(dataset.folder).names == ("a",)
    assert sorted(p.name for p in images.iterdir()) == ["a.png", "notes-of-the-user.png"]


def test_a_writer_killed_after_its_line_keeps_its_sample(dataset):
    dataset.append(sample("a"), pixels())
    (dataset.folder / ".lock").write_text("a.png")
    again = Dataset.open(dataset.folder)
    np.testing.assert_array_equal(again.image(again["a"]), pixels())


def numbered(index):
    return np.random.default_rng(index).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def write_for_ever(folder, prefix, count, pipe):
    dataset = Dataset.create(folder, ["bracket"], exist_ok=True)
    for i in range(len(dataset), len(dataset) + count):
        dataset.append(Sample(f"{prefix}{i:06d}", Path(), ImageSize(160, 120), record={"seed": i}), numbered(i))
        os.write(pipe, f"{i}\n".encode())


def writer(folder, prefix="", count=10**6):
    """A process that appends images, and the file in which it writes the number of each that it has written."""
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=write_for_ever, args=(folder, prefix, count, writing))
    process.start()
    os.close(writing)
    return process, os.fdopen(reading)


def test_a_writer_killed_twenty_times_leaves_no_broken_sample_and_loses_none_but_the_one_in_hand(tmp_path):
    moments = random.Random(5)
    folder = tmp_path / "set"
    kept = 0
    for _ in range(20):
        process, words = writer(folder)
        first = words.readline()
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.join()
        numbers = [int(n) for n in (first + words.read()).split()]
        words.close()
        assert numbers[0] == kept  # it went on where the one before was killed
        dataset = Dataset.open(folder)
        # Every sample that was reported is there, and at most one more: killed between its line and its word.
        assert numbers[-1] + 1 <= len(dataset) <= numbers[-1] + 2
        for index in range(kept, len(dataset)):
            np.testing.assert_array_equal(dataset.image(dataset[f"{index:06d}"]), numbered(index))
        assert {p.stem for p in (folder / "images").iterdir()} == set(dataset.names)
        kept = len(dataset)


def test_two_processes_append_to_one_data_set_at_the_same_time(tmp_path):
    Dataset.create(tmp_path / "set", ["bracket"])
    both = [writer(tmp_path / "set", prefix, 20) for prefix in "ab"]
    reader = Dataset.open(tmp_path / "set")  # reading in between breaks nothing
    for process, words in both:
        assert len(words.readlines()) == 20
        words.close()
        process.join()
        assert process.exitcode == 0
    dataset = Dataset.open(tmp_path / "set")
    assert len(dataset) == 40
    reader.append(Sample("c", Path(), SIZE), pixels())
    assert len(reader) == 41
    assert all(dataset.image(s).shape == (120, 160, 3) for s in dataset)


def grey(index):
    return np.full((30, 40, 3), index, np.uint8)


def fill_until_refused(dataset, make=pixels):
    for index in range(200):
        dataset.append(sample(f"{index:03d}"), make(index))
    raise AssertionError("the disk never was full")


def check_after_full(dataset, caught):
    assert "could not be" in str(caught.value)
    assert "\n" not in str(caught.value)
    again = Dataset.open(dataset.folder)
    assert len(again) == len(dataset) > 0
    assert all(again.image(s).shape == (30, 40, 3) for s in again)
    assert {p.stem for p in (again.folder / "images").iterdir()} == set(again.names)
    return again


def test_a_full_disk_is_reported_in_a_sentence_and_all_that_was_there_stays(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root can mount a small disk; the next test limits the size of files instead")
    try:
        dataset = Dataset.create(disk / "set", ["bracket", "plate"])
        with pytest.raises(CadsightError, match="No space left on device") as caught:
            fill_until_refused(dataset)
        check_after_full(dataset, caught)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("limit", "make", "words"),
    [(2000, pixels, r"000\.png could not be written: File too large"), (3000, grey, r"manifest\.jsonl could not be ")],
    ids=["the image is refused", "the line is refused"],
)
def test_a_file_that_may_not_grow_is_reported_in_a_sentence_and_all_that_was_there_stays(dataset, limit, make, words):
    # An image of 40 x 30 random pixels takes some 3700 bytes, grey ones a hundred; a line some 150.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    dataset.append(sample("first"), pixels())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        with pytest.raises(CadsightError, match=words) as caught:
            fill_until_refused(dataset, make)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    check_after_full(dataset, caught).append(sample("next"), pixels())


def test_the_fingerprint_is_of_the_content_wherever_it_lies(tmp_path):
    def write(folder, seed=0, label=0):
        dataset = Dataset.create(folder, ["bracket", "plate"])
        dataset.append(sample("a", instances=(Instance(label, Box(1, 2, 3, 4), source="human"),)), pixels(seed))
        return dataset.fingerprint()

    original = write(tmp_path / "a")
    assert write(tmp_path / "b") == original
    assert write(tmp_path / "c", seed=1) != original
    assert write(tmp_path / "d", label=1) != original
    shutil.copytree(tmp_path / "a", tmp_path / "e")
    assert Dataset.open(tmp_path / "e").fingerprint() == original
    (tmp_path / "e" / "images" / "a.png").unlink()
    with pytest.raises(CadsightError, match=r"a\.png could not be read"):
        Dataset.open(tmp_path / "e").fingerprint()


def test_creating_where_one_is_there_needs_leave_and_the_same_classes(dataset):
    with pytest.raises(CadsightError, match="holds a data set already"):
        Dataset.create(dataset.folder, ["bracket", "plate"])
    with pytest.raises(CadsightError, match=r"has the classes \['bracket', 'plate'\], expected \['screw'\]"):
        Dataset.create(dataset.folder, ["screw"], exist_ok=True)
    assert Dataset.create(dataset.folder, ["bracket", "plate"], exist_ok=True).classes == dataset.classes


@pytest.mark.parametrize("classes", [["a", "a"], [""], [1]])
def test_classes_without_a_name_of_their_own_are_refused(tmp_path, classes):
    with pytest.raises(CadsightError, match="each of them once"):
        Dataset.create(tmp_path / "set", classes)


def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CadsightError, match="could not be made"):
        Dataset.create(tmp_path / "file" / "set", ["a"])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "holds no data set"),
        ("{", "is not JSON"),
        ('{"format": "other"}', "has the format 'other'"),
        ("[]", "holds a list"),
        ('{"format": "cadsight-dataset-1", "classes": 3}', "expected a list of names"),
        ('{"format": "cadsight-dataset-1", "classes": [], "extra": ["a"]}', r"extra \['a'\], expected an object"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused_in_a_sentence(tmp_path, header, words):
    if header is not None:
        (tmp_path / "dataset.json").write_text(header)
    with pytest.raises(CadsightError, match=words):
        Dataset.open(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{oops}", "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
        ("{}", "line 2 lacks 'name'"),
        ("7", "line 2 lacks"),
        (None, "a second time"),
    ],
)
def test_a_manifest_with_a_broken_line_is_refused_and_the_line_named(dataset, line, words):
    dataset.append(sample("a"), pixels())
    manifest = dataset.folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text() + (line or manifest.read_text().strip()) + "\n")
    with pytest.raises(CadsightError, match=words):
        Dataset.open(dataset.folder)


@pytest.mark.parametrize(("key", "value"), [("name", {}), ("image", [1]), ("split", {}), ("image", "a\0.png")])
def test_a_manifest_whose_names_are_none_is_refused(dataset, key, value):
    dataset.append(sample("a"), pixels())
    manifest = dataset.folder / "manifest.jsonl"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), key: value}) + "\n")
    with pytest.raises(CadsightError, match=r"expected a string|is that of no file"):
        _ = Dataset.open(dataset.folder).files


def test_a_manifest_that_names_an_image_outside_is_refused(dataset):
    dataset.append(sample("a"), pixels())
    manifest = dataset.folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("images/a.png", "../../secret.png"))
    with pytest.raises(CadsightError, match="leads out of the folder"):
        list(Dataset.open(dataset.folder))


def test_a_thousand_samples_are_opened_quickly(dataset):
    dataset.append(sample("a", instances=(Instance(0, Box(1, 2, 3, 4), source="human"),) * 5), pixels())
    manifest = dataset.folder / "manifest.jsonl"
    line = manifest.read_text()
    manifest.write_text("".join(line.replace('"name": "a"', f'"name": "{i}"') for i in range(1000)))
    start = time.process_time()
    opened = Dataset.open(dataset.folder)
    boxes = sum(len(s.instances) for s in opened)
    assert boxes == 5000
    assert time.process_time() - start < 10.0  # 0.1 s of one core in quiet


def test_a_file_of_others_among_the_images_is_never_written_over(dataset):
    theirs = dataset.folder / "images" / "x.png"
    theirs.write_bytes(b"theirs")
    with pytest.raises(CadsightError, match="no sample names it"):
        dataset.append(sample("x"), pixels())
    assert theirs.read_bytes() == b"theirs"
    assert len(Dataset.open(dataset.folder)) == 0


@pytest.mark.parametrize("name", ["manifest.jsonl", ".lock"])
def test_no_data_set_is_made_where_others_have_files_of_these_names(tmp_path, name):
    (tmp_path / name).write_text("theirs")
    with pytest.raises(CadsightError, match=name):
        Dataset.create(tmp_path, ["bracket"])
    assert (tmp_path / name).read_text() == "theirs"
