"""The simulated cell with parts on its table, as its users meet it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cadsight_cell.simulation.stages.table_truth import TableTruth
from cadsight_ros.convert.images import depth_from_message, from_message
from cadsight_ros.convert.messages import stamp_ns
from cell_nodes import Requests
from simulated_cell_process import COLOUR, DEPTH, running

ROOT = Path(__file__).parents[1]
TABLE = {
    "part": "",
    "scene": "table",
    "align_depth": "true",
    "depth_noise_mm": 0.5,
    "depth_holes": 0.2,
    "home_joints": "[3.1416, -0.2, 0.8, -2.171, 1.5708, 0.0]",
}
RECIPE = """kind: box
parts: [{root}/config/table/parts/flange.yaml]
views_per_scene: 1
count: [2, 2]
box: {{length_m: 0.26, width_m: 0.3, height_m: 0.0}}
clutter: {{count: [0, 0]}}
camera: {{height_m: 0.89}}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "dropped.yaml"
    file.write_text(RECIPE.format(root=ROOT))
    return file


def test_parts_lie_on_the_table_fall_anew_on_request_and_the_truth_says_where(recipe: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    with running(**TABLE, table=recipe, truth_folder=truth) as cell:
        ask = Requests(cell.node)
        cell.wait(lambda: cell.received[f"{DEPTH}/image_raw"])
        first = cell.received[f"{DEPTH}/image_raw"][0]
        answer = ask.trigger("/simulated_cell/drop")
        assert (answer.success, answer.message) == (True, "drop 2 lies on the table")
        images, depths = cell.received[f"{COLOUR}/image_raw"], cell.received[f"{DEPTH}/image_raw"]
        cell.wait(lambda: TableTruth(truth).at(stamp_ns(depths[-1].header.stamp)).drop == 2)
        lit = from_message(images[-1])
        assert ask.trigger("/simulated_cell/relight").message == "the lamp was moved 1 times"
        relit = len(images) + 2
        cell.wait(lambda: len(images) > relit)
        written = TableTruth(truth)
        before, after = (written.at(stamp_ns(m.header.stamp)) for m in (first, depths[-1]))
    assert (before.drop, after.drop) == (1, 2)
    assert [part.kind for part in after.parts] == ["flange", "flange"]
    assert not np.allclose(before.parts[0].point, after.parts[0].point, atol=1e-3)
    # A flange's face is 8 mm thick, its hub 22 mm high: wherever it lies, depth shows it above the table, with holes.
    camera_from_base = written.world.base_from_camera.inverse()
    depth = depth_from_message(depths[-1])
    table = np.median(depth)
    for part in after.parts:
        u, v = written.world.camera.project(camera_from_base.apply(part.base_from_part.translation)[None])[0].round()
        around = depth[int(v) - 12 : int(v) + 13, int(u) - 12 : int(u) + 13]
        assert (around == 0).any()
        assert np.quantile(table - around[around > 0], 0.9) > 0.005
    # Averaged over blocks of 40 x 40 pixels, the noise is less than a count.
    change = (from_message(images[-1]).astype(float) - lit).reshape(6, 40, 8, 40, 3).mean(axis=(1, 3))
    assert np.abs(change).max() > 3
