"""The label step: every image of a session twice, by colour and by kinematics."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cadsight_capture.labelling_parameters import LabellingNodeParameters
from cadsight_capture.labels.labelling import label_session
from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import Part, load_part
from cadsight_core.storage.folders.session_folder import SessionFolder
from cadsight_ros.resources import resolve

from cadsight_cli.yaml_file import node_section

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def label(session: Path, config: Path, progress: Progress | None = None) -> None:
    """Write labelled/, rejected/ and labels.json of a captured session, as the parameter file says.

    Raises:
        CadsightError: when nothing was labelled.
    """
    parameters = _parameters(config)
    report = label_session(
        SessionFolder(session).raw,
        load_part(resolve(parameters.part)),
        parameters.tool_from_part,
        parameters.labelling,
        out=session,
        progress=progress,
    )
    if not report.accepted:
        reasons = ", ".join(f"{count} {kind}" for kind, count in report.reasons.items())
        raise CadsightError(f"none of the {report.images} images of {session} was labelled ({reasons}), expected some")


def part_of(config: Path) -> Part:
    """The part that a session's parameter file names.

    Raises:
        CadsightError: when the file or the part cannot be used.
    """
    return load_part(resolve(_parameters(config).part))


def _parameters(config: Path) -> LabellingNodeParameters:
    return from_mapping(LabellingNodeParameters, node_section(config, "cadsight/labelling"), str(config))
