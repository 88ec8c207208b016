import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_ros.convert import images
from cadsight_ros.convert.images import depth_from_message, depth_to_message, from_message, to_message
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sensor_msgs.msg import Image
from std_msgs.msg import Header

HEADER = Header(frame_id="camera")


@pytest.fixture(params=["numpy", "cv_bridge"])
def path(request, monkeypatch):
    """Every test below holds for both ways of reading."""
    if request.param == "cv_bridge":
        bridge = pytest.importorskip("cv_bridge", reason="cv_bridge is not installed").CvBridge()
        monkeypatch.setattr(images, "_cv_bridge", lambda: bridge)
    else:
        monkeypatch.setattr(images, "_cv_bridge", lambda: None)
    return request.param


def message(encoding: str, width: int, height: int, data: bytes, step: int, big_endian: bool = False) -> Image:
    return Image(
        header=HEADER, encoding=encoding, width=width, height=height, step=step, data=data, is_bigendian=big_endian
    )


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize(
    ("encoding", "pixel", "rgb"),
    [
        ("rgb8", [10, 20, 30], [10, 20, 30]),
        ("bgr8", [30, 20, 10], [10, 20, 30]),
        ("8UC3", [30, 20, 10], [10, 20, 30]),
        ("rgba8", [10, 20, 30, 99], [10, 20, 30]),
        ("bgra8", [30, 20, 10, 99], [10, 20, 30]),
        ("mono8", [77], [77, 77, 77]),
        ("8UC1", [77], [77, 77, 77]),
    ],
)
def test_each_colour_encoding_becomes_rgb(path, encoding, pixel, rgb, padding):
    # Two rows of two pixels; only the last one is the pixel in question.
    row = bytes(len(pixel)) + bytes(pixel)
    data = bytes(len(row) + padding) + row + bytes(padding)
    read = from_message(message(encoding, 2, 2, data, len(row) + padding))
    assert read.shape == (2, 2, 3)
    assert read.dtype == np.uint8
    assert read[1, 1].tolist() == rgb
    assert not read[0].any()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("yuv422_yuy2", [81, 90, 145, 240]),
        ("yuyv", [81, 90, 145, 240]),
        ("yuv422", [90, 81, 240, 145]),
        ("uyvy", [90, 81, 240, 145]),
    ],
)
def test_yuv_is_read_by_the_video_standard(path, encoding, data):
    # BT.601: Y 81, U 90, V 240 is pure red (255, 0, 0); the other pixel has the same colour with Y 145.
    read = from_message(message(encoding, 2, 1, bytes(data), 4)).astype(int)
    assert np.abs(read[0, 0] - [255, 0, 0]).max() <= 2
    assert np.abs(read[0, 1] - [255, 73, 74]).max() <= 2


# Where red and blue lie in each square of four; green lies in the other two.
MOSAICS = {"rggb": ((0, 0), (1, 1)), "bggr": ((1, 1), (0, 0)), "gbrg": ((1, 0), (0, 1)), "grbg": ((0, 1), (1, 0))}


@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize(("big_endian", "kind"), [(False, "u1"), (False, "<u2"), (True, ">u2")])
@pytest.mark.parametrize("order", MOSAICS)
def test_the_colours_of_a_mosaic_come_from_where_its_name_says(path, order, big_endian, kind, padding):
    (red_y, red_x), (blue_y, blue_x) = MOSAICS[order]
    mosaic = np.full((6, 8), 100, kind)
    mosaic[red_y::2, red_x::2], mosaic[blue_y::2, blue_x::2] = 200, 50
    wide = mosaic.itemsize == 2
    stored = (mosaic << 8 if wide else mosaic).astype(kind)
    rows = np.pad(stored.view(np.uint8).reshape(6, -1), ((0, 0), (0, padding)))
    name = f"bayer_{order}{16 if wide else 8}"
    read = from_message(message(name, 8, 6, rows.tobytes(), rows.shape[1], big_endian))
    assert (read == (200, 100, 50)).all()


def test_each_pixel_of_a_mosaic_and_of_shared_colours_is_what_opencv_makes_of_it(path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 2), np.uint8)
    for name, code in (("yuyv", cv2.COLOR_YUV2RGB_YUYV), ("uyvy", cv2.COLOR_YUV2RGB_UYVY)):
        assert (from_message(message(name, 8, 6, pixels.tobytes(), 16)) == cv2.cvtColor(pixels, code)).all()
    mosaic = np.ascontiguousarray(pixels[..., 0])
    read = from_message(message("bayer_grbg8", 8, 6, mosaic.tobytes(), 8))
    assert (read == cv2.cvtColor(mosaic, cv2.COLOR_BayerGB2BGR)[..., ::-1]).all()


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(
    ("encoding", "kind", "values", "metres"),
    [
        ("16UC1", "u2", [[0, 1], [1500, 65535]], [[0, 0.001], [1.5, 65.535]]),
        ("mono16", "u2", [[0, 1], [1500, 65535]], [[0, 0.001], [1.5, 65.535]]),
        ("32FC1", "f4", [[0.0, 0.25], [np.nan, np.inf]], [[0, 0.25], [0, 0]]),
    ],
)
def test_depth_comes_in_metres_with_zero_for_unknown(path, encoding, kind, values, metres, big_endian):
    stored = np.array(values, kind).astype((">" if big_endian else "<") + kind)
    step = stored.itemsize * 2
    read = depth_from_message(message(encoding, 2, 2, stored.tobytes(), step, big_endian))
    assert read.dtype == np.float32
    assert read == pytest.approx(np.array(metres))


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (message("rgb8", 0, 0, b"", 0), "0 x 0 pixels"),
        (message("rgb8", 2, 0, b"", 6), "2 x 0 pixels"),
        (message("rgb7", 2, 2, bytes(12), 6), "encoded as 'rgb7'"),
        (message("", 2, 2, bytes(12), 6), "encoded as ''"),
        (message("16UC1", 2, 2, bytes(8), 4), "expected a colour image"),
        (message("rgb8", 2, 2, bytes(11), 6), "has 11 bytes in steps of 6, expected 2 rows of at least 6"),
        (message("rgb8", 2, 2, bytes(10), 5), "has 10 bytes in steps of 5, expected 2 rows of at least 6"),
        (message("rgb8", 2, 2, b"", 6), "has 0 bytes"),
        (message("yuv422", 3, 1, bytes(6), 6), "3 wide, expected even"),
        (message("yuyv", 3, 1, bytes(6), 6), "3 wide, expected even"),
    ],
)
def test_a_message_that_does_not_fit_itself_is_refused_by_one_sentence(path, bad, sentence):
    with pytest.raises(CadsightError) as refused:
        from_message(bad)
    assert sentence in str(refused.value)
    assert "camera" in str(refused.value)


def test_colour_is_no_depth(path):
    with pytest.raises(CadsightError, match="encoded as 'rgb8', expected depth"):
        depth_from_message(message("rgb8", 2, 2, bytes(12), 6))


@given(rgb=arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_what_is_written_is_read_again(encoding, rgb):
    sent = to_message(rgb, HEADER, encoding)
    assert (sent.width, sent.height, sent.step) == (rgb.shape[1], rgb.shape[0], rgb.shape[1] * 3)
    assert (from_message(sent) == rgb).all()


def test_a_view_into_a_larger_image_is_written_as_its_own_pixels():
    whole = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    assert (from_message(to_message(whole[1:3, 1:3], HEADER)) == whole[1:3, 1:3]).all()


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_depth_is_written_in_its_unit_and_read_again(encoding):
    depth = np.array([[0.0, 0.512], [np.nan, 3.0]])
    read = depth_from_message(depth_to_message(depth, HEADER, encoding))
    assert read == pytest.approx(np.array([[0.0, 0.512], [0.0, 3.0]]))


@pytest.mark.parametrize(
    ("image", "encoding"),
    [
        (np.zeros((2, 2), np.uint8), "rgb8"),
        (np.zeros((2, 2, 3), np.float32), "rgb8"),
        (np.zeros((0, 2, 3), np.uint8), "rgb8"),
        (np.zeros((2, 2, 3), np.uint8), "rgb16"),
    ],
)
def test_only_an_rgb_image_in_a_known_encoding_is_published(image, encoding):
    with pytest.raises(CadsightError, match="to publish is"):
        to_message(image, HEADER, encoding)
