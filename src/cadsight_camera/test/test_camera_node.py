import threading
import urllib.request
from collections import defaultdict

import cv2
import numpy as np
import pytest
import rclpy
from cadsight_camera.camera_node import CameraNode
from cadsight_camera.view_node import ViewNode
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import from_message, to_message
from cadsight_ros.convert.messages import camera_from_info, stamp_ns
from cadsight_ros.domains import own_domain
from cadsight_ros.node.diagnostics import ERROR, OK, WARN
from cadsight_ros.node.running import run
from cadsight_ros.testing import spun
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

IMAGE, INFO = "/camera/camera/color/image_raw", "/camera/camera/color/camera_info"
PATIENCE_S = 60.0
CALIBRATION = """\
image_width: {width}
image_height: 48
camera_name: narrow_stereo
camera_matrix: {{rows: 3, cols: 3, data: [70.0, 0.0, 30.0, 0.0, 71.0, 25.0, 0.0, 0.0, 1.0]}}
distortion_model: plumb_bob
distortion_coefficients: {{rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0.002, 0.0]}}
rectification_matrix: {{rows: 3, cols: 3, data: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]}}
projection_matrix: {{rows: 3, cols: 4, data: [70.0, 0.0, 30.0, 0.0, 0.0, 71.0, 25.0, 0.0, 0.0, 0.0, 1.0, 0.0]}}
"""


class Listener:
    def __init__(self) -> None:
        self.node, self.received, self._changed = Node("listener"), defaultdict(list), threading.Condition()
        for kind, topic in ((Image, IMAGE), (CameraInfo, INFO), (DiagnosticArray, "/diagnostics")):
            self.node.create_subscription(kind, topic, lambda message, topic=topic: self._keep(topic, message), 50)

    def _keep(self, topic, message) -> None:
        with self._changed:
            self.received[topic].append(message)
            self._changed.notify_all()

    def until(self, condition) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S)

    def levels(self) -> list[tuple[bytes, str]]:
        statuses = [one for message in self.received["/diagnostics"] for one in message.status]
        return [(one.level, one.message) for one in statuses if one.name == "cadsight/camera"]


@pytest.fixture
def begun(ros):
    """Starts the node with parameters beside a listener."""
    stack = []

    def begin(**parameters) -> Listener:
        ros(*(word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")))
        listener = Listener()
        stack.append(spun(listener.node))
        stack[-1].__enter__()
        stack.append(spun(CameraNode()))
        stack[-1].__enter__()
        return listener

    yield begin
    for entered in reversed(stack):
        entered.__exit__(None, None, None)


def test_a_video_is_published_with_stamps_of_now_and_the_lens_that_is_assumed(begun, video, capfd):
    listener = begun(source=str(video), field_of_view_deg=90.0)
    before = listener.node.get_clock().now().nanoseconds
    listener.until(lambda: len(listener.received[IMAGE]) >= 12 and len(listener.received[INFO]) >= 12)
    images, infos = listener.received[IMAGE], listener.received[INFO]
    stamps = [stamp_ns(message.header.stamp) for message in images]
    assert stamps == sorted(set(stamps))
    assert before - 10e9 < stamps[0] < listener.node.get_clock().now().nanoseconds
    assert {message.header.frame_id for message in images} == {"camera_color_optical_frame"}
    assert {stamp_ns(message.header.stamp) for message in infos} >= set(stamps[1:-1])
    assert {int(from_message(message)[0, 0, 0]) for message in images} > {0, 20, 40}
    # 32 px at 45 degrees.
    assert camera_from_info(infos[0]).fx == pytest.approx(32.0)
    printed = "".join(capfd.readouterr())
    assert f"ready: {video} is published on {IMAGE}, 64 x 48 pixels" in printed
    assert "no calibration is given: assumed is a lens 90 degrees wide" in printed


def test_a_calibration_of_ros_becomes_the_camera_info(begun, video, tmp_path):
    file = tmp_path / "camera.yaml"
    file.write_text(CALIBRATION.format(width=64))
    listener = begun(source=str(video), calibration=str(file), frame="left_optical")
    listener.until(lambda: bool(listener.received[INFO]))
    info = listener.received[INFO][0]
    assert (info.width, info.height, info.distortion_model) == (64, 48, "plumb_bob")
    assert list(info.k) == [70.0, 0.0, 30.0, 0.0, 71.0, 25.0, 0.0, 0.0, 1.0]
    assert list(info.d) == [0.1, -0.2, 0.001, 0.002, 0.0]
    assert info.header.frame_id == "left_optical"


def test_fewer_images_than_asked_for_are_warned_of(begun, stream, capfd):
    listener = begun(source=stream.address, fps=500.0)
    listener.until(lambda: any(level == WARN for level, _ in listener.levels()))
    assert "images a second for 500 asked" in dict(listener.levels())[WARN]
    assert "images a second for 500 asked" in "".join(capfd.readouterr())


def test_a_stream_that_goes_away_is_an_error_until_it_is_back(begun, stream, capfd):
    listener = begun(source=stream.address, retry_s=0.1)
    listener.until(lambda: (OK, "publishes") in listener.levels())
    stream.stop()
    listener.until(lambda: listener.levels()[-1][0] == ERROR)
    listener.received["/diagnostics"].clear()
    listener.received[IMAGE].clear()
    stream.start()
    listener.until(lambda: (OK, "publishes") in listener.levels() and len(listener.received[IMAGE]) > 3)
    printed = "".join(capfd.readouterr())
    assert f"the stream http://127.0.0.1:{stream.port}/video gives no more images; it is tried again every" in printed
    assert printed.count("it is tried again") == 1
    assert f"http://127.0.0.1:{stream.port}/video is back after " in printed
    assert "secret" not in printed


def ended(capfd, **parameters) -> tuple[int, str]:
    """Exit status of the program and what it printed."""
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    domain = ["--ros-args", *words]
    status = run(CameraNode, domain)
    return status, "".join(capfd.readouterr())


@pytest.fixture
def in_own_domain(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", str(own_domain()))
    yield
    rclpy.try_shutdown()


def test_a_video_that_ends_ends_the_program_well_where_it_is_told_to(in_own_domain, capfd, video):
    status, printed = ended(capfd, source=str(video), at_end="end")
    assert status == 0
    assert f"{video} has ended after 10 images" in printed


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"source": "nowhere.mp4"}, "cadsight: the camera 'nowhere.mp4' is no file that is there"),
        ({"source": "{notes}"}, "could not be read as a video, expected MP4"),
        ({"source": "{video}", "calibration": "{wide}"}, "is for 640 x 48 pixels, expected the images' 64 x 48"),
        ({"source": "{video}", "calibration": "{notes}"}, "the calibration {notes} holds 'no video', expected"),
        ({"source": "{video}", "pixel_format": "JPG"}, "parameter pixel_format is 'JPG', expected four characters"),
        ({"source": "{video}", "at_end": "stop"}, "parameter at_end is 'stop', expected one of loop, end"),
    ],
)
def test_what_can_never_be_published_ends_the_program_with_a_sentence(
    in_own_domain, capfd, video, tmp_path, given, sentence
):
    names = {"video": video, "notes": tmp_path / "notes.mp4", "wide": tmp_path / "wide.yaml"}
    names["notes"].write_text("no video")
    names["wide"].write_text(CALIBRATION.format(width=640))
    status, printed = ended(capfd, **{name: value.format(**names) for name, value in given.items()})
    assert status == 2
    assert sentence.format(**names) in printed
    assert "Traceback" not in printed


def test_the_view_shows_what_is_published_and_listens_only_while_somebody_looks(ros, capfd):
    ros("-p", "image_topic:=/shown", "-p", "port:=0")
    tester = Node("tester")
    images = tester.create_publisher(Image, "/shown", qos.DRIVER)
    tester.create_timer(0.05, lambda: images.publish(to_message(np.full((48, 64, 3), (0, 200, 0), np.uint8), Header())))
    with spun(tester), spun(ViewNode()):
        address = "".join(capfd.readouterr()).split("look at ")[1].split()[0]
        assert images.get_subscription_count() == 0
        with urllib.request.urlopen(f"{address}/stream", timeout=PATIENCE_S) as answer:
            for _ in range(2):
                answer.readline()
            length = int(answer.readline().split()[1])
            answer.readline()
            image = cv2.imdecode(np.frombuffer(answer.read(length), np.uint8), cv2.IMREAD_COLOR_RGB)
        assert image[24, 32].tolist() == pytest.approx([0, 200, 0], abs=5)
        waiting = threading.Event()
        while images.get_subscription_count():
            assert not waiting.wait(0.05)
