"""The topics that the layouts for RViz and Foxglove show."""

import json
from pathlib import Path

import yaml

CONFIG = Path(__file__).parents[1] / "config"


def in_rviz() -> set[str]:
    """Topics of config/cadsight.rviz."""
    displays = yaml.safe_load((CONFIG / "cadsight.rviz").read_text())["Visualization Manager"]["Displays"]
    named = (each.get("Topic", each.get("Description Topic", {})) for each in displays)
    return {topic["Value"] for topic in named if topic}


def in_foxglove() -> set[str]:
    """Topics of config/foxglove.json; a plot's path begins with one."""
    found = set()
    for panel in json.loads((CONFIG / "foxglove.json").read_text())["configById"].values():
        found |= set(panel.get("topics", {})) | {path["value"].split(".")[0] for path in panel.get("paths", ())}
        found |= {value for key, value in panel.get("imageMode", {}).items() if key.endswith("Topic")}
        found |= {panel["topicToRender"]} if "topicToRender" in panel else set()
    return found
