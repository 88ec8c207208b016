from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from cadsight_cell.driver.facts.ur_robot_driver import UR_ROBOT_DRIVER
from cadsight_cli.commands import doctor
from cadsight_cli.diagnosis import Finding

from cadsight_cli import diagnosis, main

ROOT = Path(__file__).parents[4]
# Where each thing that one can do without is used, and by which words.
USES = {
    "shared memory": ("config/fastdds.xml", "SHM"),
    "Fast DDS profile": ("launch/transport.launch.xml", "FASTDDS_DEFAULT_PROFILES_FILE"),
    "colcon": ("Makefile", "colcon build"),
    "cmake": ("src/cadsight_interfaces/CMakeLists.txt", "cmake_minimum_required"),
    "c++": ("scripts/workspace/system.py", '_command("c++")'),
    "ros2launch": ("launch/cell.launch.xml", ".launch.py"),
    "rviz2": ("launch/workcell.launch.xml", 'pkg="rviz2"'),
    "tf2_ros": ("launch/cell.launch.xml", 'pkg="tf2_ros"'),
    "ur_robot_driver": ("launch/cell.launch.xml", "$(find-pkg-share ur_robot_driver)"),
    "realsense2_camera": ("launch/cell.launch.xml", "$(find-pkg-share realsense2_camera)"),
    "cv_bridge": ("src/cadsight_ros/cadsight_ros/convert/images.py", "from cv_bridge import CvBridge"),
    "ros2bag": ("docs/live.md", "`ros2 bag play`"),
    "Blender": ("Makefile", "blender:"),
    "datumaro": ("Makefile", "datumaro:"),
}

HERE = Finding("thing", True, "1.2", "use", "way")
NEEDED = Finding("engine", True, None, "motion", "apt")
OPTIONAL = Finding("radio", False, None, "music", "shop")


@pytest.fixture(scope="module")
def findings():
    return {finding.name: finding for finding in diagnosis.examine()}


def test_versions_and_places_are_those_of_this_machine(findings):
    import numpy

    assert findings["numpy"].found == numpy.__version__
    assert findings["Python"].found.endswith(sys.prefix)
    assert findings["cadsight_interfaces"].found.endswith("cadsight_interfaces")


def test_the_renderer_is_asked_for_its_name(findings):
    # Mesa's software renderer, or the driver of a GPU.
    assert findings["EGL"].found


def test_everything_names_its_use_and_the_way_to_get_it(findings):
    assert [name for name, finding in findings.items() if not finding.adds or not finding.how] == []


def test_only_what_something_here_uses_is_said_to_add_something(findings):
    optional = [name for name, finding in findings.items() if not finding.needed]
    assert set(optional) <= USES.keys()
    for name in optional:
        file, words = USES[name]
        assert words in (ROOT / file).read_text(), name


@pytest.mark.parametrize(
    ("found", "status"), [([HERE], 0), ([HERE, OPTIONAL], 0), ([HERE, NEEDED], 1), ([NEEDED, OPTIONAL], 1)]
)
def test_only_what_is_needed_and_missing_is_a_failure(monkeypatch, capsys, found, status):
    monkeypatch.setattr(diagnosis, "examine", lambda: iter(found))
    assert main.main(["doctor"]) == status
    printed = capsys.readouterr().out
    assert ("Needed and missing: engine" in printed) is (status == 1)


def test_what_is_missing_comes_with_its_use_needed_things_first():
    text = doctor.describe([HERE, OPTIONAL, NEEDED])
    assert "ok       thing   1.2" in text
    assert "MISSING  engine  would add: motion" in text
    assert "absent   radio   would add: music" in text
    assert text.index("engine") < text.index("radio")


def test_json_holds_every_finding_with_its_state(monkeypatch, capsys):
    monkeypatch.setattr(diagnosis, "examine", lambda: iter([HERE, NEEDED, OPTIONAL]))
    main.main(["doctor", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert [(each["name"], each["state"]) for each in printed] == [
        ("thing", "ok"),
        ("engine", "MISSING"),
        ("radio", "absent"),
    ]


def test_a_package_that_is_not_installed_is_not_found():
    assert diagnosis._python_package("no-such-distribution") is None
    assert diagnosis._ros_package("no_such_package") is None


@pytest.mark.parametrize(("there", "found"), [(3e9, "3.0 GB"), (2e9, "2.0 GB"), (1.9e9, None)])
def test_space_is_enough_from_the_wanted_amount_on(there, found):
    assert diagnosis._space("disk", there, 2e9, "room").found == found


@pytest.fixture
def arm(tmp_path, monkeypatch):
    """Installs an arm's driver whose launch file declares ``arguments`` and whose manager knows ``controllers``."""

    def install(arguments: str, controllers: str) -> Finding:
        share = tmp_path / "share/ur_robot_driver"
        declared = "".join(f"DeclareLaunchArgument('{name}')\n" for name in arguments.split())
        for name, text in (
            ("package.xml", "<version>9.0.0</version>"),
            ("launch/ur_control.launch.py", declared),
            ("launch/ur_rsp.launch.py", "DeclareLaunchArgument('kinematics_params_file')"),
            ("config/ur_controllers.yaml", "".join(f"  {name}:\n    type: t/T\n" for name in controllers.split())),
            ("../ament_index/resource_index/packages/ur_robot_driver", ""),
        ):
            (share / name).parent.mkdir(parents=True, exist_ok=True)
            (share / name).write_text(text)
        monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}")
        return diagnosis.driver_finding(UR_ROBOT_DRIVER)

    return install


def test_an_installed_driver_is_named_with_its_version(arm):
    found = arm(" ".join(UR_ROBOT_DRIVER.known[0].arguments), "scaled_joint_trajectory_controller").found
    assert found is not None
    assert found.startswith("9.0.0 in ")
    assert "controller:=" not in found


def test_a_driver_without_the_scaled_controller_is_told_with_the_argument_to_give(arm):
    found = arm(" ".join(UR_ROBOT_DRIVER.known[0].arguments), "joint_trajectory_controller").found
    assert found is not None
    assert found.endswith("start the cell with controller:=joint_trajectory_controller")


def test_a_driver_that_lacks_an_argument_is_not_taken_for_there(arm):
    lacking = UR_ROBOT_DRIVER.known[0].arguments - {"headless_mode"}
    finding = arm(" ".join(lacking), "scaled_joint_trajectory_controller")
    assert finding.found is None
    assert "a version with the launch arguments headless_mode, not 9.0.0" in finding.how
