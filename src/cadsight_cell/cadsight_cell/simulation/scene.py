"""The cell as MuJoCo draws it."""

from collections.abc import Mapping
from typing import Any, Protocol

import mujoco
import numpy as np
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.parts.mesh import Mesh
from numpy.typing import NDArray

from cadsight_cell.simulation.arm_appearance import ArmAppearance
from cadsight_cell.simulation.world import Light, World

# Height of the table in base_link.
TABLE_Z_M = -0.01
CAMERA = "color"
LAMP = "lamp"
_WHITE = (0.96, 0.96, 0.96, 1.0)


class Contents(Protocol):
    """What a cell holds besides the arm, its table and its lamp."""

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Add the bodies; those that move are mocap bodies."""
        ...

    def poses(self, tool: Pose) -> Mapping[str, Pose]:
        """base_link_from_body of each body that moves, with tool0 at base_link_from_tool0 ``tool``."""
        ...


def build_model(
    world: World,
    contents: Contents,
    appearance: ArmAppearance,
    size: tuple[int, int],
    fovy_deg: float,
) -> mujoco.MjModel:
    """A model whose arm links are mocap bodies, as is what moves with them: it is moved, never simulated.

    Args:
        size: width and height of the largest image to draw.
        fovy_deg: vertical field of view of the camera ``color``.
    """
    spec = mujoco.MjSpec()
    # Nothing collides here, and hulls to collide with are most of what a model's making costs.
    spec.default.geom.contype = spec.default.geom.conaffinity = 0
    spec.visual.global_.offwidth, spec.visual.global_.offheight = size
    spec.visual.quality.shadowsize = 2048
    spec.visual.quality.offsamples = 0  # the lens' interpolation and blur soften edges too, at half the time
    # So near, the offset that keeps faces out of their own shadows is large enough: no speckles far from the lamp.
    spec.visual.map.znear, spec.visual.map.zfar = 0.01, 6.0
    spec.stat.extent, spec.stat.center = 1.0, [0.3, 0.0, 0.3]
    spec.visual.headlight.diffuse = [0.12] * 3
    spec.visual.headlight.specular = [0.0] * 3

    _add_lamp(spec)
    room = spec.worldbody
    room.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[2, 2, 0.1], pos=[0, 0, TABLE_Z_M], rgba=_WHITE)
    for link in appearance.links:
        spec.worldbody.add_body(name=link, mocap=True)
    for number, piece in enumerate(appearance.pieces):
        add_mesh(spec, f"{piece.link}_{number}", piece.vertices, piece.faces)
        body = spec.body(piece.link)
        rgba = (*(0.25 + 0.7 * c for c in piece.colour), 1.0)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"{piece.link}_{number}", rgba=rgba)
    contents.furnish(spec)

    pose = world.base_from_camera
    # MuJoCo's cameras look along -z with y up.
    turned = Pose(pose.rotation @ np.diag([1.0, -1.0, -1.0]), pose.translation)
    room.add_camera(name=CAMERA, pos=turned.translation, quat=wxyz(turned), fovy=fovy_deg)
    model = spec.compile()
    set_light(model, world.light)
    return model


def set_poses(model: mujoco.MjModel, data: mujoco.MjData, poses: Mapping[str, Pose]) -> None:
    """Put bodies at base_link_from_body and bring the scene up to date."""
    for name, pose in poses.items():
        number = model.body(name).mocapid[0]
        data.mocap_pos[number] = pose.translation
        data.mocap_quat[number] = wxyz(pose)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)


def _add_lamp(spec: mujoco.MjSpec) -> None:
    spec.worldbody.add_light(
        name=LAMP,
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        castshadow=True,
        specular=[0.15] * 3,
        cutoff=60,
        exponent=1,
        attenuation=[1, 0, 0],
    )


def set_light(model: mujoco.MjModel, light: Light) -> None:
    """Hang the lamp at the position of ``light``; it points at where the part is held."""
    lamp = model.light(LAMP)
    position = np.asarray(light.position)
    lamp.pos = position
    lamp.dir = unit(np.array([0.3, 0.0, 0.3]) - position)
    lamp.diffuse = light.strength * np.asarray(light.colour)
    model.vis.headlight.ambient[:] = light.ambient


def add_mesh(spec: mujoco.MjSpec, name: str, vertices: Array, faces: NDArray[Any]) -> None:
    """Add triangles: vertices (V, 3) in metres, faces (F, 3)."""
    mesh = spec.add_mesh(name=name)
    mesh.uservert = np.asarray(vertices, np.float64).ravel()
    mesh.userface = np.asarray(faces, np.int32).ravel()
    # Thinned links are not watertight, which an inertia from volume would need.
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL


def sharp(mesh: Mesh) -> tuple[Array, NDArray[Any]]:
    """Vertices and faces with corners of their own for each triangle, which keeps machined edges sharp."""
    return mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(mesh.faces.size).reshape(-1, 3)


def wxyz(pose: Pose) -> Array:
    """The quaternion (4,) in MuJoCo's order."""
    return np.roll(pose.quaternion, 1)
