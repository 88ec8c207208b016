"""What a perception node has to load, in a process that has loaded nothing before."""

import subprocess
import sys

PROGRAM = """
import re
import sys

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_perception.serving.models import serve
from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.perception_node import PerceptionNode

given = PerceptionParameters(models_folder=sys.argv[1], warm_up_width=64, warm_up_height=48, confidence=0.001)
served = serve("detector", "normals", given)
image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
result = served.pipeline.infer(image, Camera(ImageSize(64, 48), 60.0, 60.0, 31.5, 23.5))
assert result.instances[0].normal is not None
print(served.detector.model.runtime, served.regressor.model.runtime)
print(*(name for name in ("torch", "torchvision", "ultralytics", "sympy", "scipy", "rosbags") if name in sys.modules))
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
# Measured with images of 640 x 480: 275 MB; torch by itself takes 617.
LARGEST_PEAK_KB = 400_000


def test_models_whose_exports_are_there_are_served_without_torch_and_in_little_memory(models):
    words = [sys.executable, "-c", PROGRAM, str(models)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    runtimes, loaded, peak = done.stdout.splitlines()
    # Validated on nothing, so that bfloat16 has nothing to agree on.
    assert runtimes == "openvino openvino"
    assert loaded == ""
    assert int(peak) < LARGEST_PEAK_KB
