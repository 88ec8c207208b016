"""What torch's OpenMP library itself says of its threads in programs that were started without env.sh's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = sys.executable
# A model that is not there, or no model, ends each of them, once torch is loaded.
PROGRAMS = {
    "command line": [PYTHON, "-m", "cadsight_cli", "evaluate", "--model", "none", "--data", "none"],
    "node": [
        *(PYTHON, "-m", "cadsight_perception.perception_node", "--ros-args", "-p", "detector:=empty"),
        # Both names are looked up before anything is loaded.
        *("-p", "regressor:=empty"),
        *("-p", "runtime:=torch", "-p", "models_folder:=MODELS"),
    ],
    "export": [
        PYTHON,
        "-m",
        "cadsight_learning.export_child",
        "none",
        "",
        "onnx",
        "64",
        "64",
        str(os.getpid()),
        "0",
    ],
    "worker": [
        PYTHON,
        "-c",
        "from cadsight_core.running.parallel import Processes\n"
        "from openmp_work import load_openmp\n"
        "print(list(Processes(2)(load_openmp, [1, 2])))",
    ],
}
SETTINGS = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "OPENCV_")


def output_of(words: list[str], **own: str) -> str:
    """What libgomp prints when it is loaded by a program that the user gave only ``own``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    environment |= {"OMP_DISPLAY_ENV": "verbose", "PYTHONPATH": path, **own}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert "OPENMP DISPLAY ENVIRONMENT BEGIN" in done.stderr, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_threads_of_a_program_sleep_while_they_wait(program, tmp_path):
    (tmp_path / "empty").mkdir()
    card = {"format": "cadsight-model-1", "kind": "detector", "architecture": "yolo11n", "classes": ["part"]}
    (tmp_path / "empty" / "model.json").write_text(json.dumps({**card, "image_size": 64}))
    (tmp_path / "empty" / "weights.pt").write_bytes(b"")
    text = output_of([word.replace("MODELS", str(tmp_path)) for word in PROGRAMS[program]])
    assert text.count("OMP_WAIT_POLICY = 'PASSIVE'") == text.count("OMP_WAIT_POLICY =") > 0
    assert text.count("GOMP_SPINCOUNT = '0'") == text.count("GOMP_SPINCOUNT =") > 0


def test_what_the_user_set_stays():
    text = output_of(PROGRAMS["worker"], OMP_WAIT_POLICY="ACTIVE")
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in text
    assert "GOMP_SPINCOUNT = '0'" not in text
