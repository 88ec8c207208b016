"""`cadsight label`: labels that nobody drew for a captured session."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "label",
        help="label a captured session by colour and by kinematics",
        description="Label every image of a session twice, by colour and by kinematics, correct the hand-eye "
        "calibration where that helps, and keep the images on which both labels agree.",
    )
    parser.add_argument("session", metavar="SESSION", help="folder of the session, with raw/ in it")
    parser.add_argument("--part", metavar="YAML", help="the part; by default the one that the configuration names")
    parser.add_argument(
        "--config",
        default="package://cadsight/config/workcell.yaml",
        metavar="YAML",
        help="parameter file of the cell (config/workcell.yaml)",
    )
    parser.add_argument("--out", metavar="DIR", help="where labelled/, rejected/ and labels.json go (SESSION)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_capture.labelling_parameters import LabellingNodeParameters
    from cadsight_capture.labels.labelling import label_session
    from cadsight_core.config.parameters import from_mapping
    from cadsight_core.errors import CadsightError
    from cadsight_core.parts.part import load_part
    from cadsight_core.storage.folders.session_folder import SessionFolder
    from cadsight_ros.resources import resolve

    from cadsight_cli.progress import counted
    from cadsight_cli.yaml_file import node_section

    config = resolve(args.config)
    parameters = from_mapping(LabellingNodeParameters, node_section(config, "cadsight/labelling"), str(config))
    part_file = args.part or parameters.part
    if not part_file:
        raise CadsightError(f"{config} names no part for cadsight/labelling, expected it there or --part YAML")
    session = SessionFolder(Path(args.session))
    report = label_session(
        session.raw if session.raw.is_dir() else session.folder,
        load_part(resolve(part_file)),
        parameters.tool_from_part,
        parameters.labelling,
        out=args.out,
        progress=counted,
    )
    print(f"{report.accepted} of {report.images} images labelled, {report.images - report.accepted} rejected")
    for kind, count in sorted(report.reasons.items()):
        print(f"  {kind}: {count}")
    print(f"hand-eye: {report.correction['reason']}")
    print(report.labelled.parent / "labels.json")
    return 0
