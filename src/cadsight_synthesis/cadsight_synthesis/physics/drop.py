"""Things that fall into a box and come to rest there, by MuJoCo's rigid-body physics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.opengl import needing_opengl
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from cadsight_synthesis.assets.shape import Shape
from cadsight_synthesis.physics.convex import convex_pieces
from cadsight_synthesis.physics.parameters import DropParameters

with needing_opengl():
    import mujoco

# Physics is set for things of a hand's size; smaller and larger ones are scaled to it and back.
_USUAL_DIAMETER_M = 0.1
_STEP_S = 0.002
_LOOK_S = 0.1
_AT_REST = (0.02, 0.3)  # metres and radians a second
_THICK_M = 0.5


@dataclass(frozen=True)
class Room:
    """The inside of a box, metres; its floor is centred on the origin at z = 0."""

    length: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Landing:
    """Where a thing has come to be.

    Attributes:
        pose: room_from_thing.
        trouble: why it must not stay so, empty where it may.
    """

    pose: Pose
    trouble: str = ""


def drop(shapes: Sequence[Shape], room: Room, parameters: DropParameters, rng: Generator) -> list[Landing]:
    """Drop things, turned at random, one above the other; the same numbers drawn give the same landings."""
    if not shapes:
        return []
    scale = _USUAL_DIAMETER_M / (2 * max(shape.radius for shape in shapes))
    model = _model(shapes, room, parameters, scale)
    data = mujoco.MjData(model)
    height = (room.height + parameters.height_m) * scale
    for i, shape in enumerate(shapes):
        radius = shape.radius * scale
        height += radius
        spare = np.maximum(np.array([room.length, room.width]) * scale / 2 - radius, 0)
        position = np.array([*(rng.uniform(-1, 1, 2) * spare), height])
        height += 1.1 * radius
        rotation = Rotation.from_quat(rng.normal(size=4))
        data.qpos[7 * i : 7 * i + 3] = position - rotation.apply(shape.middle * scale)
        data.qpos[7 * i + 3 : 7 * i + 7] = np.roll(rotation.as_quat(), 1)
        data.qvel[6 * i + 3 : 6 * i + 6] = rng.uniform(-2, 2, 3)
    restless = _settle(model, data, parameters.seconds)
    return [_landing(shape, data.qpos[7 * i : 7 * i + 7], room, scale, i in restless) for i, shape in enumerate(shapes)]


def _settle(model: mujoco.MjModel, data: mujoco.MjData, seconds: float) -> set[int]:
    """Let time pass until all is at rest; the things that still move at the end."""
    steps, calm, moving = round(_LOOK_S / _STEP_S), 0, set[int]()
    for _ in range(int(np.ceil(seconds / _LOOK_S))):
        mujoco.mj_step(model, data, steps)
        speeds = np.abs(data.qvel.reshape(-1, 6))
        fast = (speeds[:, :3] > _AT_REST[0]).any(axis=1) | (speeds[:, 3:] > _AT_REST[1]).any(axis=1)
        moving = set(np.flatnonzero(fast).tolist())
        calm = 0 if moving else calm + 1
        if calm == 2:
            break
    return moving


def _landing(shape: Shape, placed: Array, room: Room, scale: float, restless: bool) -> Landing:
    pose = Pose.from_quaternion(np.roll(placed[3:], -1), placed[:3] / scale)
    x, y, z = pose.apply(shape.middle)
    if abs(x) > room.length / 2 or abs(y) > room.width / 2 or z < -shape.radius:
        return Landing(pose, "came to rest outside the box")
    return Landing(pose, "did not come to rest in time" if restless else "")


def _model(shapes: Sequence[Shape], room: Room, parameters: DropParameters, scale: float) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.option.timestep = _STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    friction = [parameters.friction, 0.005, 0.001]
    _walls(spec, Room(room.length * scale, room.width * scale, room.height * scale), friction)
    for i, shape in enumerate(shapes):
        body = spec.worldbody.add_body(name=f"thing-{i}")
        body.add_freejoint()
        for j, piece in enumerate(convex_pieces(shape.original)):
            mesh = spec.add_mesh(name=f"piece-{i}-{j}")
            mesh.uservert = (piece * (shape.scale * scale)).ravel()
            mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh.name, friction=friction, density=2000, condim=4
            )
    return spec.compile()


def _walls(spec: mujoco.MjSpec, room: Room, friction: list[float]) -> None:
    box, half = mujoco.mjtGeom.mjGEOM_BOX, _THICK_M / 2
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[5, 5, 0.1], friction=friction)
    if room.height <= 0:
        return
    long, wide, high = room.length / 2, room.width / 2, room.height / 2
    for sign in (-1, 1):
        for size, position in (
            ([half, wide + _THICK_M, high], [sign * (long + half), 0, high]),
            ([long + _THICK_M, half, high], [0, sign * (wide + half), high]),
        ):
            spec.worldbody.add_geom(type=box, size=size, pos=position, friction=friction)
