"""`cadsight part`: parts out of CAD files."""

from __future__ import annotations

import argparse

from cadsight_cli.argument_types import number


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("part", help="add a part from a CAD file", description="Parts out of CAD files.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        help="read a CAD file and write the part",
        description="Read STL, PLY, OBJ, GLB or STEP and write the part's YAML, its mesh in metres and a picture of "
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
    add.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_synthesis.part_adding import add_part

    tolerance_m = args.tolerance / 1000 if args.tolerance is not None else None
    added = add_part(args.file, args.name or Path(args.file).stem, args.out, args.unit, tolerance_m=tolerance_m)
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
        place = f", {1000 * s.offset:.1f} mm from the origin: not written" if aside else ""
        print(f"  {order} about [{axis}]{place} (to {1000 * s.error:.3f} mm)")
    print("point of interest: " + ", ".join(f"{1000 * v:.1f}" for v in part.point_of_interest) + " mm, the middle of "
          "its largest flat face, normal [" + ", ".join(f"{v:.3f}" for v in part.axis_of_interest) + "]")  # fmt: skip
    if added.no_picture:
        print(f"no picture: {added.no_picture}")
    for path in (added.path, added.mesh_path, added.picture_path):
        if path is not None:
            print(path)
    return 0
