"""Our launch files as they are: what they start, with what, and that they say what each argument is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from cadsight_cli.launching import plan, processes
from cadsight_cli.main import build_parser
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_learning.options import MODELS_FOLDER
from cadsight_perception.parameters import ReplayParameters

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "launch").glob("*.launch.xml"))
GIVEN = {"replay": {"bag": "some.mcap"}}
CELL = ["cadsight_cell/simulated_cell", "cadsight_cell/motion"]
CAPTURE = ["cadsight_capture/capture", "cadsight_capture/labelling"]
PERCEPTION = ["cadsight_perception/perception"]
CAMERA_TOPICS = {
    "image_topic": "/camera/camera/color/image_raw",
    "camera_info_topic": "/camera/camera/color/camera_info",
}
CAMERA, VIEW = ["cadsight_camera/camera"], ["cadsight_camera/view"]


def name_of(file: Path) -> str:
    return file.name.removesuffix(".launch.xml")


def started(name: str, **given: str) -> list[plan.Node]:
    return plan.read(ROOT / f"launch/{name}.launch.xml", {**GIVEN.get(name, {}), **given}, os.environ)


def programs(nodes: list[plan.Node]) -> list[str]:
    return [f"{node.package}/{node.executable}" for node in nodes]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("cell", {}, CELL),
        ("cell", {"hand_eye_file": "a.json"}, [CELL[0], "cadsight_cell/hand_eye", CELL[1]]),
        ("capture", {}, CAPTURE),
        ("capture", {"labelling": "false"}, CAPTURE[:1]),
        ("perception", {}, PERCEPTION),
        ("perception", {"camera": "my video.mp4"}, PERCEPTION + CAMERA + VIEW),
        ("perception", {"camera": "0", "view": "false"}, PERCEPTION + CAMERA),
        ("camera", {}, CAMERA),
        ("view", {}, VIEW),
        ("replay", {}, [*PERCEPTION, "cadsight_perception/replay"]),
        ("workcell", {}, CELL + CAPTURE),
        ("workcell", {"perception": "true", "capture": "false"}, CELL + PERCEPTION),
        ("workcell", {"rviz": "true", "capture": "false"}, [*CELL, "rviz2/rviz2"]),
        ("table", {}, CELL + PERCEPTION),
        ("table", {"perception": "false"}, CELL),
        ("transport", {}, []),
    ],
)
def test_arguments_decide_what_a_file_starts(name, given, expected):
    assert programs(started(name, **given)) == expected


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_argument_is_described(file):
    assert [argument.name for argument in plan.arguments(file) if len(argument.description.split()) < 3] == []


@pytest.mark.parametrize("name", ["cell", "capture", "perception"])
def test_the_workcell_has_the_arguments_of_what_it_includes(name):
    whole = {argument.name: argument.default for argument in plan.arguments(ROOT / "launch/workcell.launch.xml")}
    part = {argument.name: argument.default for argument in plan.arguments(ROOT / f"launch/{name}.launch.xml")}
    assert {key: whole.get(key, "not there") for key in part} == part


def test_launch_files_and_commands_look_for_models_where_the_demo_puts_them():
    for file in FILES:
        defaults = {argument.name: argument.default for argument in plan.arguments(file)}
        assert defaults.get("models_folder", MODELS_FOLDER) == MODELS_FOLDER, file.name
    for words in (["models"], ["evaluate", "--model", "detector", "--data", "x"]):
        assert build_parser(words).parse_args(words).models == MODELS_FOLDER
    demo = RunFolder(Path(build_parser(["demo"]).parse_args(["demo"]).out))
    assert str(demo.detector.parent) == str(demo.normals.parent) == MODELS_FOLDER


def every_node_of_ours() -> list[plan.Node]:
    nodes = started("workcell", perception="true", camera="0", hand_eye_file="hand-eye.json") + started("replay")
    return [node for node in nodes if node.package.startswith("cadsight")]


def test_every_executable_is_built_and_every_parameter_file_is_there():
    for node in every_node_of_ours():
        assert processes.executable(node).is_file()
        assert [file for file in node.parameters if isinstance(file, Path) and not file.is_file()] == []


def test_every_node_has_its_section_in_the_parameter_file():
    sections = yaml.safe_load((ROOT / "config/workcell.yaml").read_text())
    for node in every_node_of_ours():
        section = sections
        for key in node.full_name.strip("/").split("/"):
            section = section[key]
        assert set(section) == {"ros__parameters"}


def test_a_replay_waits_for_each_result_unless_told_otherwise():
    sections = yaml.safe_load((ROOT / "config/workcell.yaml").read_text())
    assert sections["cadsight"]["replay"]["ros__parameters"]["paced"] is ReplayParameters.paced is False


def test_every_node_gets_the_transport_settings():
    for node in every_node_of_ours():
        assert Path(node.environment["FASTDDS_DEFAULT_PROFILES_FILE"]).is_file()
        assert node.environment["MALLOC_MMAP_THRESHOLD_"] == "268435456"
        assert node.environment["MALLOC_TRIM_THRESHOLD_"] == "536870912"


def test_a_setting_of_the_shell_wins_over_the_files():
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1"}
    (node,) = plan.read(ROOT / "launch/perception.launch.xml", {}, environment)
    assert node.environment["MALLOC_MMAP_THRESHOLD_"] == "1"


def test_the_arguments_reach_the_nodes():
    cell, motion = started("cell", seed="7", truth_folder="t", controller="joint_trajectory_controller")
    assert cell.parameters[1:] == (
        {"seed": 7},
        {"truth_folder": "t"},
        {"controller": "joint_trajectory_controller"},
        {"hand_eye": True},
    )
    assert motion.parameters[1:] == ({"controller": "joint_trajectory_controller"}, {"calibration_file": "none"})
    assert (cell.full_name, motion.full_name) == ("/simulated_cell", "/cadsight/motion")


def test_the_arguments_of_a_camera_reach_its_node():
    _, camera, view = started("perception", camera="my video.mp4", camera_fps="5", view_port="9000")
    assert camera.full_name == "/cadsight/camera"
    single = [one for one in camera.parameters if isinstance(one, dict)]
    given = {key: value for one in single for key, value in one.items()}
    assert given == {"source": "my video.mp4", "calibration": "none", "at_end": "loop", "fps": 5.0} | CAMERA_TOPICS
    assert view.parameters[1:] == ({"image_topic": "/cadsight/perception/annotated"}, {"port": 9000})


def test_a_hand_eye_file_takes_the_place_of_the_cells_own_and_reaches_the_records():
    cell, hand_eye, _, capture, _ = started("workcell", hand_eye_file="a.json", serial_no="_12")
    assert {"hand_eye": False} in cell.parameters
    assert hand_eye.parameters[1:] == ({"hand_eye_file": "a.json"}, {"serial_no": "_12"})
    assert {"hand_eye_file": "a.json"} in capture.parameters


def test_topics_and_confidence_of_perception_are_arguments_of_its_file_and_of_the_workcells():
    given = {"image_topic": "/usb_cam/image_raw", "camera_info_topic": "/usb_cam/info", "image_transport": "compressed"}
    for name in ("perception", "workcell"):
        more = {"perception": "true"} if name == "workcell" else {}
        nodes = started(name, **given, **more, confidence="0.3", camera_fps="15")
        perception = next(node for node in nodes if node.executable == "perception")
        values = {key: value for one in perception.parameters if isinstance(one, dict) for key, value in one.items()}
        assert given.items() <= values.items()
        assert (values["confidence"], values["camera_fps"]) == (0.3, 15.0)


def test_a_parameter_file_that_names_a_confidence_goes_before_the_argument():
    (perception,) = started("perception", confidence="0.3")
    files = [index for index, one in enumerate(perception.parameters) if isinstance(one, Path)]
    assert perception.parameters.index({"confidence": 0.3}) < files[0]
    assert "confidence" not in (ROOT / "config/workcell.yaml").read_text()


def test_nodes_that_respawn_are_the_same_and_end_no_others():
    plain, again = (started("perception", camera="0", respawn=word) for word in ("false", "true"))
    assert [(one.required, one.respawn_s) for one in plain] == [(True, None)] * 3
    assert [(one.required, one.respawn_s) for one in again] == [(False, 2.0)] * 3
    assert [(one.full_name, one.parameters) for one in plain] == [(one.full_name, one.parameters) for one in again]


def test_the_real_cell_without_its_drivers_names_the_first_that_is_missing():
    with pytest.raises(CadsightError, match=r"'ur_robot_driver' is not installed|ros2 launch"):
        started("cell", simulated="false")
