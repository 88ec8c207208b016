from pathlib import Path

import pytest
from cadsight_camera.sources import Capture, Wanted, source_of
from cadsight_core.errors import CadsightError


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("0", "webcam", "0"),
        ("/dev/video2", "webcam", "/dev/video2"),
        ("rtsp://user:pass@10.0.0.2:554/live", "stream", "rtsp://10.0.0.2:554/live"),
        ("HTTP://cam.local/video?quality=9", "stream", "HTTP://cam.local/video?quality=9"),
        ("udp://0.0.0.0:5000", "stream", "udp://0.0.0.0:5000"),
    ],
)
def test_a_text_names_a_webcam_or_a_stream_whose_password_nobody_reads(text, kind, shown):
    source = source_of(text)
    assert (source.text, source.kind, source.shown) == (text, kind, shown)


def test_any_other_text_names_a_file(video):
    assert source_of(str(video)).kind == "file"


@pytest.mark.parametrize("text", ["missing.mp4", "", "1234", "."])
def test_a_file_that_is_not_there_is_refused_with_what_may_be_given(text):
    with pytest.raises(CadsightError, match=r"is no file that is there, expected a video, the number of a webcam"):
        source_of(text)


def test_the_images_of_a_video_come_in_order_with_their_moments_and_colours(video):
    capture = Capture(source_of(str(video)), Wanted())
    frames = []
    while (frame := capture.read()) is not None:
        frames.append(frame)
    capture.close()
    assert capture.recorded
    assert capture.fps == pytest.approx(50)
    assert [frame.seconds for frame in frames] == pytest.approx([0.02 * number for number in range(10)])
    assert [frame.rgb[0, 0].tolist() for frame in frames] == [pytest.approx([20 * n] * 3, abs=2) for n in range(10)]
    assert frames[0].rgb.shape == (48, 64, 3)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path):
    file = tmp_path / "notes.mp4"
    file.write_text("no video")
    with pytest.raises(CadsightError, match=r"notes.mp4 could not be read as a video, expected MP4"):
        Capture(source_of(str(file)), Wanted())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("97", r"the webcam /dev/video97 is not there, expected one to be plugged in"),
        ("/dev/null", r"the webcam /dev/null could not be opened"),
        ("http://user:secret@127.0.0.1:1/", r"the stream http://127.0.0.1:1/ does not answer: Connection refused"),
        ("http://127.0.0.1:99999/", r"is no address: Port out of range"),
        ("file:///nowhere.mp4", r"the stream file:///nowhere.mp4 could not be read as a video"),
    ],
)
def test_a_camera_that_is_not_there_is_a_sentence_without_its_password(text, sentence):
    with pytest.raises(CadsightError, match=sentence) as refused:
        Capture(source_of(text), Wanted(timeout_s=1.0))
    assert "secret" not in str(refused.value)


def test_a_stream_of_jpeg_images_is_read_and_ends_when_its_server_does(stream):
    capture = Capture(source_of(stream.address), Wanted(timeout_s=5.0))
    first, second = capture.read(), capture.read()
    assert not capture.recorded
    assert first.taken <= second.taken
    assert second.rgb[24, 32].tolist() == pytest.approx([100] * 3, abs=3)
    stream.stop()
    while capture.read() is not None:
        pass
    capture.close()
