"""The types in compat/ are the official ones on the wire.

The hashes were taken from the type descriptions that rosidl generates from the official sources of vision_msgs 4.1.1,
tf2_msgs 0.39.1 and control_msgs 6.8.0 (Kilted), with control_msgs 5.8.0 for Jazzy, whose feedback has no point indices;
and of controller_manager_msgs 5.16.0 and ur_dashboard_msgs 4.8.0 (Kilted), whose types Jazzy has too (4.46.0, 3.8.0).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_share_directory

OFFICIAL = {
    "control_msgs/action/FollowJointTrajectory": "ff29901b2693f5deb847e96084a1c2cdb26e70b7c847be21859b70a55fb29cf0",
    "control_msgs/action/FollowJointTrajectory_Feedback": (
        "0bb018d181bdc6384dd75365480967bd1d6eaee4ef3dd597c64cd0b8bdc10867"
    ),
    "control_msgs/action/FollowJointTrajectory_FeedbackMessage": (
        "95618cc73912d99b9acaa17d2da5e832cb0bfdeede7534fa8ec600feca2a6c4b"
    ),
    "control_msgs/action/FollowJointTrajectory_GetResult": (
        "e3ceb38e3e1867c8dc0f46014df26e90eb93422f27e9e97f936e07f94be4bc8b"
    ),
    "control_msgs/action/FollowJointTrajectory_Goal": (
        "8a9060704b269608f5a340934cc26e66869dd14bdac29e2e7fd9ec8b9882d205"
    ),
    "control_msgs/action/FollowJointTrajectory_Result": (
        "8002e99ed2c14c6faa522f2a93c26d744c5982f254f9e98ff9c6f19789bdb220"
    ),
    "control_msgs/action/FollowJointTrajectory_SendGoal": (
        "b13789dddc325a7a962825c45e28c77d37237ec129dd0c34dc5994562938c57f"
    ),
    "control_msgs/msg/JointComponentTolerance": "739ea7566931944d33830fa10f1bf5e7a7fbdc3172bce7a7eaac642bd6e3ffa4",
    "control_msgs/msg/JointTolerance": "c254f9cece0f3b733017b6990fd46d1326e25242d6b8844398c97d9a88e7d648",
    "controller_manager_msgs/msg/ChainConnection": "2daecd1da4b171f48b291c79747657a651eb1ab8821b68e38b1c88c736bba91c",
    "controller_manager_msgs/msg/ControllerState": "9a8780ab9814b6032978a07c6c7033cf1a7894ac8d948a6fb72afea07b04cc83",
    "controller_manager_msgs/srv/ListControllers": "4f8e36bb1fa5afdeba45c2d56ae6a2097b1493a253f961dd6290c085033bd189",
    "tf2_msgs/msg/TFMessage": "e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087",
    "ur_dashboard_msgs/msg/ProgramState": "20e09606e4cba20cbe31680918f25c770a2c46afc44ca91f0cb330559333ed76",
    "ur_dashboard_msgs/msg/RobotMode": "ba3c379b3c995f660b38d03a195dc23ed7571a1bc06ceed2cec38c75ae9bd634",
    "ur_dashboard_msgs/msg/SafetyMode": "9eb2716e6905f06e4eb60af26712660486e909026aa89c553dd633f1fb22f592",
    "ur_dashboard_msgs/srv/GetProgramState": "292c516872a5576f05cb588f4cbf01a17465051d627aa96e2b4d92914e27da2d",
    "ur_dashboard_msgs/srv/GetRobotMode": "fccdc8222a9732b7f7cc0e4d81165155d5fc28f20052f1185510a1ff269c7db7",
    "ur_dashboard_msgs/srv/GetSafetyMode": "e73f0cd9259be725b68a9c1d3e5a416d92ad2e3cf5f49b5f6db77ba204f3537a",
    "ur_dashboard_msgs/srv/IsInRemoteControl": "33766b9a7536265fad3a6a706a04cc0e7a729b6c8d294dcf7c980e574eb2e086",
    "ur_dashboard_msgs/srv/IsProgramRunning": "627d2ddf4af04b367877c062ed33683eec74644447343ef36d608ffd5485ec99",
    "vision_msgs/msg/BoundingBox2D": "008eacbb0cf8f26e83795547bed013eec3675485ef386ec056d80eaaf1c1ce2f",
    "vision_msgs/msg/Detection2D": "0d12b69df5c593b3455b7346fac8205437a7d4bcb09b9e0e0b2dde787ded38ea",
    "vision_msgs/msg/Detection2DArray": "214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "vision_msgs/msg/ObjectHypothesis": "51da43cec11c01957a64d1e05a24acd18aae7745ec30b74348ad5f6d634f7f90",
    "vision_msgs/msg/ObjectHypothesisWithPose": "41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc",
    "vision_msgs/msg/Point2D": "eab0e83f44ab4de92ceaf76dd7d0e7638f2bdd1d16ffbe16c7a136c48e407247",
    "vision_msgs/msg/Pose2D": "b0b5d1d7b4c20dd4fcde3ed1d4b289a919290572007d67a97043814db25d3648",
}
JAZZY = {
    "control_msgs/action/FollowJointTrajectory": "738ebcb7a2d7cfa42f9f1001cc99ce3a4383d1cfe508015d9be8485e4b1c66f6",
    "control_msgs/action/FollowJointTrajectory_Feedback": (
        "3fd0aaecf71725121ae1ff7f01098a5e0da581e672be18a6b2c286cb43d96b49"
    ),
    "control_msgs/action/FollowJointTrajectory_FeedbackMessage": (
        "80398fcb9674a79081a9906e2ccf0c804dd7cb15e22e362e606ee87186beab71"
    ),
}
COMPAT = Path(__file__).parents[1] / "compat"


def built_hashes(package: str, kind: str, stem: str) -> dict[str, str]:
    """The hashes beside the interface that is on the path: of compat/, or of the installed ROS."""
    described = json.loads((Path(get_package_share_directory(package)) / kind / f"{stem}.json").read_text())
    return {entry["type_name"]: entry["hash_string"] for entry in described["type_hashes"]}


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_type_has_the_hash_of_the_official_one(name: str):
    expected = (JAZZY if os.environ.get("ROS_DISTRO") == "jazzy" else {}).get(name, OFFICIAL[name])
    package, kind, stem = name.split("/")
    assert built_hashes(package, kind, stem.partition("_")[0])[name] == f"RIHS01_{expected}"


def test_every_file_in_compat_is_checked():
    checked = {tuple(name.partition("_Feedback")[0].split("/")) for name in OFFICIAL}
    files = [path for suffix in ("msg", "srv", "action") for path in COMPAT.glob(f"*/{suffix}/*.{suffix}")]
    assert files
    assert {(path.parents[1].name, path.parent.name, path.stem) for path in files} <= checked


def test_result_codes_are_those_of_the_controllers():
    from control_msgs.action import FollowJointTrajectory

    result = FollowJointTrajectory.Result
    assert [
        result.SUCCESSFUL,
        result.INVALID_GOAL,
        result.INVALID_JOINTS,
        result.OLD_HEADER_TIMESTAMP,
        result.PATH_TOLERANCE_VIOLATED,
        result.GOAL_TOLERANCE_VIOLATED,
    ] == [0, -1, -2, -3, -4, -5]
