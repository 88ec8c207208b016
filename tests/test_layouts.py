"""The layouts for RViz and Foxglove; that the cell publishes what they show is tried in test_launch_real_nodes.py."""

import json

import pytest
from shown_topics import CONFIG, in_foxglove, in_rviz

from cadsight_perception import topics

LAYOUT = json.loads((CONFIG / "foxglove.json").read_text())


def panels(place: str | dict[str, object]) -> list[str]:
    """The panels of a part of the layout, which is one panel or two parts."""
    if isinstance(place, str):
        return [place]
    assert place["direction"] in ("row", "column")
    return panels(place["first"]) + panels(place["second"])


def test_each_panel_has_one_place_in_the_layout():
    assert sorted(panels(LAYOUT["layout"])) == sorted(LAYOUT["configById"])


def test_both_show_the_same_of_the_cell_and_foxglove_its_health_and_joints_too():
    more = {"/diagnostics", "/joint_states", "/camera/camera/color/camera_info"}
    assert in_foxglove() == in_rviz() | more


@pytest.mark.parametrize("shown", [in_rviz, in_foxglove])
def test_results_are_shown_from_where_the_perception_node_publishes_them(shown):
    ours = {topic for topic in shown() if topic.startswith("/cadsight/perception/")}
    assert ours == {topics.MARKERS, "/cadsight/perception/annotated"}
