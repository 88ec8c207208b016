"""What is imported for nothing is not."""

import subprocess
import sys

import pytest

CASES = {
    "help": (
        "from cadsight_cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        "numpy cv2 torch",
    ),
    "perception": (
        "import cadsight_perception.perception_node, cadsight_perception.serving.models",
        "torch torchvision ultralytics sympy scipy pandas rosbags",
    ),
    "yolo": (
        "import cadsight_learning.detection.ultralytics.yolo, cadsight_learning.normals.torch_regressor",
        "torchvision torch._dynamo sympy triton",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_heavy_is_imported_that_is_not_needed(name):
    script, heavy = CASES[name]
    ask = f"\nimport sys\nprint('loaded:', *[n for n in {heavy.split()!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script + ask], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"
