"""Sets as other people have them, read by what the description says."""

import json
import re

import cv2
import numpy as np
import pytest
from cadsight_calibration.boards.chessboard import Chessboard
from cadsight_calibration.data.description import load_description
from cadsight_calibration.data.loading import load_poses, look
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from planted import photograph

HEAD = """
setup: eye_to_hand
board: {chessboard: {corners: [9, 7], square_mm: 20.0}}
cameras:
  - name: left
    images: images/{shot:02d}.png
    intrinsics: {file: camera.json, matrix: K, distortion: lens, size: [width, height], serial: serial}
    serial: "A1"
"""
# One pose: 0.1, 0.2, 0.3 m, turned by 90 degrees about z.
POSE = Pose.from_rotvec([0, 0, np.pi / 2], [0.1, 0.2, 0.3]).matrix
FORMS = {
    "a table in millimetres and degrees": (
        "poses.csv",
        "shot,x,y,z,a,b,c\n1,100,200,300,0,0,90\n2,100,200,300,0,0,90\n",
        "{means: base_from_tool, position: [x, y, z], position_unit: mm, rotation: [a, b, c], "
        "rotation_form: fixed_xyz, rotation_unit: degrees}",
        "",
    ),
    "JSON with quaternions": (
        "poses.json",
        json.dumps([{"shot": s, "p": [0.1, 0.2, 0.3], "q": {"w": 0.5**0.5, "v": [0, 0, 0.5**0.5]}} for s in (1, 2)]),
        "{means: base_from_tool, position: [p], position_unit: m, rotation: [q.w, q.v], "
        "rotation_form: quaternion_wxyz}",
        "",
    ),
    "JSON with matrices of the inverse": (
        "poses.json",
        json.dumps({"runs": [{"shot": s, "T": np.linalg.inv(POSE).tolist()} for s in (1, 2)]}),
        "{means: tool_from_base, position_unit: m, rotation: [T], rotation_form: matrix}",
        "list: runs",
    ),
    "a table without names, divided by blanks": (
        "poses.txt",
        "# shot, position, rotation\n1 0.1 0.2 0.3 0 0 1.570796326794897\n2  0.1 0.2 0.3 0 0 1.570796326794897\n",
        '{means: base_from_tool, position: ["1", "2", "3"], position_unit: m, rotation: ["4", "5", "6"], '
        "rotation_form: rotation_vector, rotation_unit: radians}",
        'header: false\n  delimiter: " "',
    ),
}


def _described(folder, poses_file, tool, more="", name="shot", head=HEAD):
    path = folder / "hand-eye.yaml"
    path.write_text(f"{head}\nposes:\n  file: {poses_file}\n  name: {name!r}\n  tool: {tool}\n  {more}\n")
    return load_description(path)


@pytest.mark.parametrize("form", FORMS)
def test_poses_of_every_form_are_the_same(form, tmp_path):
    file, text, tool, more = FORMS[form]
    (tmp_path / file).write_text(text)
    description = _described(tmp_path, file, tool, more, "0" if "header" in more else "shot")
    poses = load_poses(description, tmp_path)
    assert poses.names == ("1", "2")
    np.testing.assert_allclose(poses.numbers.tool_poses(poses.reading), [POSE, POSE], atol=1e-9)


def _set(folder, serial="A1", shots=(1, 2)):
    file, text, tool, _ = FORMS["a table in millimetres and degrees"]
    (folder / file).write_text(text)
    data = {"K": [[1050, 0, 640], [0, 1055, 360], [0, 0, 1]], "lens": [0.0] * 5, "width": 1280, "height": 720}
    (folder / "camera.json").write_text(json.dumps({**data, "serial": serial}))
    (folder / "images").mkdir()
    for shot in shots:
        image = photograph(Pose.from_rotvec([0.2, 0.1 * shot, 0], [-0.08, -0.06, 0.7]).matrix, Chessboard())
        cv2.imwrite(str(folder / "images" / f"{shot:02d}.png"), image)
    description = _described(folder, file, tool)
    return description, load_poses(description, folder)


def test_images_are_found_by_the_records_values_and_missing_ones_are_told(tmp_path):
    description, poses = _set(tmp_path, shots=(2,))
    images = look(description.cameras[0], poses, description.board, tmp_path)
    assert images.images == ("images/02.png",)
    assert images.rows.tolist() == [1]
    assert images.camera.fx == 1050
    (fault,) = images.faults
    assert fault.sentence == "images/01.png is not there"


def test_intrinsics_of_another_serial_number_are_refused(tmp_path):
    description, poses = _set(tmp_path, serial="B2")
    with pytest.raises(CadsightError, match=r"camera.json are of the camera B2, expected those of A1"):
        look(description.cameras[0], poses, description.board, tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("position_unit: mm, ", ""), "lacks the key 'position_unit': unit of the position"),
        (("position_unit: mm", "position_unit: cm"), "is 'cm', expected one of m, mm"),
        (("rotation: [a, b, c]", "rotation: [a, b, yaw]"), "has no key 'yaw', expected one of its keys: shot, x, y"),
        (("rotation: [a, b, c]", "rotation: [a, b]"), "a rotation has 2 numbers, expected 3"),
        (("file: poses.csv", "file: ../poses.csv"), "leads out of the folder"),
        (("name: 'shot'", "name: 'x'"), "has two records named '100', expected each to have its own"),
        (("setup: eye_to_hand", "setup: hand_to_eye"), "expected one of eye_to_hand, eye_in_hand"),
        (("square_mm: 20.0", "square_mm: -1.0"), "square_mm is -1.0, expected at least 0.5"),
    ],
)
def test_what_is_wrong_in_a_description_is_told(change, words, tmp_path):
    _set(tmp_path)
    path = tmp_path / "hand-eye.yaml"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(CadsightError, match=re.escape(words)):
        _tool_poses(path, tmp_path)


def _tool_poses(path, folder):
    poses = load_poses(load_description(path), folder)
    return poses.numbers.tool_poses(poses.reading)
