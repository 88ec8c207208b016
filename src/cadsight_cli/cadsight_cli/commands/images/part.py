"""`cadsight part`: parts out of CAD files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cadsight_cli.arguments.types import number, whole

if TYPE_CHECKING:
    from cadsight_capture.views.reach import Reach

T = TypeVar("T")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "part", help="add a part from a CAD file, check it, find its colour", description="Parts out of CAD files."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        help="read a CAD file and write the part",
        description="Read STL, PLY, OBJ, GLB or STEP and write the part's YAML, its mesh in metres and an image of "
        "it. The symmetries of the mesh are found, and the middle of its largest flat face is proposed as the point of "
        "interest.",
    )
    add.add_argument("file", metavar="FILE", help="CAD file")
    add.add_argument("--name", metavar="NAME", help="name of the class, one word (the file's name)")
    add.add_argument("--unit", choices=("m", "mm", "inch"), default="mm", help="unit of an STL, PLY or OBJ (mm)")
    add.add_argument(
        "--tolerance", type=number(0), metavar="MM", help="how far a turned surface may be from itself to count as "
        "symmetric (0.4 %% of the part's size)",
    )  # fmt: skip
    add.add_argument("--out", default="parts", metavar="DIR", help="folder of the parts (parts)")
    add.add_argument("--force", action="store_true", help="replace a part of that name; it keeps its class alone")
    add.set_defaults(run=run_add)
    check = actions.add_parser(
        "check",
        help="say what is missing or wrong in a part, and draw it",
        description="Read a part's YAML and mesh and say what is missing or wrong, before anything is captured: the "
        "point of interest off the surface, the axis into the part, no colour, turns that the mesh does not have. "
        "Draws the part with its axes, point, normal, symmetries and colour. Ends with 1 when something is wrong.",
    )
    check.add_argument("part", metavar="YAML", help="the part")
    check.add_argument("--out", metavar="JPG", help="where the image goes (beside the YAML, NAME-check.jpg)")
    check.add_argument(
        "--config", metavar="YAML", help="parameter file of a cell: draw poses in its simulated cell, and say why when "
        "none shows the part"
    )  # fmt: skip
    check.set_defaults(run=run_check)
    colour = actions.add_parser(
        "colour",
        help="find the colour range of a part in an image",
        description="Find the range of hue, saturation and value of what lies in a rectangle of an image, and print "
        "it as the part's YAML takes it. The rectangle lies wholly on the part, over lit and shaded faces.",
    )
    colour.add_argument("image", metavar="IMAGE", help="image of the part in the light of the cell")
    colour.add_argument(
        "--at", type=whole(0), nargs=4, metavar=("X0", "Y0", "X1", "Y1"), required=True,
        help="corners of the rectangle in pixels, the last ones excluded",
    )  # fmt: skip
    colour.add_argument("--out", metavar="PNG", help="draw what the range finds in the image")
    colour.set_defaults(run=run_colour)


def run_add(args: argparse.Namespace) -> int:
    from cadsight_synthesis.parts.adding import add_part

    tolerance_m = args.tolerance / 1000 if args.tolerance is not None else None
    name = args.name or Path(args.file).stem
    added = add_part(args.file, name, args.out, args.unit, tolerance_m=tolerance_m, force=args.force)
    mesh, part = added.mesh, added.part
    size = " x ".join(f"{1000 * v:.1f}" for v in mesh.extents)
    closed = "closed" if mesh.is_closed else "not closed"
    print(f"{part.name}: class {part.class_id}, {size} mm, {len(mesh.faces)} triangles, {closed}")
    for note in mesh.notes:
        print(f"  {note}")
    print("symmetry:" if added.symmetries else "symmetry: none")
    for s in added.symmetries:
        order = "any angle" if s.order == 0 else f"1/{s.order} of a turn"
        axis = ", ".join(f"{v + 0.0:.3f}" for v in s.axis.round(3))
        aside = s.offset > added.tolerance_m
        where = f", {1000 * s.offset:.1f} mm from the origin: not written" if aside else ""
        print(f"  {order} about [{axis}]{where} (to {1000 * s.error:.3f} mm)")
    point = ", ".join(f"{1000 * v + 0.0:.1f}" for v in part.point_of_interest)
    normal = ", ".join(f"{v + 0.0:.3f}" for v in part.axis_of_interest)
    print(f"point of interest: {point} mm, {added.point_is}, normal [{normal}]")
    if added.no_image:
        print(f"no image: {added.no_image}")
    for path in (added.path, added.mesh_path, added.image_path):
        if path is not None:
            print(path)
    return 0


def run_check(args: argparse.Namespace) -> int:
    from cadsight_core.errors import CadsightError
    from cadsight_core.imaging.images import encode_image
    from cadsight_core.parts.part import load_part, load_part_mesh
    from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_noted
    from cadsight_synthesis.parts.check import check_part
    from cadsight_synthesis.parts.drawing import explained_image_of

    target = Path(args.out) if args.out else Path(args.part).with_name(f"{Path(args.part).stem}-check.jpg")
    refuse_foreign_file(target, noted(target))
    part = load_part(args.part)
    mesh = load_part_mesh(part)
    size = " x ".join(f"{1000 * v:.1f}" for v in mesh.extents)
    closed = "closed" if mesh.is_closed else "not closed"
    print(f"{part.name}: class {part.class_id}, {size} mm, {1e6 * mesh.volume:.2f} cm3, {closed}")
    for note in mesh.notes:
        print(f"  {note}")
    findings = check_part(part, mesh)
    for finding in findings:
        print(f"{'wrong' if finding.wrong else 'note'}: {finding.sentence}")
    reached = _reach(args.part, args.config) if args.config else None
    if reached is not None and reached.reason:
        print(f"wrong: {reached.found} of {reached.tried} poses show the point to the camera: {reached.reason}")
    elif reached is not None:
        draws = ", ".join(f"{count} {reason}" for reason, count in sorted(reached.refused.items())) or "none"
        print(f"all of {reached.tried} poses show the point to the camera; draws that did not: {draws}")
    if not findings and not (reached and reached.reason):
        print("nothing is missing")
    try:
        write_noted(target, encode_image(explained_image_of(part, mesh), target))
        print(target)
    except CadsightError as error:
        print(f"no image: {error}")
    return 1 if any(f.wrong for f in findings) or (reached and reached.reason) else 0


def _reach(part_file: str, config: str) -> Reach:
    """What comes of drawing poses for the part in the simulated cell of a parameter file; no cell need run."""
    from dataclasses import fields

    from cadsight_capture.views.poses import PoseParameters, Poses
    from cadsight_capture.views.reach import reach
    from cadsight_cell.simulation.world import WorldParameters, make_world
    from cadsight_core.config.parameters import from_mapping
    from cadsight_core.parts.part import load_part
    from cadsight_ros.resources import resolve

    from cadsight_cli.yaml_file import node_section

    file = resolve(config)

    def read(cls: type[T], node: str, more: dict[str, str]) -> T:
        known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        section = {key: value for key, value in node_section(file, node).items() if key in known}
        return from_mapping(cls, {**section, **more}, str(file))

    parameters = read(PoseParameters, "cadsight/capture", {"part": str(Path(part_file).resolve())})
    world = make_world(read(WorldParameters, "simulated_cell", {}))
    return reach(Poses(parameters, load_part(part_file), resolve), world)


def run_colour(args: argparse.Namespace) -> int:
    from cadsight_capture.labels.colour import label_by_colour
    from cadsight_capture.labels.colour_finding import find_colour
    from cadsight_capture.labels.refusal import Refusal
    from cadsight_core.config.yaml_file import dump_yaml
    from cadsight_core.imaging.drawing import draw_instances
    from cadsight_core.imaging.images import encode_image, read_image
    from cadsight_core.sample import Instance
    from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_noted

    if args.out:
        refuse_foreign_file(args.out, noted(args.out))
    image = read_image(args.image)
    found = find_colour(image, tuple(args.at))
    print(dump_yaml({"colour": [{"low": found.colour.low, "high": found.colour.high}]}), end="")
    print(f"# {found.hues} of 180 hues in the rectangle, {found.coloured:.0%} of it coloured")
    label = label_by_colour(image, (found.colour,))
    if isinstance(label, Refusal):
        print(f"# in this image it finds nothing: {label.kind}, {label.reason}")
        instances = []
    else:
        x0, y0, x1, y1 = (round(v) for v in label.box.as_tuple())
        print(f"# in this image it finds what lies from {x0}, {y0} to {x1}, {y1}")
        instances = [Instance(0, label.box, mask=label.mask, source="colour")]
    if args.out:
        write_noted(args.out, encode_image(draw_instances(image, instances, ("part",)), args.out))
        print(f"# {args.out}")
    return 0
