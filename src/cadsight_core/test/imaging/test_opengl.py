"""Drawing beside torch, in processes of their own: what is loaded in one stays there."""

import importlib.util
import subprocess
import sys

import pytest

DRAWS = """
import mujoco
from cadsight_core.imaging.opengl import keep_triton_out
{ready}
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer = mujoco.Renderer(model, 32, 32)
renderer.update_scene(data)
print(renderer.render().shape)
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="this torch comes without triton")
def test_an_optimiser_is_made_where_images_were_drawn_before():
    learns = (
        "import torch\ntorch.optim.AdamW(torch.nn.Linear(1, 1).parameters())\nimport torch._dynamo\nprint('well')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", DRAWS.format(ready="keep_triton_out()") + learns], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(32, 32, 3)", "well"]


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="this torch comes without triton")
def test_triton_stays_where_it_was_loaded_before():
    script = "import triton\n" + DRAWS.format(ready="keep_triton_out()") + "import triton\nprint(triton.__name__)\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(32, 32, 3)", "triton"]
