"""Make the bracket that the demo's arm holds: config/parts/bracket/bracket.step and bracket.stl, in millimetres.

Needs cadquery, which the workspace does not: ``pip install cadquery`` in an environment of its own.
"""

from pathlib import Path

import cadquery as cq

FOLDER = Path(__file__).resolve().parent.parent / "config" / "parts" / "bracket"


def bracket() -> cq.Workplane:
    """An L-shaped bracket of 80 x 60 x 36 mm, its foot on z = 0; no rotation leaves it as it is."""
    foot = cq.Workplane("XY").box(80, 60, 8, centered=(True, True, False)).edges("|Z").fillet(6)
    foot = foot.faces(">Z").workplane().pushPoints([(-14, 18), (28, 18), (28, -18)]).cboreHole(6, 10, 3)
    foot = foot.faces(">Z").workplane(origin=(8, -4, 8)).rect(26, 16).cutBlind(-3)
    wall = cq.Workplane("XY").box(10, 60, 28, centered=(True, True, False)).translate((-33, 0, 8))
    wall = wall.edges("|X and >Z").fillet(12)
    wall = wall.faces("<X").workplane(origin=(-38, 10, 22)).hole(12)
    rib = cq.Workplane("XZ").polyline([(-28, 8), (-28, 30), (-4, 8)]).close().extrude(8).translate((0, -14, 0))
    boss = cq.Workplane("XY").circle(7).extrude(6).translate((26, 0, 8)).faces(">Z").workplane().hole(5, 6)
    return foot.union(wall).union(rib).union(boss)


def main() -> None:
    part = bracket()
    FOLDER.mkdir(parents=True, exist_ok=True)
    cq.exporters.export(part, str(FOLDER / "bracket.step"))
    cq.exporters.export(part, str(FOLDER / "bracket.stl"), tolerance=0.05, angularTolerance=0.2)
    box = part.val().BoundingBox()
    print(f"{FOLDER}: {box.xlen:.1f} x {box.ylen:.1f} x {box.zlen:.1f} mm, {part.val().Volume() / 1000:.1f} cm3")


if __name__ == "__main__":
    main()
