import cv2
import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_ros.convert.compressed import transported
from cadsight_ros.convert.images import from_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
SMOOTH = cv2.resize(RGB[:2, :2], (48, 32), interpolation=cv2.INTER_LINEAR)


def message(image: np.ndarray, suffix: str, form: str) -> CompressedImage:
    return CompressedImage(header=Header(frame_id="camera"), format=form, data=cv2.imencode(suffix, image)[1].tobytes())


@pytest.mark.parametrize("form", ["png", "rgb8; png compressed bgr8", "bgr8; png compressed bgr8", ""])
def test_a_png_is_read_without_loss(form):
    assert (from_message(message(RGB[..., ::-1], ".png", form)) == RGB).all()


def test_a_png_whose_sender_took_red_for_blue_is_put_right():
    # What OpenCV is told is blue first holds red first.
    assert (from_message(message(RGB, ".png", "rgb8; png compressed rgb8")) == RGB).all()


@pytest.mark.parametrize("form", ["jpeg", "rgb8; jpeg compressed bgr8"])
def test_a_jpeg_is_what_opencv_decodes(form):
    sent = message(SMOOTH[..., ::-1], ".jpg", form)
    read = from_message(sent)
    expected = cv2.imdecode(np.frombuffer(bytes(sent.data), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert (read == expected).all()
    assert np.abs(read.astype(int) - SMOOTH).max() <= 12


def test_a_grey_image_has_three_equal_channels_and_of_16_bits_the_upper_eight():
    assert (from_message(message(RGB[..., 0], ".png", "mono8; png compressed mono8")) == RGB[..., :1]).all()
    deep = np.full((4, 4), 0x12F0, np.uint16)
    assert (from_message(message(deep, ".png", "mono16; png compressed mono16")) == 0x12).all()


@pytest.mark.parametrize(("form", "kind"), [("bayer_rggb8", np.uint8), ("bayer_rggb16", np.uint16)])
def test_a_mosaic_that_was_compressed_as_it_is_becomes_colours(form, kind):
    mosaic = np.full((6, 8), 100, np.uint8)
    mosaic[::2, ::2], mosaic[1::2, 1::2] = 200, 50
    sent = mosaic if kind == np.uint8 else mosaic.astype(np.uint16) << 8
    assert (from_message(message(sent, ".png", f"{form}; png compressed {form}")) == (200, 100, 50)).all()


def test_a_mosaic_that_was_compressed_in_colours_keeps_them():
    assert (from_message(message(RGB[..., ::-1], ".png", "bayer_rggb8; png compressed bgr8")) == RGB).all()


def test_the_exif_of_a_camera_turns_nothing_since_the_intrinsics_are_the_sensors():
    plain = cv2.imencode(".jpg", SMOOTH[..., ::-1])[1].tobytes()
    # Big-endian TIFF of one entry: orientation (0x0112), a short, once, 6 (turned by 90 degrees).
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (48, 32, 3)
    assert from_message(CompressedImage(format="jpeg", data=turned)).shape == SMOOTH.shape


PNG = cv2.imencode(".png", RGB)[1].tobytes()
WHOLE = cv2.imencode(".jpg", SMOOTH)[1].tobytes()


@pytest.mark.parametrize(
    ("data", "form", "sentence"),
    [
        (b"", "jpeg", "has 0 bytes of the format 'jpeg', expected a whole file of jpeg or png"),
        (b"no image", "jpeg", "has 8 bytes of the format 'jpeg', expected"),
        (bytes(12) + PNG, "16UC1; compressedDepth png", "'16UC1; compressedDepth png'"),
        (WHOLE[: len(WHOLE) // 2], "jpeg", "that cannot be decoded, expected a whole file"),
        (PNG[:-20], "png", "that cannot be decoded, expected a whole file"),
        (cv2.imencode(".bmp", RGB)[1].tobytes(), "bmp", "expected a whole file of jpeg or png"),
    ],
)
def test_what_is_no_whole_jpeg_or_png_is_refused_by_one_sentence(data, form, sentence):
    with pytest.raises(CadsightError) as refused:
        from_message(CompressedImage(header=Header(frame_id="camera"), format=form, data=data))
    assert sentence in str(refused.value)
    assert "of camera" in str(refused.value)


def test_compressed_images_come_on_the_topic_of_image_transport():
    assert transported("/camera/image_raw", "raw") == (Image, "/camera/image_raw")
    assert transported("/camera/image_raw", "compressed") == (CompressedImage, "/camera/image_raw/compressed")
