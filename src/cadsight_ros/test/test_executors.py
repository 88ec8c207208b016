import threading
import time

import rclpy
from cadsight_ros.clients import spinning
from rclpy.callback_groups import ReentrantCallbackGroup
from std_msgs.msg import Empty


def test_a_node_is_spun_on_whatever_is_destroyed_meanwhile(node):
    for _ in range(60):
        for passing in [node.create_subscription(Empty, "passing", lambda _: None, 1) for _ in range(50)]:
            node.destroy_subscription(passing)
    received = threading.Event()
    node.create_subscription(Empty, "stays", lambda _: received.set(), 1)
    publisher = node.create_publisher(Empty, "stays", 1)
    for _ in range(200):
        publisher.publish(Empty())
        if received.wait(0.1):
            return
    raise AssertionError("the node is not spun any more")


def test_the_spinning_thread_waits_while_every_other_is_busy(ros):
    ros()
    node, group = rclpy.create_node("tester"), ReentrantCallbackGroup()
    released, busy = threading.Event(), threading.Semaphore(0)

    def work(_):
        busy.release()
        released.wait()

    for topic in ("one", "two", "three"):
        node.create_subscription(Empty, topic, work, 1, callback_group=group)
    publishers = [node.create_publisher(Empty, topic, 1) for topic in ("one", "two", "three")]
    with spinning(node, threads=2):
        for publisher in publishers:
            publisher.publish(Empty())
        assert busy.acquire(timeout=60)
        assert busy.acquire(timeout=60)
        # The third callback has no thread: what the process computes from here on is the spinning.
        before = time.process_time()
        assert not busy.acquire(timeout=2.0)
        computed = time.process_time() - before
        released.set()
        assert busy.acquire(timeout=60), "the third was not begun when a thread was free"
    node.destroy_node()
    assert computed < 1.0, f"the processor was busy for {computed:.2f} s of 2 s"
