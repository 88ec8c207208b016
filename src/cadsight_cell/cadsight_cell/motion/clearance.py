"""How far the arm and what it holds stay from the cell's bodies, by MuJoCo's kinematics and distances.

The planner's checks are coal's on pinocchio's kinematics: this is a second opinion on the same shapes.
"""

from collections.abc import Sequence

import coal
import mujoco
import numpy as np
import pinocchio
from cadsight_core.geometry import Array, Pose

from cadsight_cell.arm import Arm
from cadsight_cell.motion.collision import BoxBody, HeldPart

# Distances beyond this are not of interest, metres.
_FARTHEST_M = 0.2


class Clearance:
    """The arm between its bodies, as MuJoCo sees them. Not for several threads at once."""

    def __init__(self, arm: Arm, bodies: Sequence[BoxBody] = (), part: HeldPart | None = None) -> None:
        """``part`` counts by its convex hull."""
        spec = mujoco.MjSpec()
        spec.compiler.degree = False
        links = [spec.worldbody]
        for joint, placement in zip(arm.model.joints[1:], arm.model.jointPlacements[1:], strict=True):
            # Each link hangs on the one before it and turns about its own z, as the UR's all do.
            assert joint.shortname() == "JointModelRZ"
            pose = Pose(placement.rotation.copy(), placement.translation.copy())
            link = links[-1].add_body(**_placed(pose))
            link.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1])
            links.append(link)
        tool = arm.model.frames[arm.model.getFrameId("tool0")]
        last_from_tool = Pose(tool.placement.rotation.copy(), tool.placement.translation.copy())
        geometry = pinocchio.buildGeomFromUrdf(arm.model, str(arm.urdf), pinocchio.GeometryType.COLLISION)
        self._moving: list[str] = []
        self._standing: list[str] = []
        for shape in geometry.geometryObjects:
            pose = Pose(shape.placement.rotation.copy(), shape.placement.translation.copy())
            links[shape.parentJoint].add_geom(name=shape.name, **_shape(shape.geometry), **_placed(pose))
            if shape.parentJoint > 1:  # what only turns on the base's axis keeps its distance from what stands
                self._moving.append(shape.name)
        for number, body in enumerate(bodies):
            name = f"{body.name}_{number}"
            at_tool = body.attached_to == "tool0"
            link, pose = (links[-1], last_from_tool @ body.pose) if at_tool else (links[0], body.pose)
            size = [s / 2 for s in body.size_m]
            link.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=size, **_placed(pose))
            (self._moving if at_tool else self._standing).append(name)
        if part is not None:
            points = (last_from_tool @ part.tool0_from_part).apply(part.mesh.hull_vertices)
            spec.add_mesh(name="part", uservert=points.ravel())
            # MuJoCo moves a mesh to its own centre, and the geom with it.
            links[-1].add_geom(name="held_part", type=mujoco.mjtGeom.mjGEOM_MESH, meshname="part")
            self._moving.append("held_part")
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._pairs = [
            (a, b, mujoco.mj_name2id(self._model, _GEOM, a), mujoco.mj_name2id(self._model, _GEOM, b))
            for a in self._moving
            for b in self._standing
        ]

    def at(self, joints: Array) -> tuple[float, str, str]:
        """Metres between what is nearest of what moves and of what stands, and their names, at joint angles (6,).

        Below 0 they overlap; from 0.2 m on it is 0.2 m.
        """
        self._data.qpos[:] = joints
        mujoco.mj_kinematics(self._model, self._data)
        nearest = (_FARTHEST_M, "", "")
        between = np.zeros(6)
        for a, b, first, second in self._pairs:
            metres = mujoco.mj_geomDistance(self._model, self._data, first, second, nearest[0], between)
            if metres < nearest[0]:
                nearest = (float(metres), a, b)
        return nearest


_GEOM = mujoco.mjtObj.mjOBJ_GEOM


def _placed(pose: Pose) -> dict[str, list[float]]:
    x, y, z, w = map(float, pose.quaternion)
    return {"pos": pose.translation.tolist(), "quat": [w, x, y, z]}


def _shape(shape: coal.CollisionGeometry) -> dict[str, object]:
    if isinstance(shape, coal.Sphere):
        return {"type": mujoco.mjtGeom.mjGEOM_SPHERE, "size": [shape.radius, 0, 0]}
    if isinstance(shape, coal.Cylinder):
        return {"type": mujoco.mjtGeom.mjGEOM_CYLINDER, "size": [shape.radius, shape.halfLength, 0]}
    raise TypeError(f"the arm's collision shape {type(shape).__name__} is unknown here")
