"""Parameter files for the sessions of a run, made of the user's own."""

import copy
from pathlib import Path
from typing import Any

from cadsight_core.config.yaml_file import dump_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import write_atomically

from cadsight_cli.yaml_file import read_mapping

Overrides = dict[str, dict[str, Any]]


def write_workcell(base: Path, overrides: Overrides, out: Path) -> Path:
    """Write ``base`` to ``out`` with some parameters of some nodes replaced: {"cadsight/capture": {name: value}}.

    Raises:
        CadsightError: when ``base`` cannot be read or has no section of such a node.
    """
    data = copy.deepcopy(read_mapping(base))
    for node, values in overrides.items():
        section: Any = data
        for key in (*node.split("/"), "ros__parameters"):
            if not isinstance(section, dict) or not isinstance(section.get(key), dict):
                raise CadsightError(f"{base} has no parameters of {node}, expected the section {node}/ros__parameters")
            section = section[key]
        section.update(values)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, dump_yaml(data))
    return out
