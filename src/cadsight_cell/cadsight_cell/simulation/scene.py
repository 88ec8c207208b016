"""The cell as MuJoCo draws it."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from numpy.typing import NDArray

from cadsight_cell.simulation.arm_appearance import ArmAppearance
from cadsight_cell.simulation.world import Light, World

PART = "part"
HOLDER = "holder"
CAMERA = "color"
LAMP = "lamp"

# A white disc on a short stem between the tool and the part hides the flange, as the printed holder of the paper.
HOLDER_RADIUS_M = 0.08
HOLDER_THICKNESS_M = 0.006
_STEM_RADIUS_M = 0.018
_WHITE = (0.96, 0.96, 0.96, 1.0)
_HOLDER_WHITE = (0.91, 0.91, 0.91, 1.0)


def build_model(
    world: World,
    part: Part,
    mesh: Mesh,
    mount: Pose,
    appearance: ArmAppearance,
    size: tuple[int, int],
    fovy_deg: float,
) -> mujoco.MjModel:
    """A model whose arm links, holder and part are mocap bodies: it is moved, never simulated.

    Args:
        mount: tool0_from_part.
        size: width and height of the largest image to draw.
        fovy_deg: vertical field of view of the camera ``color``.
    """
    spec = mujoco.MjSpec()
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
    room.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[2, 2, 0.1], pos=[0, 0, -0.01], rgba=_WHITE)
    for link in appearance.links:
        spec.worldbody.add_body(name=link, mocap=True)
    for number, piece in enumerate(appearance.pieces):
        _add_mesh(spec, f"{piece.link}_{number}", piece.vertices, piece.faces)
        body = spec.body(piece.link)
        rgba = (*(0.25 + 0.7 * c for c in piece.colour), 1.0)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"{piece.link}_{number}", rgba=rgba)

    holder = room.add_body(name=HOLDER, mocap=True)
    # The part stands on the disc, wherever its mesh has its origin.
    height = max(float(mount.apply(mesh.vertices)[:, 2].min()), HOLDER_THICKNESS_M)
    disc = HOLDER_THICKNESS_M / 2
    cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
    holder.add_geom(type=cylinder, size=[HOLDER_RADIUS_M, disc, 0], pos=[0, 0, height - disc], rgba=_HOLDER_WHITE)
    if height > HOLDER_THICKNESS_M:
        half = (height - HOLDER_THICKNESS_M) / 2
        holder.add_geom(type=cylinder, size=[_STEM_RADIUS_M, half, 0], pos=[0, 0, half], rgba=_HOLDER_WHITE)

    body = room.add_body(name=PART, mocap=True)
    # Corners of its own for each triangle keep machined edges sharp.
    _add_mesh(spec, PART, mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(mesh.faces.size).reshape(-1, 3))
    material = spec.add_material(name=PART, rgba=(*part.display_colour, 1.0), specular=0.25, shininess=0.35)
    body.add_geom(name=PART, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=PART, material=material.name)

    pose = world.base_from_camera
    # MuJoCo's cameras look along -z with y up.
    turned = Pose(pose.rotation @ np.diag([1.0, -1.0, -1.0]), pose.translation)
    room.add_camera(name=CAMERA, pos=turned.translation, quat=_wxyz(turned), fovy=fovy_deg)
    model = spec.compile()
    set_light(model, world.light)
    return model


def set_poses(model: mujoco.MjModel, data: mujoco.MjData, poses: Mapping[str, Pose]) -> None:
    """Put bodies at base_link_from_body and bring the scene up to date."""
    for name, pose in poses.items():
        number = model.body(name).mocapid[0]
        data.mocap_pos[number] = pose.translation
        data.mocap_quat[number] = _wxyz(pose)
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


def _add_mesh(spec: mujoco.MjSpec, name: str, vertices: Array, faces: NDArray[Any]) -> None:
    mesh = spec.add_mesh(name=name)
    mesh.uservert = np.asarray(vertices, np.float64).ravel()
    mesh.userface = np.asarray(faces, np.int32).ravel()
    # Thinned links are not watertight, which an inertia from volume would need.
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL


def _wxyz(pose: Pose) -> Array:
    return np.roll(pose.quaternion, 1)
