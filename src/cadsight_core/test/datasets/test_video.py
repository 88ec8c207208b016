import cv2
import numpy as np
import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.datasets.video import read_frames, write_backgrounds, write_frames
from cadsight_core.errors import CadsightError
from cadsight_core.formats.convert import convert
from cadsight_core.formats.health import check
from cadsight_core.imaging.images import read_image


def grey(index):
    return 37 * index % 256


def video(path, rate, count, code="MJPG"):
    """A video whose frame k has the grey value of :func:`grey`, far from its neighbours' values."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), rate, (64, 48))
    assert writer.isOpened()
    for index in range(count):
        writer.write(np.full((48, 64, 3), grey(index), np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(("name", "code"), [("a.avi", "MJPG"), ("a.mp4", "mp4v")])
@pytest.mark.parametrize(
    ("rate", "count", "fps", "expected"),
    [
        (10, 31, 2, [0, 5, 10, 15, 20, 25, 30]),
        (10, 31, 1, [0, 10, 20, 30]),
        (30, 40, 2, [0, 15, 30]),
        (25, 41, 2, [0, 13, 25, 38]),  # 0.5 s is frame 12.5: the first at or after it
        (4, 8, 4, list(range(8))),
        (4, 8, 100, list(range(8))),
    ],
)
def test_frames_are_taken_at_equal_times(tmp_path, name, code, rate, count, fps, expected):
    frames = list(read_frames(video(tmp_path / name, rate, count, code), fps))
    assert [index for index, _, _ in frames] == expected
    assert [seconds for _, seconds, _ in frames] == pytest.approx([i / rate for i in expected], abs=0.002)
    for index, _, pixels in frames:
        assert pixels.shape == (48, 64, 3)
        assert abs(int(pixels.mean()) - grey(index)) <= 6


def test_frames_are_written_with_their_index(tmp_path):
    source = video(tmp_path / "bench.avi", 10, 21)
    files = write_frames(source, tmp_path / "out", 2)
    assert [f.name for f in files] == [f"bench_{i:06d}.png" for i in (0, 5, 10, 15, 20)]
    assert sorted((tmp_path / "out").iterdir()) == sorted(f.resolve() for f in files)
    assert write_frames(source, tmp_path / "out", 2) == files


def test_a_file_of_others_under_a_frames_name_stays(tmp_path):
    source = video(tmp_path / "bench.avi", 10, 21)
    theirs = tmp_path / "out" / "bench_000005.png"
    theirs.parent.mkdir()
    theirs.write_bytes(b"mine")
    with pytest.raises(CadsightError, match=r"bench_000005\.png is there and is something else"):
        write_frames(source, tmp_path / "out", 2)
    assert theirs.read_bytes() == b"mine"


def test_grey_frames_have_three_equal_channels(tmp_path):
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 2, (64, 48))
    writer.write(np.full((48, 64, 3), (0, 0, 250), np.uint8))
    writer.release()
    (colour,) = write_frames(path, tmp_path / "colour")
    (grey,) = write_frames(path, tmp_path / "grey", grey=True, suffix=".jpg")
    red, green, _ = read_image(colour)[24, 32]
    assert red > 200 > green
    pixels = read_image(grey)
    assert (np.ptp(pixels.astype(int), axis=2) <= 2).all()
    assert grey.suffix == ".jpg"


@pytest.mark.parametrize(
    ("content", "fps", "words"),
    [
        (None, 2, "does not exist"),
        (b"", 2, "could not be read as a video"),
        (b"hello, this is text " * 50, 2, "could not be read as a video"),
        (b"", 0, "0 frames a second are wanted"),
        (b"", -1, "-1 frames a second are wanted"),
        (b"", float("nan"), "nan frames a second are wanted"),
    ],
)
def test_what_is_no_video_is_refused_in_a_sentence(tmp_path, content, fps, words):
    if content is not None:
        (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(CadsightError, match=words):
        write_frames(tmp_path / "a.mp4", tmp_path / "out", fps)
    assert not (tmp_path / "out").exists()


def test_a_video_cut_short_gives_its_whole_frames(tmp_path):
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for index in range(30):
        writer.write(np.random.default_rng(index).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = list(read_frames(path, 2))
    assert [index for index, _, _ in frames][:2] == [0, 5]
    assert frames[-1][0] < 20


def test_backgrounds_join_a_data_set_once_and_are_no_problem_there(tmp_path):
    source = video(tmp_path / "bench.avi", 10, 11)
    Dataset.create(tmp_path / "set", ["magnet"])
    for _ in range(2):
        dataset = write_backgrounds(source, tmp_path / "set", 2, grey=True, split="train")
        assert dataset.names == ("background_bench_000000", "background_bench_000005", "background_bench_000010")
    assert dataset.classes == ("magnet",)
    assert dataset["background_bench_000005"].record["seconds"] == pytest.approx(0.5)
    report = check(tmp_path / "set")
    assert (report.images, report.backgrounds) == (3, 3)
    assert "empty labels" not in report.kinds
    data = convert(tmp_path / "set", tmp_path / "yolo", "yolo").path.parent
    labels = sorted((data / "labels" / "train").iterdir())
    assert [(f.name, f.read_text()) for f in labels] == [(f"{n}.txt", "") for n in dataset.names]


def test_backgrounds_alone_make_a_set_without_classes(tmp_path):
    dataset = write_backgrounds(video(tmp_path / "bench.avi", 2, 3), tmp_path / "set", 2)
    assert (len(dataset), dataset.classes) == (3, ())


def test_a_second_video_of_the_same_name_overwrites_and_loses_nothing(tmp_path):
    for number, name in enumerate(("first", "second")):
        (tmp_path / name).mkdir()
        writer = cv2.VideoWriter(str(tmp_path / name / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 2, (64, 48))
        writer.write(np.full((48, 64, 3), 60 + 100 * number, np.uint8))
        writer.release()
    first, second = (tmp_path / name / "v.avi" for name in ("first", "second"))
    (file,) = write_frames(first, tmp_path / "out")
    before = file.read_bytes()
    with pytest.raises(CadsightError, match=r"v_000000\.png is there and is something else"):
        write_frames(second, tmp_path / "out")
    assert file.read_bytes() == before
    assert write_frames(first, tmp_path / "out") == [file]
    assert len(write_backgrounds(first, tmp_path / "set")) == 1
    with pytest.raises(CadsightError, match="has another image called 'background_v_000000' than frame 0"):
        write_backgrounds(second, tmp_path / "set")
    assert len(write_backgrounds(first, tmp_path / "set")) == 1
