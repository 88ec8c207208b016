"""What the steps of a run depend on, by content; a step is done again when that is not what it was done with."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import load_part
from cadsight_ros.resources import resolve

from cadsight_cli.demo.settings import DemoSettings
from cadsight_cli.yaml_file import read_mapping

Inputs = Mapping[str, Any]
_CONTENT = "sha256:"
_CELL = ("simulated_cell", "cadsight/motion", "cadsight/capture")
_CAPTURED = ("capture_train", "capture_valid", "capture_test")


@dataclass(frozen=True)
class Needs:
    """What a step reads: settings by name, the parameters of nodes with the parts that they name, earlier steps."""

    settings: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


NEEDS: Mapping[str, Needs] = {
    "capture_train": Needs(("train", "seed", "lamp_moves_every"), _CELL),
    "capture_valid": Needs(("valid", "seed"), _CELL),
    "capture_test": Needs(("test", "seed"), _CELL),
    "label": Needs((), ("cadsight/labelling",), _CAPTURED),
    "data": Needs(("composed", "seed", "square"), (), ("label",)),
    "train_detector": Needs(("detector_epochs", "detector_seconds", "seed", "square"), (), ("label", "data")),
    "train_normals": Needs(
        ("normals_epochs", "normals_seconds", "normals_drawn", "normals_image_size", "seed"), (), ("label",)
    ),
    "live": Needs(("live_seconds", "seed"), (*_CELL, "cadsight/perception"), ("train_detector", "train_normals")),
    "replay": Needs((), ("cadsight/perception", "cadsight/replay"), ("live",)),
}


def inputs_of(settings: DemoSettings, config: Path) -> dict[str, dict[str, Any]]:
    """The inputs of each step by name: the values of settings, and digests of what files hold.

    Raises:
        CadsightError: when the parameter file, or a part that it names, cannot be read.
    """
    nodes = dict.fromkeys(node for needs in NEEDS.values() for node in needs.nodes)
    contents = _contents(read_mapping(config), list(nodes))
    return {
        step: {name: getattr(settings, name) for name in needs.settings}
        | {name: digest for node in needs.nodes for name, digest in contents[node].items()}
        for step, needs in NEEDS.items()
    }


def differences(before: Inputs, now: Inputs) -> list[str]:
    """What is not as it was, as parts of a sentence."""
    names = dict.fromkeys([*before, *now])
    return [_difference(name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)]


def only_grew(step: str, before: Inputs, now: Inputs) -> bool:
    """Whether a captured session is merely to have more images, so that it is gone on with."""
    split = step.removeprefix("capture_")
    others = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    return others == {split} and step in _CAPTURED and before[split] < now[split]


def dependents(steps: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(step, the step before it that it reads) of all steps that read what ``steps`` make, at one or more removes."""
    touched = set(steps)
    for name, needs in NEEDS.items():
        cause = next((earlier for earlier in needs.after if earlier in touched), None)
        if name not in touched and cause is not None:
            touched.add(name)
            yield name, cause


def _difference(name: str, before: Any, now: Any) -> str:
    if any(isinstance(value, str) and value.startswith(_CONTENT) for value in (before, now)):
        return f"{name} changed"
    return f"{name} was {before} and is now {now}"


def _contents(data: Mapping[str, Any], nodes: Sequence[str]) -> dict[str, dict[str, str]]:
    """By node the digests of its parameters and of the files that these name."""
    digests: dict[str, str] = {}
    found: dict[str, dict[str, str]] = {}
    for node in nodes:
        parameters = _parameters(data, node)
        text = json.dumps(parameters, sort_keys=True, default=str, allow_nan=True)
        found[node] = {f"the parameters of {node}": _digest(text.encode())}
        for key, read in (("part", _bytes_of_part), ("bodies", _bytes_of)):
            name = parameters.get(key)
            if isinstance(name, str) and name:
                if name not in digests:
                    digests[name] = _digest(*read(resolve(name)))
                found[node][f"the {key} of {node}"] = digests[name]
    return found


def _parameters(data: Mapping[str, Any], node: str) -> Mapping[str, Any]:
    """A parameter file's section of a node; where it is missing, the step that needs it refuses the file."""
    section: Any = data
    for key in (*node.split("/"), "ros__parameters"):
        section = section.get(key) if isinstance(section, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def _bytes_of(path: Path) -> tuple[bytes, ...]:
    try:
        return (path.read_bytes(),)
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror or error}, expected a file") from error


def _bytes_of_part(path: Path) -> tuple[bytes, ...]:
    return *_bytes_of(path), *_bytes_of(Path(load_part(path).mesh))


def _digest(*contents: bytes) -> str:
    found = hashlib.sha256()
    for content in contents:
        found.update(len(content).to_bytes(8, "big") + content)
    return _CONTENT + found.hexdigest()
