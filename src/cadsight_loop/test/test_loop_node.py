"""The loop's node beside a camera and a perception node of the test's own."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict

import numpy as np
import pytest
from cadsight_active.loop.history import History, Triggered
from cadsight_loop.loop_node import LoopNode
from cadsight_ros.clients import ServiceClient
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import to_message
from cadsight_ros.convert.messages import stamp_from_ns, stamp_ns
from cadsight_ros.domains import own_domain
from cadsight_ros.testing import spun
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from cadsight_interfaces.msg import Alarm, PoolDecision, SeenImage
from cadsight_interfaces.srv import GetStatistics

IMAGE, SEEN = "/camera/camera/color/image_raw", "/cadsight/perception/seen"
PATIENCE_S = 40.0


class Rig:
    """Publishes images with what was seen in them, and keeps what the loop says."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.received = defaultdict(dict)
        self._changed = threading.Condition()
        self._images = node.create_publisher(Image, IMAGE, qos.DRIVER)
        self._seen = node.create_publisher(SeenImage, SEEN, qos.RESULTS)
        for kind, name in ((PoolDecision, "decision"), (Alarm, "alarm")):
            node.create_subscription(kind, f"/cadsight/loop/{name}", lambda m, n=name: self._keep(n, m), qos.RESULTS)
        self._next_ns = 1_795_000_000_000_000_000

    def meet(self) -> None:
        """Until the loop listens to both topics."""
        with self._changed:
            while not (self._images.get_subscription_count() and self._seen.get_subscription_count()):
                self._changed.wait(0.02)

    def show(self, number: int, scores=(0.5, 0.5), width: int = 8, **changes) -> PoolDecision:
        """An image of a number's own, and the decision of it."""
        rng = np.random.default_rng(number)
        self._next_ns += 1_000_000_000
        header = Header(stamp=stamp_from_ns(self._next_ns), frame_id="camera")
        rows = len(scores) // 2
        seen = SeenImage(
            header=header,
            generation=1,
            detector_sha256="a" * 64,
            features_sha256="b" * 64,
            classes=["bracket", "plate"],
            boxes=[1.0, 1.0, 9.0, 9.0] * rows,
            scores=list(scores),
            object_features=rng.standard_normal(width * rows).tolist(),
            image_features=rng.standard_normal(width).tolist(),
        )
        for name, value in changes.items():
            setattr(seen, name, value)
        pixels = rng.integers(0, 255, (12, 16, 3), np.uint8)
        stamp = stamp_ns(header.stamp)
        for _ in range(40):
            self._images.publish(to_message(pixels, header))
            self._seen.publish(seen)
            with self._changed:
                if self._changed.wait_for(lambda: stamp in self.received["decision"], 1.0):
                    return self.received["decision"][stamp]
        raise AssertionError("no decision came")

    def alarm(self, decision: PoolDecision) -> Alarm:
        stamp = stamp_ns(decision.header.stamp)
        with self._changed:
            assert self._changed.wait_for(lambda: stamp in self.received["alarm"], PATIENCE_S)
        return self.received["alarm"][stamp]

    def statistics(self) -> dict[str, str]:
        client = ServiceClient(self.node, GetStatistics, "/cadsight/loop/get_statistics", timeout_s=PATIENCE_S)
        status = client.call(GetStatistics.Request()).status
        return {"message": status.message} | {pair.key: pair.value for pair in status.values}

    def _keep(self, name, message) -> None:
        with self._changed:
            self.received[name][stamp_ns(message.header.stamp)] = message
            self._changed.notify_all()


@pytest.fixture
def started(ros, tmp_path):
    with contextlib.ExitStack() as stack:

        def start(*parameters: str) -> Rig:
            given = [f"folder:={tmp_path}/loop", "keeper.max_hz:=1000.0", *parameters]
            ros("-r", "__ns:=/cadsight", *(word for p in given for word in ("-p", p)))
            tester = Node("tester")
            stack.enter_context(spun(tester))
            stack.enter_context(spun(LoopNode(), 3))
            rig = Rig(tester)
            rig.meet()
            return rig

        yield start


def test_each_image_is_decided_by_what_was_seen_in_it(started, tmp_path):
    rig = started("learns:=false")
    kept = rig.show(1)
    assert (kept.verdict, kept.name, kept.uncertainty) == ("kept", "000000001", 1.0)
    assert kept.reason.startswith("the model is unsure: 1.000 of 1")
    assert (tmp_path / "loop" / "pool" / "images" / "000000" / "000000001.png").is_file()
    assert rig.show(1).verdict == "duplicate"
    assert rig.show(2, ()).verdict == "known"
    counted = rig.statistics()
    assert (counted["kept"], counted["duplicate"], counted["known"]) == ("1", "1", "1")


def test_a_model_without_features_is_decided_by_its_scores(started):
    rig = started("learns:=false")
    nothing = {"object_features": [], "image_features": [], "features_sha256": ""}
    assert rig.show(1, **nothing).verdict == "kept"
    assert rig.show(2, (0.99, 0.01), **nothing).verdict == "known"


def test_an_alarm_is_published_and_begins_a_cycle_that_is_written_down(started, tmp_path):
    rig = started("triggers:=[amount]", "trigger.amount.new_images:=2")
    assert rig.show(1).alarms == []
    second = rig.show(2)
    assert second.alarms == ["amount"]
    alarm = rig.alarm(second)
    assert (alarm.trigger, alarm.reason) == ("amount", "2 new images are in the pool")
    assert (alarm.statistic, alarm.threshold, alarm.images) == (2.0, 2.0, ["000000002"])
    assert rig.statistics()["resting"] == "False"
    end = time.monotonic() + PATIENCE_S
    while not (events := History(tmp_path / "loop").every(Triggered)) and time.monotonic() < end:
        time.sleep(0.05)
    assert [event.alarm.trigger for event in events] == ["amount"]


def test_numbers_that_do_not_go_together_are_one_sentence_and_the_next_image_is_decided(started, capfd):
    rig = started("learns:=false")
    bad = SeenImage(header=Header(stamp=stamp_from_ns(5)), classes=["a"], boxes=[0.0] * 4, scores=[0.1, 0.2])
    rig._seen.publish(bad)
    assert rig.show(1).verdict == "kept"
    assert "4 numbers of boxes, 2 of scores and 0 of features for 1 classes" in "".join(capfd.readouterr())


def test_a_second_node_on_the_same_folder_is_refused(started, tmp_path):
    started("learns:=false")
    words = [sys.executable, "-m", "cadsight_loop.loop_node", "--ros-args", "-p", f"folder:={tmp_path}/loop"]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(own_domain())}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("cadsight:")]
    assert f"{tmp_path}/loop/pool" in line


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ("labels:=truth", "truth names no data set"),
        ("triggers:=[unheard]", "unheard"),
        ("cycle.k:=1", "parameter k is 1, expected at least 2"),
    ],
)
def test_a_wrong_start_ends_with_one_sentence_and_status_two(tmp_path, parameter, sentence):
    words = [sys.executable, "-m", "cadsight_loop.loop_node", "--ros-args", "-p", parameter]
    words += ["-p", f"folder:={tmp_path}/loop"]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(own_domain())}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("cadsight:")]
    assert sentence in line
    assert "Traceback" not in done.stderr
