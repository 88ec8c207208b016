"""The faults that the simulated cell makes on request, and the starts that it refuses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from cadsight_cell.simulation.truth import Truth
from cadsight_ros.convert.messages import stamp_ns
from control_msgs.action import FollowJointTrajectory
from simulated_cell_process import COLOUR, HOME, command, running


def test_every_second_trajectory_is_aborted_half_way_and_the_camera_falls_silent_and_comes_back(tmp_path: Path) -> None:
    given = {"fault_abort_every": 2, "fault_camera_silent_after_s": 1.0, "fault_camera_silent_s": 3.0}
    with running(**given, truth_folder=tmp_path) as cell:
        target = HOME + [0.4, 0, 0, 0, 0, 0]  # noqa: RUF005
        assert cell.end(cell.send(target, 1.0))[0] == GoalStatus.STATUS_SUCCEEDED
        status, result = cell.end(cell.send(HOME, 1.0))
        assert status == GoalStatus.STATUS_ABORTED
        assert result.error_code == FollowJointTrajectory.Result.PATH_TOLERANCE_VIOLATED
        # Half of the time of a cubic between two rests is half of its way.
        assert cell.joints()[0] == pytest.approx(HOME[0] + 0.2, abs=0.1)
        assert cell.end(cell.send(HOME, 1.0))[0] == GoalStatus.STATUS_SUCCEEDED

        sent = np.array(Truth(tmp_path).stamps)
        cell.wait(lambda: len(Truth(tmp_path).stamps) > len(sent) + 3)
        sent = np.array(Truth(tmp_path).stamps)
        gap = int(np.diff(sent).argmax())
        assert 2.5 < np.diff(sent)[gap] / 1e9 < 6.0
        cell.wait(lambda: stamp_ns(cell.received[f"{COLOUR}/image_raw"][-1].header.stamp) > sent[gap])


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"part": "nowhere/part.yaml"}, "nowhere/part.yaml"),
        ({"part": ""}, "parameter part is empty, expected the YAML of the part"),
        ({"part": "{folder}/part.yaml"}, "lost.stl"),
        ({"home_joints": "[0.0, -1.0, 1.0, -1.5, 1.5]"}, "parameter home_joints is [0.0, -1.0, 1.0, -1.5, 1.5]"),
        ({"width": 0}, "width is 0"),
        ({"mount": "[0.0, 0.0, 0.06]"}, "mount is [0.0, 0.0, 0.06]"),
    ],
    ids=["missing part", "no part", "unknown mesh", "five home joints", "no width", "short mount"],
)
def test_a_wrong_parameter_ends_the_start_with_one_sentence(
    parameters: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "part.yaml").write_text("name: lost\nclass_id: 0\nmesh: lost.stl\nunit: mm\n")
    given = {name: str(value).format(folder=tmp_path) for name, value in parameters.items()}
    done = subprocess.run(command(**given), env=os.environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("cadsight: ")]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert "Traceback" not in done.stderr
