"""What our files and nodes ask of the drivers, against their versions as read, and against what is installed."""

from pathlib import Path

import pytest
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cadsight_cell.driver import names
from cadsight_cell.driver.facts.driver_facts import Driver, DriverFacts
from cadsight_cell.driver.facts.drivers import DRIVERS
from cadsight_cell.driver.facts.installed import installed, passed
from cadsight_cell.driver.facts.realsense2_camera import REALSENSE2_CAMERA
from cadsight_cell.driver.facts.ur_robot_driver import UR_ROBOT_DRIVER
from cadsight_cli.launching import plan
from cadsight_ros.convert import camera_topics

LAUNCH = Path(__file__).parents[1] / "launch"
CELL = LAUNCH / "cell.launch.xml"
L515, *CAMERAS = REALSENSE2_CAMERA.known
HEARD = {names.ROBOT_MODE, names.SAFETY_MODE, names.ROBOT_PROGRAM_RUNNING, names.SPEED_SCALING, "/joint_states"}
CALLED = {f"{names.DASHBOARD}/{name}" for name in (*names.DASHBOARD_COMMANDS, *names.DASHBOARD_QUESTIONS)}
SEEN = {camera_topics.IMAGE, camera_topics.CAMERA_INFO, camera_topics.DEPTH}


def version_of(facts: DriverFacts) -> str:
    return facts.version


@pytest.mark.parametrize("facts", UR_ROBOT_DRIVER.known, ids=version_of)
def test_the_arms_driver_understands_what_the_cell_gives_asks_and_hears(facts):
    given = passed(CELL, "ur_robot_driver")
    assert {"robot_ip", "initial_joint_controller", "kinematics_params_file"} <= given <= facts.arguments
    assert facts.topics >= HEARD
    assert CALLED | {names.RESEND_ROBOT_PROGRAM, names.LIST_CONTROLLERS} <= facts.services


def test_the_default_controller_is_there_up_to_kilted_and_the_one_of_the_docs_always():
    default = {argument.name: argument.default for argument in plan.arguments(CELL)}["controller"]
    assert default == names.SCALED_CONTROLLER
    with_it = {facts.distributions[0] for facts in UR_ROBOT_DRIVER.known if default in facts.controllers}
    assert with_it == {"jazzy", "kilted"}
    assert all("joint_trajectory_controller" in facts.controllers for facts in UR_ROBOT_DRIVER.known)


@pytest.mark.parametrize("facts", CAMERAS, ids=version_of)
def test_the_cameras_driver_understands_what_the_cell_gives_and_publishes_what_our_nodes_see(facts):
    given = passed(CELL, "realsense2_camera")
    assert {"serial_no", "rgb_camera.color_profile", "align_depth.enable"} <= given <= facts.arguments
    assert facts.topics == SEEN


def test_the_l515_gets_its_own_drivers_names_and_publishes_where_the_others_do(tmp_path, monkeypatch):
    (node,) = plan.read(LAUNCH / "l515.launch.xml", {"serial_no": "f1"}, {})
    given = {name: value for one in node.parameters for name, value in one.items()}
    assert given["serial_no"] == "f1"
    assert set(given) <= L515.arguments
    assert not set(given) <= CAMERAS[0].arguments
    moved = dict(node.remappings)
    assert {moved[topic] for topic in L515.topics} == SEEN
    assert node.full_name == "/camera/camera"


def test_the_cell_leaves_the_camera_to_another_file_where_it_is_told_to():
    groups = [group for group in plan.parse(CELL).iter("group") if "realsense2_camera" in str(included(group))]
    assert [group.get("if") for group in groups if group.get("forwarding")] == ["$(var realsense)"]


def included(group):
    return [each.get("file") for each in group.findall("include")]


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.package)
def test_the_installed_driver_understands_what_the_cell_gives(driver: Driver):
    try:
        share = get_package_share_directory(driver.package)
    except PackageNotFoundError:
        pytest.skip(f"{driver.package} is not installed; the table of its versions stands in for it")
    assert passed(CELL, driver.package) <= installed(driver, Path(share)).arguments
