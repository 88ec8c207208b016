"""What is read of an installed driver, against files that look as the drivers' do."""

import pytest
from cadsight_cell.driver.facts.driver_facts import Driver
from cadsight_cell.driver.facts.installed import InstalledDriver, arguments_of, controllers_of, installed, passed
from cadsight_core.errors import CadsightError

LAUNCH = """
from launch.actions import DeclareLaunchArgument

listed = [
    {'name': 'camera_name', 'default': 'camera', 'description': 'its name'},
    {'name': 'align_depth.enable', 'default': 'false', 'description': ''},
]
# {'name': 'in_a_comment', 'default': ''}
other = {"name": "no_argument"}


def generate():
    return [
        DeclareLaunchArgument("robot_ip", description="address"),
        DeclareLaunchArgument(name="ur_type"),
        DeclareLaunchArgument(listed[0]["name"]),
    ]
"""
CONTROLLERS = """
controller_manager:
  ros__parameters:
    update_rate: 500

    joint_state_broadcaster:
      type: joint_state_broadcaster/JointStateBroadcaster

    joint_trajectory_controller:
      type: joint_trajectory_controller/JointTrajectoryController

joint_trajectory_controller:
  ros__parameters:
    joints: [a]
"""
CELL = """<launch>
  <group>
    <keep name="kept" value="1"/>
    <keep name="file" value="f"/>
    <let name="made" value="$(var file)"/>
    <include file="$(dirname)/ours.launch.xml"/>
    <include file="$(find-pkg-share a_driver)/launch/a.launch.py"><arg name="handed" value="2"/></include>
  </group>
  <group>
    <keep name="of_another" value="1"/>
    <include file="$(find-pkg-share a_driver_of_another)/launch/a.launch.py"/>
  </group>
</launch>"""
DRIVER = Driver("a_driver", "trying", ("launch/a.launch.py",), "config/c.yaml", ())


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_arguments_are_read_of_single_declarations_and_of_lists(tmp_path):
    names = {"camera_name", "align_depth.enable", "robot_ip", "ur_type"}
    assert arguments_of(written(tmp_path / "a.launch.py", LAUNCH)) == names


def test_controllers_are_what_the_manager_has_a_type_of(tmp_path):
    names = {"joint_state_broadcaster", "joint_trajectory_controller"}
    assert controllers_of(written(tmp_path / "c.yaml", CONTROLLERS)) == names


def test_what_a_launch_file_gives_is_what_stands_in_the_group_that_includes_the_driver(tmp_path):
    file = written(tmp_path / "cell.launch.xml", CELL)
    assert passed(file, "a_driver") == {"kept", "made", "handed"}
    assert passed(file, "a_driver_of_another") == {"of_another"}
    assert passed(file, "nobody") == frozenset()


def test_a_driver_is_read_from_its_share_folder(tmp_path):
    written(tmp_path / "launch/a.launch.py", LAUNCH)
    written(tmp_path / "config/c.yaml", CONTROLLERS)
    written(tmp_path / "package.xml", "<package><version> 3.8.0 </version></package>")
    assert installed(DRIVER, tmp_path) == InstalledDriver(
        "3.8.0",
        frozenset({"camera_name", "align_depth.enable", "robot_ip", "ur_type"}),
        frozenset({"joint_state_broadcaster", "joint_trajectory_controller"}),
    )


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("launch/a.launch.py", "def (", "is no Python"),
        ("launch/a.launch.py", "x = 1", "declares no argument"),
        ("config/c.yaml", "a: 1", "names no controller"),
        ("package.xml", "<package/>", "names no version"),
        ("package.xml", None, "cannot read"),
    ],
)
def test_a_share_folder_that_is_none_is_refused_in_one_sentence(tmp_path, name, text, sentence):
    written(tmp_path / "launch/a.launch.py", LAUNCH)
    written(tmp_path / "config/c.yaml", CONTROLLERS)
    written(tmp_path / "package.xml", "<version>1</version>")
    (tmp_path / name).unlink() if text is None else (tmp_path / name).write_text(text)
    with pytest.raises(CadsightError, match=sentence):
        installed(DRIVER, tmp_path)
