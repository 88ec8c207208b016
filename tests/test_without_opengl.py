"""A machine that has no EGL, or is told to draw by something else that it lacks: each answers in one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cadsight_cell.simulation.truth import TruthRecorder
from cadsight_cell.simulation.world import WorldParameters, make_world
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import load_part
from cadsight_core.sample import Instance, Sample
from cadsight_report.figures import RunFigures
from cadsight_ros.domains import own_domain
from simulated_cell_process import command

RECIPE = Path(__file__).parents[1] / "config/recipes/box.yaml"
HOME = [-0.4219, -1.2263, 2.1745, -2.519, 1.5708, -1.1489]
APT = "sudo apt-get install libegl1 libgl1-mesa-dri"


@pytest.fixture(params=["no libEGL", "no EGL driver", "osmesa", "nonsense"])
def environment(request, tmp_path):
    """One without EGL, and what `cadsight doctor` says to do about it."""
    # Files of its names that are no libraries are found first, as if none were there.
    for name in ("libEGL.so.1", "libEGL.so"):
        (tmp_path / name).write_text("no library")
    changes = {
        "no libEGL": {"LD_LIBRARY_PATH": f"{tmp_path}:{os.environ.get('LD_LIBRARY_PATH', '')}"},
        "no EGL driver": {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "none.json")},
        "osmesa": {"MUJOCO_GL": "osmesa"},
        "nonsense": {"MUJOCO_GL": "nonsense"},
    }[request.param]
    how = f"MUJOCO_GL=egl, which is {request.param} here" if "MUJOCO_GL" in changes else APT
    given = {**os.environ, "MUJOCO_GL": "egl", "PYOPENGL_PLATFORM": "egl", "ROS_DOMAIN_ID": str(own_domain())}
    return given | changes, how


def test_the_simulated_cell_ends_with_one_sentence_and_status_two(environment):
    done = subprocess.run(command(), env=environment[0], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2, done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("cadsight: ")]
    assert sentence.startswith(f"cadsight: OpenGL cannot draw with MUJOCO_GL={environment[0]['MUJOCO_GL']}: ")
    assert sentence.endswith(f"expected MUJOCO_GL=egl and its libraries: {APT} (cadsight doctor)")
    assert "Traceback" not in done.stderr


def test_a_recipe_of_falling_parts_ends_with_one_sentence_and_status_two(environment, tmp_path):
    words = ["synthesize", str(RECIPE), "--count", "1", "--out", str(tmp_path / "set"), "--engine", "raster"]
    done = subprocess.run(
        [sys.executable, "-m", "cadsight_cli", *words],
        env=environment[0], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"expected MUJOCO_GL=egl and its libraries: {APT} (cadsight doctor)")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def run_with_truth(tmp_path_factory):
    """A run whose test session has one frame and the truth of it, so that a report must draw."""
    folder = tmp_path_factory.mktemp("run")
    part = load_part(Path(__file__).parents[1] / "config/parts/bracket.yaml")
    mount = Pose.from_quaternion([0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.06])
    session = folder / "sessions" / "test"
    TruthRecorder(session / "truth", make_world(WorldParameters(seed=2)), part, mount).frame(1, HOME)
    size, image = ImageSize(64, 48), np.zeros((48, 64, 3), np.uint8)
    box = Box(20.0, 10.0, 40.0, 30.0)
    for name, instances in (("raw", ()), ("labelled", (Instance(0, box, source="kinematic"),))):
        dataset = Dataset.create(session / name, (part.name,))
        record = {"stamp_ns": 1, "kinematic_box": list(box.as_tuple()), "colour_box": list(box.as_tuple())}
        dataset.append(Sample("a", Path("images/a.png"), size, None, instances, "real", "test", record), image)
    (folder / "report.json").write_text(json.dumps(RunFigures(run="run", made="", part=None, truth=True).to_json()))
    return folder


@pytest.mark.parametrize("words", [["report", "RUN"], ["benchmark", "--run", "RUN"]], ids=["report", "benchmark"])
def test_what_must_draw_ends_with_one_sentence(environment, run_with_truth, words):
    given = [sys.executable, "-m", "cadsight_cli", *(str(run_with_truth) if w == "RUN" else w for w in words)]
    done = subprocess.run(given, env=environment[0], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2, done.stderr
    assert "cadsight: OpenGL cannot draw with MUJOCO_GL=" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_says_what_is_missing_and_how_to_get_it(environment):
    words = [sys.executable, "-m", "cadsight_cli", "doctor", "--json"]
    done = subprocess.run(words, env=environment[0], capture_output=True, text=True, check=False, timeout=300)
    (egl,) = [finding for finding in json.loads(done.stdout) if finding["name"] == "EGL"]
    assert (done.returncode, egl["state"], egl["how"]) == (1, "MISSING", environment[1])
    assert egl["adds"] == "the simulated camera, without a display"
