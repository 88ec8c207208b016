import threading

import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_ros.convert import qos
from cadsight_ros.convert.messages import stamp_from_ns, transform_to_message
from cadsight_ros.convert.transforms import TransformBuffer, TransformListener, interpolated
from tf2_msgs.msg import TFMessage

S = 1_000_000_000


def turned(degrees: float, x: float = 0.0) -> Pose:
    return Pose.from_rotvec([0, 0, np.radians(degrees)], [x, 0, 0])


@pytest.fixture
def buffer() -> TransformBuffer:
    """A hand on an arm that turns by 90 degrees and moves by 2 m in a second; a camera that stands still."""
    buffer = TransformBuffer()
    buffer.add("base", "arm", 1 * S, turned(0))
    buffer.add("base", "arm", 2 * S, turned(90, 2.0))
    buffer.add("arm", "hand", 0, Pose.from_rotvec([0, 0, 0], [1, 0, 0]), static=True)
    buffer.add("base", "camera", 0, Pose.from_rotvec([0, 0, 0], [0, 0, 3]), static=True)
    return buffer


def test_halfway_is_half_the_turn_and_half_the_way(buffer):
    pose = buffer.lookup("base", "arm", 1 * S + S // 2)
    assert pose.rotvec == pytest.approx([0, 0, np.radians(45)])
    assert pose.translation == pytest.approx([1, 0, 0])


def test_a_chain_goes_up_and_down_the_tree(buffer):
    # At 2 s the hand is 1 m along the arm, which points along y from (2, 0): (2, 1, 0); the camera is 3 m above base.
    assert buffer.lookup("camera", "hand", 2 * S).translation == pytest.approx([2, 1, -3])
    assert buffer.lookup("hand", "camera", 2 * S).apply([2, 1, -3]) == pytest.approx(
        buffer.lookup("hand", "base", 2 * S).apply([2, 1, 0])
    )
    assert buffer.lookup("hand", "hand", 1 * S).matrix == pytest.approx(np.eye(4))


def test_no_moment_means_the_latest_that_is_known(buffer):
    assert buffer.lookup("base", "arm").matrix == pytest.approx(turned(90, 2.0).matrix)
    buffer.add("hand", "finger", 1 * S + S // 2, Pose.identity())
    # The finger is known until 1.5 s only, so the whole chain is.
    assert buffer.lookup("base", "finger").translation == pytest.approx([1 + np.sqrt(0.5), np.sqrt(0.5), 0])


def test_a_leading_slash_of_old_names_means_nothing(buffer):
    assert buffer.lookup("/base", "/camera").translation == pytest.approx([0, 0, 3])


@pytest.mark.parametrize(
    ("target", "source", "moment", "sentence"),
    [
        ("base", "tool", 1 * S, "no chain of transforms leads from 'tool' to 'base'; known frames: arm, base, camera"),
        ("tool", "tool", 1 * S, "no chain of transforms leads from 'tool' to 'tool'"),
        ("base", "arm", S // 2, "from 'arm' to 'base' is wanted at 0.500 s, 0.500 s before the first known one"),
        ("camera", "hand", 3 * S, "from 'arm' to 'base' is wanted at 3.000 s, 1.000 s after the last known one"),
    ],
)
def test_an_unknown_transform_is_reported_with_the_names_of_the_frames(buffer, target, source, moment, sentence):
    with pytest.raises(CadsightError) as refused:
        buffer.lookup(target, source, moment)
    assert sentence in str(refused.value)


def test_a_circle_of_frames_is_reported_as_one():
    buffer = TransformBuffer()
    buffer.add("a", "b", 0, Pose.identity(), static=True)
    buffer.add("b", "a", 0, Pose.identity(), static=True)
    with pytest.raises(CadsightError, match="form a circle: a to b to a"):
        buffer.lookup("c", "a")


@pytest.mark.parametrize(("parent", "child"), [("", "b"), ("a", ""), ("a", "a")])
def test_a_transform_needs_two_frames(parent, child):
    with pytest.raises(CadsightError, match="expected the names of two frames"):
        TransformBuffer().add(parent, child, 0, Pose.identity())


def test_late_transforms_find_their_place_and_old_ones_go(buffer):
    buffer.add("base", "arm", 1 * S + S // 2, turned(0, 5.0))
    assert buffer.lookup("base", "arm", 1 * S + S // 2).translation == pytest.approx([5, 0, 0])
    buffer.add("base", "arm", 12 * S, turned(0, 7.0))
    with pytest.raises(CadsightError, match="before the first"):
        buffer.lookup("base", "arm", 1 * S)
    assert buffer.lookup("base", "arm", 7 * S).translation == pytest.approx([4.5, 0, 0])


def test_a_clock_that_jumps_back_starts_the_memory_anew(buffer):
    buffer.add("base", "arm", 100 * S, turned(0, 7.0))
    buffer.add("base", "arm", 3 * S, turned(0, 1.0))
    assert buffer.lookup("base", "arm").translation == pytest.approx([1, 0, 0])


def test_a_look_up_can_wait_for_what_is_on_its_way(buffer):
    threading.Timer(0.1, lambda: buffer.add("base", "arm", 3 * S, turned(90, 4.0))).start()
    assert buffer.lookup("base", "arm", 3 * S, timeout_s=120.0).translation == pytest.approx([4, 0, 0])


def test_the_short_way_round_is_taken():
    between = interpolated(turned(170), turned(-170), 0.5)
    assert np.abs(between.rotvec[2]) == pytest.approx(np.pi)


def test_the_buffer_is_fed_from_the_topics_and_survives_nonsense(node):
    buffer = TransformBuffer()
    listener = TransformListener(node, buffer)
    moving = node.create_publisher(TFMessage, "/tf", qos.TRANSFORMS)
    still = node.create_publisher(TFMessage, "/tf_static", qos.STATIC_TRANSFORMS)
    nonsense = transform_to_message(Pose.identity(), stamp_from_ns(S), "base", "arm")
    nonsense.transform.rotation.w = 0.0
    still.publish(TFMessage(transforms=[transform_to_message(turned(0, 1.0), stamp_from_ns(0), "arm", "hand")]))
    while not moving.get_subscription_count():
        pass
    good = transform_to_message(turned(0, 2.0), stamp_from_ns(S), "base", "arm")
    moving.publish(TFMessage(transforms=[nonsense, good]))
    assert buffer.lookup("base", "hand", S, timeout_s=120.0).translation == pytest.approx([3, 0, 0])
    assert listener.refused == 1
