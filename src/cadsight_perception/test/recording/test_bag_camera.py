import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from cadsight_core.errors import CadsightError
from cadsight_perception.recording.bag_camera import BagCamera
from cadsight_ros.bags import BagWriter
from cadsight_ros.convert.images import from_message, to_message
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
CALIBRATION = """\
image_width: {width}
image_height: 6
camera_matrix: {{rows: 3, cols: 3, data: [9, 0, 4, 0, 9, 3, 0, 0, 1]}}
distortion_model: plumb_bob
distortion_coefficients: {{rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}}
"""


def header(second: int) -> Header:
    return Header(stamp=Time(sec=second), frame_id="theirs")


def compressed(second: int, data: bytes) -> CompressedImage:
    return CompressedImage(header=header(second), format="png", data=data)


@pytest.fixture
def bag(tmp_path):
    """Raw, Bayer and compressed images of two moments, and an info of the first one."""
    png = cv2.imencode(".png", RGB[..., ::-1])[1].tobytes()
    mosaic = np.full((6, 8), 100, np.uint8)
    info = CameraInfo(header=header(1), width=8, height=6, k=[9.0, 0.0, 4.0, 0.0, 9.0, 3.0, 0.0, 0.0, 1.0])
    with BagWriter(tmp_path / "bag") as writer:

        def write(topic, message):
            kind = type(message)
            writer.write(topic, f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}", 1, serialize_message(message))

        for second in (1, 2):
            write("/raw", to_message(RGB, header(second)))
            write("/bayer", Image(header=header(second), width=8, height=6, step=8, encoding="bayer_rggb8",
                                  data=mosaic.tobytes()))  # fmt: skip
            write("/compressed", compressed(second, png))
        write("/compressed", compressed(3, png[:40]))
        write("/info", info)
    return tmp_path / "bag"


@pytest.mark.parametrize(
    ("topic", "expected"), [("/raw", RGB), ("/bayer", np.full_like(RGB, 100)), ("/compressed", RGB)]
)
def test_images_come_with_intrinsics_of_their_stamp_however_they_are_stored(bag, topic, expected):
    sentences: list[str] = []
    shots = list(BagCamera(bag, topic, "/info", left_out=sentences.append))
    assert [shot.stamp_ns for shot in shots] == [1_000_000_000, 2_000_000_000]
    for shot in shots:
        image, info = deserialize_message(shot.image, Image), deserialize_message(shot.info.data, CameraInfo)
        assert (from_message(image) == expected).all()
        assert image.header == Header(stamp=info.header.stamp, frame_id="theirs")
        assert info.k[0] == 9.0
    # The third compressed image is broken.
    assert len(sentences) == (topic == "/compressed")
    assert all("an image was left out: a compressed image of theirs has 40 bytes" in one for one in sentences)


def test_a_calibration_stands_in_for_intrinsics_that_the_bag_lacks(bag, tmp_path):
    file = tmp_path / "ost.yaml"
    file.write_text(CALIBRATION.format(width=8))
    (first, _) = BagCamera(bag, "/raw", "/nothing", file)
    info = deserialize_message(first.info.data, CameraInfo)
    assert (info.header, list(info.k)[:3], info.width) == (header(1), [9.0, 0.0, 4.0], 8)
    file.write_text(CALIBRATION.format(width=16))
    with pytest.raises(CadsightError, match="is for 16 x 6 pixels, expected the bag's images' 8 x 6"):
        next(iter(BagCamera(bag, "/raw", "/nothing", file)))


HELD = (
    "it holds /bayer (sensor_msgs/msg/Image, 2), /compressed (sensor_msgs/msg/CompressedImage, 3), "
    "/info (sensor_msgs/msg/CameraInfo, 1), /raw (sensor_msgs/msg/Image, 2)"
)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "has nothing on /camera/camera/color/image_raw, expected images of a camera"),
        ({"image_topic": "/info"}, "has sensor_msgs/msg/CameraInfo on /info, expected images of a camera"),
        ({"image_topic": "/raw"}, "has nothing on /camera/camera/color/camera_info, expected the camera's intrinsics"),
    ],
)
def test_a_topic_that_is_not_there_is_refused_with_what_the_bag_holds(bag, given, sentence):
    with pytest.raises(CadsightError) as refused:
        BagCamera(bag, **given)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(HELD)
