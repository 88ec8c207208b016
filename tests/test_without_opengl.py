"""A machine that has no EGL, or is told to draw by something else that it lacks: each answers in one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cadsight_ros.testing import own_domain
from simulated_cell_process import command

RECIPE = Path(__file__).parents[1] / "config/recipes/box.yaml"
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
    done = subprocess.run(command(), env=environment[0], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("cadsight: ")]
    assert sentence.startswith(f"cadsight: OpenGL cannot draw with MUJOCO_GL={environment[0]['MUJOCO_GL']}: ")
    assert sentence.endswith(f"expected MUJOCO_GL=egl and its libraries: {APT} (cadsight doctor)")
    assert "Traceback" not in done.stderr


def test_a_recipe_of_falling_parts_ends_with_one_sentence_and_status_two(environment, tmp_path):
    words = ["synthesize", str(RECIPE), "--count", "1", "--out", str(tmp_path / "set"), "--engine", "raster"]
    done = subprocess.run(
        [sys.executable, "-m", "cadsight_cli", *words],
        env=environment[0], capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"expected MUJOCO_GL=egl and its libraries: {APT} (cadsight doctor)")
    assert "Traceback" not in done.stderr


def test_doctor_says_what_is_missing_and_how_to_get_it(environment):
    words = [sys.executable, "-m", "cadsight_cli", "doctor", "--json"]
    done = subprocess.run(words, env=environment[0], capture_output=True, text=True, check=False, timeout=120)
    (egl,) = [finding for finding in json.loads(done.stdout) if finding["name"] == "EGL"]
    assert (done.returncode, egl["state"], egl["how"]) == (1, "MISSING", environment[1])
    assert egl["adds"] == "the simulated camera, without a display"
