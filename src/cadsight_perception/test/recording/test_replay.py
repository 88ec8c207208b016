import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import rclpy
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import encode_image
from cadsight_core.storage.folders.live_report import read_live_report, read_replayed
from cadsight_perception.parameters import ReplayParameters
from cadsight_perception.perception_node import PerceptionNode
from cadsight_perception.recording.live import BAG, REPORT, record, record_live
from cadsight_perception.recording.live_report import compare
from cadsight_perception.recording.replay import Replay
from cadsight_perception.replay_node import ReplayNode
from cadsight_ros.bags import BagWriter, read_bag
from cadsight_ros.clients import spinning
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import from_message
from cadsight_ros.convert.messages import serialized_stamp_ns
from cadsight_ros.domains import own_domain
from camera_rig import CAMERA, CameraRig
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String

from cadsight_perception import topics


@contextlib.contextmanager
def spun(name: str) -> Iterator[Node]:
    node = Node(name)
    try:
        with spinning(node):
            yield node
    finally:
        node.destroy_node()


@pytest.fixture(scope="module")
def perception(models):
    """A perception node that infers."""
    words = ["--ros-args", "-r", "__ns:=/cadsight"]
    for given in (
        f"models_folder:={models}", "confidence:=0.0", "max_detections:=2", "warm_up_width:=64", "warm_up_height:=48",
    ):  # fmt: skip
        words += ["-p", given]
    rclpy.init(args=words, domain_id=own_domain())
    node = PerceptionNode()
    try:
        with spinning(node, 3):
            yield node
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture(scope="module")
def run(perception, tmp_path_factory):
    """The folder and the report of a live run."""
    folder = tmp_path_factory.mktemp("live")
    with spun("camera") as camera, spun("live") as live:
        rig = CameraRig(camera)
        rig.wait_for_listener()
        reports = []
        progress = threading.Thread(target=lambda: reports.append(record_live(live, folder, 3.0, 40.0)))
        progress.start()
        while progress.is_alive():
            rig.info()
            rig.image()
            time.sleep(0.1)
        progress.join()
        with pytest.raises(CadsightError, match="another publisher of"), spun("replay") as node:
            Replay(node, 5.0).play(folder / BAG, paced=True)
    return folder, reports[0]


def span_s(bag: Path) -> float:
    """Seconds between the stamps of the first and the last image."""
    stamps = [serialized_stamp_ns(m.data) for m in read_bag(bag, [topics.IMAGE])]
    return (stamps[-1] - stamps[0]) / 1e9


def test_a_live_run_leaves_a_bag_and_a_report_that_agree(run):
    folder, report = run
    assert read_live_report(folder / REPORT) == report
    counts: dict[str, int] = {}
    for message in read_bag(folder / BAG):
        counts[message.topic] = counts.get(message.topic, 0) + 1
    assert 1 < report.figures.frames <= counts[topics.TIMING]
    assert counts[topics.IMAGE] >= report.figures.frames - 1
    assert report.figures.detections == 2 * report.figures.frames
    assert report.figures.wrong_stamps == 0
    assert {len(frame.detections) for frame in report.results} == {2}
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("how", [{"paced": True, "rate": 2.0}, {"paced": False}])
def test_a_replay_gives_the_same_for_every_image(run, how):
    folder, live = run
    with spun("replay") as node:
        replay = Replay(node, 40.0).play(folder / BAG, **how)
    verdict = compare(live, replay)
    assert verdict.differences == ()
    assert verdict.equal
    assert verdict.compared >= 1
    assert replay.figures.wrong_stamps == 0
    if not how["paced"]:
        assert replay.figures.dropped == 0
        assert verdict.compared >= live.figures.frames - 2


def test_a_replay_reports_how_many_of_the_live_results_it_compared(run, tmp_path):
    folder, live = run
    seen = {frame.stamp_ns for frame in live.results}
    images = [m for m in read_bag(folder / BAG, [topics.IMAGE]) if serialized_stamp_ns(m.data) in seen]
    left_out = set(map(id, images[1::2]))
    with BagWriter(tmp_path / "bag") as bag:
        for message in itertools.chain(read_bag(folder / BAG, [topics.CAMERA_INFO]), images):
            if id(message) not in left_out:
                bag.write(message.topic, message.type_name, message.nanoseconds, message.data)
    with spun("replay") as node:
        verdict = compare(live, Replay(node, 40.0).play(tmp_path / "bag", paced=ReplayParameters.paced))
    assert verdict.equal
    assert verdict.compared == len(images) - len(left_out)
    assert verdict.only_live == live.figures.frames - verdict.compared > 0


def test_a_replay_faster_than_the_node_infers_differs_in_nothing_it_compared(run):
    folder, live = run
    with spun("replay") as node:
        verdict = compare(live, Replay(node, 40.0).play(folder / BAG, paced=True, rate=100.0))
    assert verdict.differences == ()
    assert verdict.live_results == live.figures.frames == verdict.compared + verdict.only_live
    assert verdict.compared < live.figures.frames


def test_a_bag_that_takes_longer_than_the_time_out_is_played_to_its_end(run):
    folder, live = run
    rate = span_s(folder / BAG) / 6.0
    began = time.monotonic()
    with spun("replay") as node:
        replay = Replay(node, 3.0).play(folder / BAG, paced=True, rate=rate)
    assert time.monotonic() - began > 5.0
    assert compare(live, replay).equal


def test_images_that_are_further_apart_than_the_time_out_are_waited_for(run, tmp_path):
    folder, _ = run
    with BagWriter(tmp_path / "bag") as bag:
        for message in itertools.chain(*(itertools.islice(read_bag(folder / BAG, [t]), 3) for t in topics.CAMERA)):
            bag.write(message.topic, message.type_name, message.nanoseconds, message.data)
    with spun("replay") as node:
        replay = Replay(node, 2.0).play(tmp_path / "bag", paced=True, rate=0.04)
    assert (replay.figures.frames, replay.figures.dropped) == (3, 0)


@pytest.mark.parametrize("paced", [True, False])
def test_a_node_that_stops_answering_is_reported_in_one_sentence(run, perception, paced):
    folder, _ = run
    # Played over eight seconds, whatever the live run's speed was, so that images are still sent when it is silent.
    rate = span_s(folder / BAG) / 8.0
    sent: list[int] = []

    def count() -> None:
        sent.append(1)
        if len(sent) == 3:
            time.sleep(1.0)
            perception.trigger_deactivate()

    try:
        with (
            spun("replay") as node,
            # After three, or fewer where the first ones were lost on the way and the bag has a gap there.
            pytest.raises(CadsightError, match=r"no result for [2-9]\.\d s, after [1-3] of the \d+ images of .*bag"),
        ):
            Replay(node, 2.0).play(folder / BAG, paced=paced, rate=rate, progress=count)
    finally:
        perception.trigger_activate()


def test_the_replay_node_writes_the_verdict_into_its_report(run):
    folder, live = run
    out = folder / "replay.json"
    options = ReplayParameters(bag=str(folder / BAG), report=str(out), live_report=str(folder / REPORT), timeout_s=40.0)
    node = ReplayNode(options)
    try:
        with spinning(node):
            replayed = node.play()
    finally:
        node.destroy_node()
    assert read_replayed(out) == replayed
    assert replayed.verdict.equal is True
    assert replayed.verdict.compared >= live.figures.frames - 2


def test_the_replay_node_refuses_to_write_over_a_file_of_others_before_it_plays(tmp_path):
    theirs = tmp_path / "replay.json"
    theirs.write_text("mine")
    with pytest.raises(CadsightError, match=r"replay\.json is no earlier output of ours"):
        ReplayNode(ReplayParameters(bag=str(tmp_path / "bag"), report=str(theirs)))
    assert theirs.read_text() == "mine"


def test_a_changed_report_is_no_longer_equal(run):
    _, live = run
    first, *others = live.results
    seen, *more = first.detections
    x0, *corners = seen.box
    moved = replace(seen, box=(x0 + 5.0, *corners))
    other = replace(live, results=(replace(first, detections=(moved, *more)), *others))
    verdict = compare(live, other)
    assert (verdict.equal, verdict.different) == (False, 1)


def test_a_bag_without_a_camera_is_refused(run, tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/word", "std_msgs/msg/String", 1, serialize_message(String(data="a")))
    with spun("replay") as node, pytest.raises(CadsightError, match=f"has nothing on {topics.IMAGE}") as refused:
        Replay(node, 5.0).play(tmp_path / "bag", paced=True)
    assert "it holds /word (std_msgs/msg/String, 1)" in str(refused.value)


def test_a_bag_with_other_names_compressed_images_and_a_calibration_gives_what_the_live_run_gave(run, tmp_path):
    folder, live = run
    with BagWriter(tmp_path / "bag") as bag:
        for message in read_bag(folder / BAG, [topics.IMAGE]):
            image = deserialize_message(message.data, Image)
            data = encode_image(from_message(image), "image.png")
            sent = CompressedImage(header=image.header, format="rgb8; png compressed bgr8", data=data)
            name = "sensor_msgs/msg/CompressedImage"
            bag.write("/cam/image/compressed", name, message.nanoseconds, serialize_message(sent))
    calibration = tmp_path / "ost.yaml"
    k = ", ".join(str(value) for value in CAMERA.matrix.ravel())
    text = f"image_width: 64\nimage_height: 48\ncamera_matrix: {{rows: 3, cols: 3, data: [{k}]}}\n"
    calibration.write_text(text + "distortion_model: plumb_bob\ndistortion_coefficients: {data: [0, 0, 0, 0, 0]}\n")
    with spun("replay") as node:
        given = {"image_topic": "/cam/image/compressed", "calibration": calibration}
        verdict = compare(live, Replay(node, 40.0).play(tmp_path / "bag", paced=False, **given))
    assert verdict.differences == ()
    assert verdict.compared >= live.figures.frames - 2


def test_a_new_recording_replaces_the_old_bag(run, tmp_path):
    with spun("record") as node:
        joints = node.create_publisher(JointState, topics.JOINTS, qos.JOINTS)
        node.create_timer(0.02, lambda: joints.publish(JointState()))
        record(node, tmp_path / "bag", topics.ROBOT, 1.0)
        first = next(read_bag(tmp_path / "bag")).nanoseconds
        counts = record(node, tmp_path / "bag", topics.ROBOT, 1.0)
    assert counts[topics.JOINTS] == len(list(read_bag(tmp_path / "bag"))) > 0
    assert next(read_bag(tmp_path / "bag")).nanoseconds > first
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


def test_a_recording_of_a_camera_with_other_names_replaces_its_own_earlier_one(run, tmp_path):
    recorded = topics.camera("/cam/image/compressed", "/cam/info")
    assert [one.message_type for one in recorded.values()] == [CompressedImage, CameraInfo]
    with spun("record") as node:
        infos = node.create_publisher(CameraInfo, "/cam/info", qos.DRIVER)
        node.create_timer(0.02, lambda: infos.publish(CameraInfo()))
        for _ in range(2):
            assert record(node, tmp_path / "bag", recorded, 0.5)["/cam/info"] > 0
    assert {message.topic for message in read_bag(tmp_path / "bag")} == {"/cam/info"}


def test_a_recording_of_silent_topics_is_refused_and_leaves_nothing(run, tmp_path):
    with (
        spun("record") as node,
        pytest.raises(CadsightError, match="nothing came on /joint_states, /tf, /tf_static, /robot"),
    ):
        record(node, tmp_path / "bag", topics.ROBOT, 0.2)
    assert list(tmp_path.iterdir()) == []


def test_who_is_missing_is_named(run, tmp_path):
    with spun("live") as node, pytest.raises(CadsightError, match=f"nobody published on {topics.IMAGE} for 0.5 s"):
        record_live(node, tmp_path, 1.0, 0.5)
