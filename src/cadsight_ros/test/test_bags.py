import re
import struct
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from builtin_interfaces.msg import Time
from cadsight_core.errors import CadsightError
from cadsight_ros.bags import BagMessage, BagWriter, read_bag, typestore_with
from cadsight_ros.recorder import RecordedTopic, Recorder
from geometry_msgs.msg import Vector3
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader
from std_msgs.msg import Header, String

from cadsight_interfaces.msg import SurfaceNormal, SurfaceNormalArray

NORMALS = SurfaceNormalArray(
    header=Header(stamp=Time(sec=3), frame_id="optical"),
    normals=[SurfaceNormal(id="0", class_id="bracket", normal=Vector3(z=-1.0))],
)


def test_messages_come_back_as_they_were_written_our_own_types_included(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/normals", "cadsight_interfaces/msg/SurfaceNormalArray", 10, serialize_message(NORMALS))
        bag.write("/word", "std_msgs/msg/String", 20, serialize_message(String(data="a")))
        bag.write("/normals", "cadsight_interfaces/msg/SurfaceNormalArray", 30, serialize_message(NORMALS))
    messages = list(read_bag(tmp_path / "bag"))
    assert [(m.topic, m.nanoseconds) for m in messages] == [("/normals", 10), ("/word", 20), ("/normals", 30)]
    assert messages[0].type_name == "cadsight_interfaces/msg/SurfaceNormalArray"
    assert deserialize_message(messages[0].data, SurfaceNormalArray) == NORMALS
    assert [m.nanoseconds for m in read_bag(tmp_path / "bag", ["/word"])] == [20]
    assert list(read_bag(tmp_path / "bag", ["/other"])) == []


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        # Of the official packages; players of bags refuse a type whose hash differs.
        ("sensor_msgs/msg/Image", "RIHS01_d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47"),
        ("vision_msgs/msg/Detection2DArray", "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968"),
    ],
)
def test_types_carry_the_hashes_of_the_wire(name, digest):
    assert typestore_with(name).hash_rihs01(name) == digest


def test_a_type_that_is_not_installed_is_named(tmp_path):
    with BagWriter(tmp_path / "bag") as bag, pytest.raises(CadsightError, match="nobodys_msgs/msg/Thing is not"):
        bag.write("/thing", "nobodys_msgs/msg/Thing", 0, b"")


def test_what_was_sent_once_is_offered_latched_to_who_comes_late(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        for topic in ("/tf", "/tf_static", "/robot_description"):
            bag.write(topic, "std_msgs/msg/String", 1, serialize_message(String(data="a")))
    with Reader(tmp_path / "bag") as reader:
        offered = {one.topic: one.ext.offered_qos_profiles for one in reader.connections}
    assert offered["/tf"] == []
    for topic in ("/tf_static", "/robot_description"):
        (qos,) = offered[topic]
        assert (qos.durability, qos.reliability) == (QosDurability.TRANSIENT_LOCAL, QosReliability.RELIABLE)
    # As rosbag2 writes it since Iron, by names.
    assert (tmp_path / "bag/metadata.yaml").read_text().count("durability: transient_local") == 2


def test_a_bag_is_never_written_over(tmp_path):
    (tmp_path / "bag").mkdir()
    with pytest.raises(CadsightError, match="is there already, expected a new folder"):
        BagWriter(tmp_path / "bag")


def not_in_utf_8(bag):
    (bag / "metadata.yaml").write_bytes(b"\x8e\xff")


def files_that_are_a_number(bag):
    file = bag / "metadata.yaml"
    file.write_text(re.sub(r"files:\n(- .*\n|  .*\n)*", "files: 7\n", file.read_text()))


def a_record_longer_than_the_memory(bag):
    file = bag / "bag.mcap"
    data = file.read_bytes()
    file.write_bytes(data[:9] + struct.pack("<Q", 2**60) + data[17:])  # the length of the header, behind magic and code


def a_topic_that_is_no_text(bag):
    file = bag / "bag.mcap"
    file.write_bytes(file.read_bytes().replace(b"/word", b"\xff\xfe\xff\xfe\xff"))


@pytest.mark.parametrize(
    "spoil", [not_in_utf_8, files_that_are_a_number, a_record_longer_than_the_memory, a_topic_that_is_no_text]
)
def test_a_bag_with_broken_bytes_is_refused_in_a_sentence(tmp_path, spoil):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/word", "std_msgs/msg/String", 20, serialize_message(String(data="a")))
    whole = [file.read_bytes() for file in sorted((tmp_path / "bag").iterdir())]
    spoil(tmp_path / "bag")
    assert whole != [file.read_bytes() for file in sorted((tmp_path / "bag").iterdir())]
    with pytest.raises(CadsightError, match=r"bag is no whole bag: .+, expected a folder of rosbag2"):
        list(read_bag(tmp_path / "bag"))


def test_an_incomplete_bag_is_reported_as_one(tmp_path):
    with pytest.raises(CadsightError, match=r"nowhere is no whole bag"):
        list(read_bag(tmp_path / "nowhere"))
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/word", "std_msgs/msg/String", 20, serialize_message(String(data="a" * 1000)))
    file = tmp_path / "bag" / "bag.mcap"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(CadsightError, match="bag is no whole bag"):
        list(read_bag(tmp_path / "bag"))


def test_a_full_disk_is_reported_in_one_sentence(tmp_path):
    program = f"""
        import resource
        from cadsight_core.errors import CadsightError
        from cadsight_ros.bags import BagWriter
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        bag = BagWriter({str(tmp_path / "bag")!r})
        try:
            for number in range(100):
                bag.write("/word", "std_msgs/msg/String", number, bytes(100_000))
        except CadsightError as error:
            print(error)
    """
    words = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert "could not be extended: File too large" in done.stdout


def test_a_recorder_writes_what_arrives_with_the_time_of_its_arrival(node, tmp_path):
    qos = QoSProfile(depth=10)
    recorder = Recorder(node, BagWriter(tmp_path / "bag"), {"/word": RecordedTopic(String, qos)})
    publisher = node.create_publisher(String, "/word", qos)
    before = node.get_clock().now().nanoseconds
    end = time.monotonic() + 120
    while not publisher.get_subscription_count() and time.monotonic() < end:
        time.sleep(0.01)
    for word in ("one", "two", "three"):
        publisher.publish(String(data=word))
    while recorder.counts["/word"] < 3 and time.monotonic() < end:
        time.sleep(0.01)
    recorder.close()
    messages = list(read_bag(tmp_path / "bag"))
    assert [deserialize_message(m.data, String).data for m in messages] == ["one", "two", "three"]
    assert before < messages[0].nanoseconds <= messages[2].nanoseconds <= node.get_clock().now().nanoseconds
    assert all(isinstance(m, BagMessage) and m.type_name == "std_msgs/msg/String" for m in messages)
    assert not [thread for thread in threading.enumerate() if thread.name == "recorder"]
