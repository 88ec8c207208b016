from pathlib import Path

import numpy as np
import pytest
from cadsight_cell.simulation.parameters import SimulatedCellParameters
from cadsight_cell.simulation.sensor import DepthSensor
from cadsight_cell.simulation.stages.dropping import TableTop
from cadsight_core.errors import CadsightError

ROOT = Path(__file__).parents[4]
BRACKET = str(ROOT / "config/parts/bracket.yaml")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scene": "table", "part": BRACKET}, "expected none with scene table, whose arm holds nothing"),
        ({"scene": "held"}, "expected the YAML of the part that the arm holds"),
        ({"scene": "held", "part": BRACKET, "depth_holes": 0.1}, "depth_holes is 0.1, expected 0 with scene held"),
    ],
)
def test_a_scene_is_refused_what_does_nothing_in_it(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(CadsightError, match=sentence):
        SimulatedCellParameters(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [("recipes/views.yaml", "is of kind views, expected box"), ("recipes/box.yaml", "expected a bare table")],
)
def test_a_recipe_of_anything_but_parts_on_a_table_is_refused(recipe: str, sentence: str) -> None:
    with pytest.raises(CadsightError, match=sentence):
        TableTop(ROOT / "config" / recipe, 0, (0.33, 0.0))


def test_a_depth_sensor_has_holes_where_it_shines_and_noise_that_grows_with_the_square_of_the_distance() -> None:
    depth = np.full((100, 200), 0.5, np.float32)
    depth[:, 100:] = 1.0
    shiny = np.zeros(depth.shape, bool)
    shiny[:50] = True
    sensed = DepthSensor(0.004, 0.3, 1).sense(depth, shiny, 0, 1)
    assert (sensed[50:] > 0).all()
    assert (sensed[:50] == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert sensed[50:, :100].std() == pytest.approx(0.001, rel=0.05)
    assert sensed[50:, 100:].std() == pytest.approx(0.004, rel=0.05)
    again = DepthSensor(0.004, 0.3, 1).sense(depth, shiny, 1, 1)
    np.testing.assert_array_equal(again == 0, sensed == 0)
    assert not np.array_equal(again, sensed)
