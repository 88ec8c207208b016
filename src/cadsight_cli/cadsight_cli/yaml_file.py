"""YAML files that a user wrote."""

from pathlib import Path
from typing import Any

from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.errors import CadsightError


def read_mapping(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file; an empty file is an empty one.

    Raises:
        CadsightError: when it is missing, is not YAML or holds something else.
    """
    data = read_yaml(path)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise CadsightError(f"the file {path} holds {data!r}, expected keys and values")
    return data


def node_section(path: str | Path, node: str) -> dict[str, Any]:
    """The parameters of one node, such as ``cadsight/labelling``, in a ROS parameter file.

    Raises:
        CadsightError: as :func:`read_mapping`, and when the file has no section for the node.
    """
    data: Any = read_mapping(path)
    for key in (*node.split("/"), "ros__parameters"):
        if not isinstance(data, dict) or key not in data:
            raise CadsightError(f"{path} has no parameters of {node}, expected the section {node}/ros__parameters")
        data = data[key]
    # ROS's own, which every node has.
    return {key: value for key, value in (data or {}).items() if key != "use_sim_time"}
