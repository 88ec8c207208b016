"""What the arm can bump into: itself, the cell's bodies and what it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import coal
import numpy as np
import pinocchio
from cadsight_core.config.parameters import check, from_mapping, parameter
from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.parts.mesh import Mesh
from scipy.spatial import ConvexHull

from cadsight_cell.arm import Arm

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class BoxBody:
    """A box that stands in the cell, or that tool0 carries."""

    name: str = parameter("", "what the box stands for")
    size_m: Triple = parameter((0.1, 0.1, 0.1), "lengths along the box's axes, metres", minimum=1e-4)
    centre_m: Triple = parameter((0.0, 0.0, 0.0), "centre in the frame it is attached to, metres")
    rotation_rad: Triple = parameter((0.0, 0.0, 0.0), "rotation vector of the box's axes, radians")
    attached_to: str = parameter("base_link", "the frame that it stands in", choices=("base_link", "tool0"))

    def __post_init__(self) -> None:
        check(self)
        if not self.name:
            raise CadsightError("a body has no name, expected what it stands for, such as table")

    @property
    def pose(self) -> Pose:
        """attached_to_from_box."""
        return Pose.from_rotvec(self.rotation_rad, self.centre_m)


def load_bodies(path: str | Path) -> tuple[BoxBody, ...]:
    """The bodies of a YAML file: a list ``bodies`` of boxes with name, size_m, centre_m, rotation_rad, attached_to.

    Raises:
        CadsightError: for a file that is missing or holds something else.
    """
    data = read_yaml(path, "the cell's file of bodies ")
    entries = data.get("bodies") if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        raise CadsightError(f"{path} holds no list 'bodies', expected one entry a box")
    return tuple(from_mapping(BoxBody, entry, f"{path}: bodies[{i}]") for i, entry in enumerate(entries))


@dataclass(frozen=True, eq=False)
class HeldPart:
    """The part at the tool: its mesh, and ``tool0_from_part``."""

    mesh: Mesh
    tool0_from_part: Pose


# A point further along the arm moves by at most these metres for a radian of each joint: the arm stretched out
# from that joint's axis, as the published link lengths add up.
_REACH_M = np.array([0.72, 0.72, 0.46, 0.23, 0.15, 0.06])
# Bodies closer than this count as touching. No point moves further than this between an edge's samples and the
# nearest of them, so that a free edge is free along its whole length.
MARGIN_M = 0.01


class CollisionModel:
    """Collision checks of the arm with primitives (coal). Not for several threads at once."""

    def __init__(self, arm: Arm, bodies: Sequence[BoxBody] = (), part: HeldPart | None = None) -> None:
        """``part`` counts by its convex hull."""
        self._arm = arm
        kind = pinocchio.GeometryType.COLLISION
        self._geometry = pinocchio.buildGeomFromUrdf(arm.model, str(arm.urdf), kind)
        self._names = [g.name.rsplit("_", 1)[0] for g in self._geometry.geometryObjects]
        links = len(self._names)
        held_reach = 0.0
        for body in bodies:
            shape = coal.Box(*body.size_m)
            self._add(body.name, shape, body.pose, body.attached_to == "tool0")
            if body.attached_to == "tool0":
                corners = body.pose.apply(np.array(body.size_m) / 2 * _CORNERS)
                held_reach = max(held_reach, float(np.linalg.norm(corners, axis=1).max()))
        if part is not None:
            points = part.tool0_from_part.apply(part.mesh.hull_vertices)
            self._add("part", _convex(points), Pose.identity(), True)
            held_reach = max(held_reach, float(np.linalg.norm(points, axis=1).max()))
        self._pair(links)
        self._reach = _REACH_M + held_reach
        self._data = arm.model.createData()
        self._geometry_data = pinocchio.GeometryData(self._geometry)
        for request in self._geometry_data.collisionRequests:
            request.security_margin = MARGIN_M

    def touching(self, joints: Array) -> list[tuple[str, str]]:
        """Names of the bodies that touch or come within the margin at joint angles (6,)."""
        self._compute(joints, stop_at_first=False)
        found = []
        for pair, result in zip(self._geometry.collisionPairs, self._geometry_data.collisionResults, strict=True):
            if result.isCollision():
                found.append((self._names[pair.first], self._names[pair.second]))
        return list(dict.fromkeys(found))

    def is_free(self, joints: Array) -> bool:
        """Nothing touches at joint angles (6,)."""
        return not self._compute(joints, stop_at_first=True)

    def is_edge_free(self, start: Array, goal: Array) -> bool:
        """Nothing touches along the straight line in joint space from ``start`` to ``goal`` (6,)."""
        number = int(np.ceil(self.travel(start, goal) / (2 * MARGIN_M))) + 1
        # Ends first, then the middle: a blocked edge is mostly blocked far from its free ends.
        for fraction in sorted(np.linspace(0, 1, max(number, 2)), key=lambda s: abs(s - 0.5)):
            if not self.is_free(start + fraction * (goal - start)):
                return False
        return True

    def travel(self, start: Array, goal: Array) -> float:
        """Metres that no point of the arm exceeds on the straight line between two joint angles (6,)."""
        return float(self._reach @ np.abs(goal - start))

    @property
    def reach(self) -> Array:
        """(6,) metres that no point of the arm exceeds for a radian of each joint."""
        return self._reach

    def _compute(self, joints: Array, stop_at_first: bool) -> bool:
        return pinocchio.computeCollisions(
            self._arm.model, self._data, self._geometry, self._geometry_data, joints, stop_at_first
        )

    def _add(self, name: str, shape: coal.CollisionGeometry, pose: Pose, at_tool: bool) -> None:
        frame = self._arm.model.frames[self._arm.model.getFrameId("tool0" if at_tool else "base_link")]
        placement = frame.placement * pinocchio.SE3(pose.rotation, pose.translation)
        number = len(self._names)
        self._geometry.addGeometryObject(
            pinocchio.GeometryObject(f"{name}_{number}", frame.parentJoint, placement, shape)
        )
        self._names.append(name)

    def _pair(self, links: int) -> None:
        objects = self._geometry.geometryObjects
        for i in range(len(objects)):
            for j in range(i + 1, len(objects)):
                a, b = objects[i].parentJoint, objects[j].parentJoint
                # Neighbours on the arm overlap at their joint, and what stands on the same frame stays as it is.
                if a == b or (j < links and abs(a - b) == 1):
                    continue
                self._geometry.addCollisionPair(pinocchio.CollisionPair(i, j))


_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])


def _convex(points: Array) -> coal.CollisionGeometry:
    hull = ConvexHull(points)
    number = np.full(len(points), -1)
    number[hull.vertices] = np.arange(len(hull.vertices))
    vertices = coal.StdVec_Vec3s()
    for point in points[hull.vertices]:
        vertices.append(point)
    triangles = coal.StdVec_Triangle()
    centre = points[hull.vertices].mean(axis=0)
    for corners in hull.simplices:
        a, b, c = points[corners]
        outward = np.dot(np.cross(b - a, c - a), a - centre) > 0
        triangles.append(coal.Triangle(*map(int, number[corners if outward else corners[::-1]])))
    return coal.Convex(vertices, triangles)
