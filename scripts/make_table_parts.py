"""Make the other parts of the table scene, config/table/parts/*.stl in millimetres: an angle that looks much like the
bracket, and a flange."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import trimesh
from trimesh.creation import box, cylinder, extrude_polygon

FOLDER = Path(__file__).resolve().parent.parent / "config" / "table" / "parts"


def angle() -> trimesh.Trimesh:
    """An L of the bracket's 80 x 60 x 36 mm with two ribs, without its pocket, boss and holes in the foot."""
    foot, wall = _block(80, 60, 8, 0, 0, 0), _block(10, 60, 28, -33, 0, 8)
    ribs = [_rib(y) for y in (-20, 12)]
    hole = _round(6, 30, (-33, 0, 24)).apply_transform(_turned_about((-33, 0, 24)))
    return _cut([foot, wall, *ribs], [hole, _round(5, 30, (20, 0, 4))])


def flange() -> trimesh.Trimesh:
    """A disc of 70 mm with a hub, a bore and five holes."""
    around = np.deg2rad(np.arange(5) * 72.0)
    holes = [_round(3.5, 30, (25 * np.cos(a), 25 * np.sin(a), 4)) for a in around]
    return _cut([_round(35, 8, (0, 0, 4)), _round(16, 22, (0, 0, 11))], [_round(9, 60, (0, 0, 11)), *holes])


def _block(x: float, y: float, z: float, *corner: float) -> trimesh.Trimesh:
    return box((x, y, z)).apply_translation((corner[0], corner[1], corner[2] + z / 2))


def _round(radius: float, height: float, middle: Iterable[float]) -> trimesh.Trimesh:
    return cylinder(radius, height, sections=64).apply_translation(tuple(middle))


def _rib(y: float) -> trimesh.Trimesh:
    from shapely.geometry import Polygon

    rib = extrude_polygon(Polygon([(-30, 6), (-30, 32), (10, 6)]), 8)
    rib.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))
    return rib.apply_translation((0, y + 8, 0))


def _turned_about(point: Iterable[float]) -> np.ndarray:
    return np.asarray(trimesh.transformations.rotation_matrix(np.pi / 2, (0, 1, 0), tuple(point)))


def _cut(solids: list[trimesh.Trimesh], holes: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    whole = trimesh.boolean.union(solids, engine="manifold")
    return trimesh.boolean.difference([whole, *holes], engine="manifold")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (angle, flange):
        mesh = make()
        assert mesh.is_watertight
        mesh.export(FOLDER / f"{make.__name__}.stl")
        print(f"{make.__name__}: {mesh.extents.round(1)} mm, {mesh.volume / 1000:.1f} cm3, {len(mesh.faces)} faces")


if __name__ == "__main__":
    main()
