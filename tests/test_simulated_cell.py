"""The simulated cell as its users meet it: the topics, frames, stamps and the action of arm and camera."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from cadsight_cell.arm import JOINT_NAMES, LINK_NAMES, Arm
from cadsight_cell.simulation.truth import Truth
from cadsight_cell.simulation.world import WorldParameters, make_world
from cadsight_core.geometry import Pose
from cadsight_ros.clients import RefusedError
from cadsight_ros.convert.images import depth_from_message, from_message
from cadsight_ros.convert.messages import camera_from_info, joints_by_name, stamp_ns, transform_from_message
from control_msgs.action import FollowJointTrajectory
from simulated_cell_process import COLOUR, DEPTH, HOME, SEED, Listener, running

WORLD = make_world(WorldParameters(seed=SEED, width=320, height=240))
# Five standard deviations of a reading.
NOISE = 5 * np.deg2rad(0.02)


@pytest.fixture(scope="module")
def truth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("truth")


@pytest.fixture(scope="module")
def cell(truth_folder: Path) -> Iterator[Listener]:
    with running(align_depth="true", truth_folder=truth_folder) as listener:
        listener.wait(lambda: len(listener.received[f"{DEPTH}/image_raw"]) >= 5 and listener.received["/tf"])
        yield listener


def stamps(messages: list) -> list[int]:
    return [stamp_ns(message.header.stamp) for message in messages]


def test_images_are_rgb8_in_the_optical_frame_and_their_stamps_rise(cell: Listener) -> None:
    images = cell.received[f"{COLOUR}/image_raw"]
    assert {(i.encoding, i.width, i.height, i.header.frame_id) for i in images} == {
        ("rgb8", 320, 240, "camera_color_optical_frame")
    }
    assert np.median(from_message(images[0])[:40]) > 190  # the white table
    assert (np.diff(stamps(images)) > 0).all()


def test_camera_info_has_the_images_stamps_and_the_true_intrinsics(cell: Listener) -> None:
    infos, images = cell.received[f"{COLOUR}/camera_info"], cell.received[f"{COLOUR}/image_raw"]
    cell.wait(lambda: set(stamps(images[:5])) <= set(stamps(infos)))
    camera = camera_from_info(infos[0], WORLD.camera.size)
    np.testing.assert_allclose(camera.matrix, WORLD.camera.matrix, atol=1e-9)
    np.testing.assert_allclose(camera.distortion, WORLD.camera.distortion, atol=1e-12)


def test_depth_in_the_colour_cameras_pixels_is_in_millimetres_with_the_images_stamp(cell: Listener) -> None:
    depths = cell.received[f"{DEPTH}/image_raw"]
    assert {(d.encoding, d.width, d.height, d.header.frame_id) for d in depths} == {
        ("16UC1", 320, 240, "camera_color_optical_frame")
    }
    cell.wait(lambda: set(stamps(depths[:3])) <= set(stamps(cell.received[f"{COLOUR}/image_raw"])))
    # The table lies 10 mm below base_link's origin; a tilted camera sees its corner a little farther or nearer.
    height = WORLD.base_from_camera.translation[2] + 0.01
    assert np.median(depth_from_message(depths[0])[:20]) == pytest.approx(height, abs=0.03)


def test_joint_states_come_by_name_in_an_order_of_their_own(cell: Listener) -> None:
    state = cell.state()
    assert sorted(state.name) == sorted(JOINT_NAMES)
    assert list(state.name) != list(JOINT_NAMES)
    np.testing.assert_allclose(joints_by_name(state, JOINT_NAMES), HOME, atol=NOISE)


def test_the_static_transform_of_the_camera_is_the_calibrated_one_and_not_the_true_one(cell: Listener) -> None:
    poses = {
        t.child_frame_id: (t.header.frame_id, transform_from_message(t))
        for t in cell.received["/tf_static"][0].transforms
    }
    pose, frame = Pose.identity(), "camera_color_optical_frame"
    while frame != "base_link":
        frame, parent_from_child = poses[frame]
        pose = parent_from_child @ pose
    np.testing.assert_allclose(pose.matrix, WORLD.base_from_camera_calibrated.matrix, atol=1e-9)
    error = pose.inverse() @ WORLD.base_from_camera
    assert np.linalg.norm(error.translation) > 0.5e-3


def test_the_transforms_lead_from_base_link_to_tool0(cell: Listener) -> None:
    poses = {
        t.child_frame_id: (t.header.frame_id, transform_from_message(t)) for t in cell.received["/tf"][0].transforms
    }
    assert [poses[b][0] for _, b in itertools.pairwise(LINK_NAMES)] == list(LINK_NAMES[:-1])
    pose = Pose.from_rotvec([0.0, 0.0, np.pi])  # base_link_inertia stands turned on base_link
    for link in LINK_NAMES[1:]:
        pose = pose @ poses[link][1]
    error = pose.inverse() @ Arm().forward(HOME)
    assert np.linalg.norm(error.translation) < 1e-3
    assert np.rad2deg(np.linalg.norm(error.rotvec)) < 0.3


def test_the_program_runs_at_full_speed(cell: Listener) -> None:
    assert cell.received["/io_and_status_controller/robot_program_running"][0].data is True
    scaling = cell.received["/speed_scaling_state_broadcaster/speed_scaling"]
    cell.wait(lambda: scaling)
    assert scaling[0].data == 100.0


def test_the_arm_is_described_for_whoever_shows_it(cell: Listener) -> None:
    description = ElementTree.fromstring(cell.received["/robot_description"][0].data)
    frames = {t.child_frame_id for t in cell.received["/tf"][0].transforms}
    frames |= {t.child_frame_id for m in cell.received["/tf_static"] for t in m.transforms}
    drawn_links = {link.get("name") for link in description.iter("link") if link.find("visual") is not None}
    assert len(drawn_links) == 7
    assert drawn_links <= frames


def test_a_trajectory_ends_where_and_when_it_was_told_whatever_the_order_of_its_joints(cell: Listener) -> None:
    target = HOME + [0.3, 0, 0, -0.2, 0, 0.4]  # noqa: RUF005
    before = len(cell.received["/joint_states"])
    goal = cell.send(target, 1.0, tuple(reversed(JOINT_NAMES)))
    status, result = cell.end(goal)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert result.error_code == FollowJointTrajectory.Result.SUCCESSFUL
    np.testing.assert_allclose(cell.joints(), target, atol=NOISE)
    received = cell.received["/joint_states"][before:]
    way = target - HOME
    done = np.array([(joints_by_name(s, JOINT_NAMES) - HOME) @ way / (way @ way) for s in received])
    inside = (done > 0.05) & (done < 0.95)
    assert inside.sum() >= 5
    # The cubic from rest to rest, u^2 (3 - 2 u), turned round: whichever states were heard, all name one start.
    seconds = 0.5 - np.sin(np.arcsin(1 - 2 * done[inside]) / 3)
    starts = np.array(stamps(received))[inside] / 1e9 - seconds
    np.testing.assert_allclose(starts, starts[0], atol=0.01)


@pytest.mark.parametrize(
    ("target", "seconds", "names"),
    [
        (HOME + 1.0, 0.1, JOINT_NAMES),
        (np.where(np.arange(6) == 2, 3.3, HOME), 9.0, JOINT_NAMES),
        (np.full(6, np.nan), 1.0, JOINT_NAMES),
        (HOME, 1.0, JOINT_NAMES[:5]),
        (HOME, 1.0, (*JOINT_NAMES[:5], "thumb_joint")),
    ],
    ids=["too fast", "beyond its limits", "not a number", "a joint is missing", "a joint is unknown"],
)
def test_a_goal_that_the_arm_cannot_follow_is_rejected(
    cell: Listener, target: np.ndarray, seconds: float, names: tuple[str, ...]
) -> None:
    before = cell.joints()
    with pytest.raises(RefusedError, match="did not accept the goal"):
        cell.send(target, seconds, names)
    np.testing.assert_allclose(cell.joints(), before, atol=2 * NOISE)


def test_a_cancelled_trajectory_stops_the_arm_on_its_way(cell: Listener) -> None:
    cell.end(cell.send(HOME, 1.0))
    goal = cell.send(HOME + [1.0, 0, 0, 0, 0, 0], 30.0)  # noqa: RUF005
    cell.wait(lambda: cell.joints()[0] > HOME[0] + 0.01)
    goal.cancel(20.0)
    assert cell.end(goal)[0] == GoalStatus.STATUS_CANCELED
    state = cell.state()
    assert np.abs(state.velocity).max() == 0.0
    assert HOME[0] + 0.005 < joints_by_name(state, JOINT_NAMES)[0] < HOME[0] + 0.9


def test_a_new_goal_takes_the_place_of_the_one_that_runs(cell: Listener) -> None:
    first = cell.send(HOME + [1.0, 0, 0, 0, 0, 0], 30.0)  # noqa: RUF005
    target = HOME + [-0.1, 0, 0, 0.1, 0, 0]  # noqa: RUF005
    second = cell.send(target, 2.0)
    status, result = cell.end(first)
    assert status == GoalStatus.STATUS_ABORTED
    assert result.error_string == "Current goal preempted by new incoming action."
    assert cell.end(second)[0] == GoalStatus.STATUS_SUCCEEDED
    np.testing.assert_allclose(cell.joints(), target, atol=NOISE)


def test_every_image_is_in_the_truth_with_the_joints_of_its_moment(cell: Listener, truth_folder: Path) -> None:
    images = stamps(cell.received[f"{COLOUR}/image_raw"])
    truth = Truth(truth_folder)
    assert set(images) <= set(truth.stamps)
    np.testing.assert_allclose(truth.at(images[0]).joints, HOME, atol=1e-12)
    image = from_message(cell.received[f"{COLOUR}/image_raw"][0])
    red, green, blue = np.median(image[truth.at(images[0]).mask], axis=0)
    assert red > 2 * green > 2 * blue  # the part's orange lies where the truth has the part
