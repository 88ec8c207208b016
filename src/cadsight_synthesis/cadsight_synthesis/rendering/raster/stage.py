"""MuJoCo's OpenGL renderer as a stage: meshes and textures stay on it, scenes come and go.

MuJoCo draws what its ``MjvScene`` lists, whoever wrote the list. So one model of nothing but places for meshes and
textures serves all scenes: what a scene brings is written into places that are free, and only when there are too few is
the model compiled anew, with twice as many.
"""

import atexit
import os
import weakref
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.imaging.opengl import keep_triton_out, needing_opengl
from numpy.typing import NDArray

from cadsight_synthesis.rendering.raster.light import MOST_LIGHTS, Light
from cadsight_synthesis.rendering.raster.painted import SIDE, painted
from cadsight_synthesis.rendering.surface import Surface, read_surface

# Mesa's and every driver's largest image.
LARGEST_SIDE = 8192
# Triangles that a mesh's place has room for: the smallest that is enough is taken.
_ROOMS = tuple(256 * 4**i for i in range(8))
_SHADOW_SIDE = 2048


@dataclass(frozen=True, eq=False)
class Thing:
    """A body as it is drawn: ``colour`` (3,) in display numbers, ``texture_m`` the width of one texture.

    ``painted`` says that the texture holds the colours of the mesh's triangles.
    """

    mesh: Path
    pose: Pose
    colour: Array
    specular: float
    shininess: float
    texture: Path | None = None
    texture_m: float = 1.0
    painted: bool = False

    @property
    def surface(self) -> Surface:
        surface = read_surface(self.mesh)
        return painted(surface) if self.painted else surface


@dataclass(frozen=True, eq=False)
class Pinhole:
    """An undistorted camera with square pixels; (cx, cy) is the principal point, 0 at the first pixel's centre."""

    width: int
    height: int
    focal: float
    cx: float
    cy: float
    pose: Pose
    near: float
    far: float


@dataclass(eq=False)
class _Held:
    """What OpenGL has given us: its context, and MuJoCo's in it."""

    gl: Any
    context: Any = None


def _free(held: _Held) -> None:
    # Freed under another stage's context, the names of ours would be taken from that one.
    held.gl.make_current()
    if held.context is not None:
        held.context.free()
    held.gl.free()


class Stage:
    """One OpenGL context; belongs to the thread that made it."""

    def __init__(self) -> None:
        os.environ.setdefault("MUJOCO_GL", "egl")
        with needing_opengl():
            import mujoco
            from mujoco.rendering.classic.gl_context import GLContext

            keep_triton_out()
            self._mj = mujoco
            self._held = _Held(GLContext(640, 480))
        self._free = weakref.finalize(self, _free, self._held)
        # At exit before what the display was opened with, which registered itself when it was imported.
        self._free.atexit = False
        atexit.register(self._free)
        self._places: list[_Place] = []
        self._textures: list[str] = []
        self._slots = 0
        self._model: Any = None
        self._scene: Any = None
        self._clock = 0

    def close(self) -> None:
        """Give the context and its memory back."""
        self._free()
        atexit.unregister(self._free)

    def set(self, things: Sequence[Thing], light: tuple[Array, Sequence[Light]], reach: float) -> None:
        """Put things and light on the stage; shadows are drawn ``reach`` metres around where the lamps look."""
        self._held.gl.make_current()
        places = self._bring(things)
        scene = self._scene
        slots = self._upload([t.texture for t in things if t.texture is not None])
        for number, thing in enumerate(things):
            self._put(number, thing, places[thing.mesh, thing.painted], slots)
        scene.ngeom = len(things)
        self._light(*light, reach)

    def colour(self, pinhole: Pinhole) -> Rgb:
        """The image (H, W, 3), black where nothing is."""
        self._flags(labels=False)
        image = np.empty((pinhole.height, pinhole.width, 3), np.uint8)
        self._draw(pinhole, image, None)
        return image[::-1]

    def labels(self, pinhole: Pinhole) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """Index (H, W) of the thing at each pixel's centre, -1 for none, and depth (H, W) in metres."""
        self._flags(labels=True)
        codes = np.empty((pinhole.height, pinhole.width, 3), np.uint8)
        depth = np.empty((pinhole.height, pinhole.width), np.float32)
        self._draw(pinhole, codes, depth)
        index = codes[..., 0].astype(np.int16) + (codes[..., 1].astype(np.int16) << 8) - 1
        near, far = pinhole.near, pinhole.far
        # The depth buffer is turned around: 1 at the near plane, 0 at the far one.
        metres = far * near / (depth.astype(np.float64) * (far - near) + near)
        metres[index < 0] = np.inf
        return index[::-1], metres[::-1].astype(np.float32)

    def _bring(self, things: Sequence[Thing]) -> dict[tuple[Path, bool], int]:
        """The places of the things' meshes, which are written there where they are not yet."""
        surfaces = {(t.mesh, t.painted): t.surface for t in things}
        rooms = [_room(surface, mesh) for (mesh, _), surface in surfaces.items()]
        textures = len({t.texture for t in things if t.texture is not None})
        counts = Counter(place.room for place in self._places)
        needed = Counter(rooms)
        if self._model is None or textures > self._slots or any(needed[room] > counts[room] for room in needed):
            grown = {room: max(counts[room], _doubled(needed[room])) for room in {*counts, *needed}}
            self._build(grown, max(self._slots, _doubled(textures)))
        found = {}
        for number, place in enumerate(self._places):
            key = next((k for k, surface in surfaces.items() if place.surface is surface), None)
            if key is not None:
                found[key] = number
        for (key, surface), room in zip(surfaces.items(), rooms, strict=True):
            if key not in found:
                free = (n for n, p in enumerate(self._places) if p.room == room and n not in found.values())
                found[key] = min(free, key=lambda n: self._places[n].used)
                self._write(found[key], surface)
        self._clock += 1
        for number in found.values():
            self._places[number].used = self._clock
        return found

    def _build(self, rooms: Mapping[int, int], textures: int) -> None:
        """A model with so many places of each room, and places for textures; all of them are empty."""
        mj = self._mj
        spec = mj.MjSpec()
        spec.visual.global_.offwidth, spec.visual.global_.offheight = 640, 480
        spec.visual.quality.shadowsize = _SHADOW_SIDE
        spec.visual.quality.offsamples = 0
        self._places = [_Place(room) for room, count in sorted(rooms.items()) for _ in range(count)]
        for number, place in enumerate(self._places):
            _add(spec, f"mesh{number}", place.room, mj.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        self._slots = textures
        for slot in range(self._slots):
            texture = spec.add_texture(name=f"texture{slot}", type=mj.mjtTexture.mjTEXTURE_2D)
            texture.width = texture.height = SIDE
            texture.nchannel = 3
            texture.data = bytes(3 * SIDE**2)
            material = spec.add_material(name=f"material{slot}")
            material.textures[mj.mjtTextureRole.mjTEXROLE_RGB] = f"texture{slot}"
        self._model = spec.compile()
        if self._held.context is not None:
            self._held.context.free()
        self._held.context = mj.MjrContext(self._model, mj.mjtFontScale.mjFONTSCALE_50)
        mj.mjr_setBuffer(mj.mjtFramebuffer.mjFB_OFFSCREEN, self._held.context)
        self._held.context.readDepthMap = mj.mjtDepthMap.mjDEPTH_ZEROFAR
        self._scene = mj.MjvScene(self._model, maxgeom=4096)
        self._textures = []

    def _write(self, number: int, surface: Surface) -> None:
        model, place = self._model, self._places[number]
        corners = surface.fine.vertices[surface.fine.faces].reshape(-1, 3)
        room = 3 * place.room
        for target, starts, values in (
            (model.mesh_vert, model.mesh_vertadr, corners),
            (model.mesh_normal, model.mesh_normaladr, surface.normals),
            (model.mesh_texcoord, model.mesh_texcoordadr, surface.texture_m),
        ):
            start = int(starts[number])
            target[start : start + len(values)] = values
            # Triangles without an extent are nowhere to be seen.
            target[start + len(values) : start + room] = values[:1]
        self._mj.mjr_uploadMesh(model, self._held.context, number)
        place.surface = surface

    def _upload(self, wanted: Sequence[Path]) -> Mapping[Path, int]:
        paths = list(OrderedDict.fromkeys(map(str, wanted)))
        missing = [p for p in paths if p not in self._textures]
        free = [i for i, p in enumerate(self._textures) if p not in paths]
        free = [*range(len(self._textures), self._slots), *free]
        self._textures += [""] * (self._slots - len(self._textures))
        for path, slot in zip(missing, free, strict=False):
            start = int(self._model.tex_adr[slot])
            pixels = _texture(path)
            self._model.tex_data[start : start + pixels.size] = pixels.ravel()
            self._mj.mjr_uploadTexture(self._model, self._held.context, slot)
            self._textures[slot] = path
        return {Path(p): self._textures.index(p) for p in paths}

    def _put(self, number: int, thing: Thing, mesh: int, slots: Mapping[Path, int]) -> None:
        mj, geom = self._mj, self._scene.geoms[number]
        mj.mjv_initGeom(
            geom, mj.mjtGeom.mjGEOM_MESH, np.ones(3), thing.pose.translation, thing.pose.rotation.ravel(),
            np.array([*thing.colour, 1.0], np.float32),
        )  # fmt: skip
        geom.dataid = 2 * mesh
        geom.objtype, geom.objid, geom.segid = mj.mjtObj.mjOBJ_GEOM, number, number
        geom.category = mj.mjtCatBit.mjCAT_STATIC
        geom.specular, geom.shininess, geom.emission, geom.reflectance = thing.specular, thing.shininess, 0.0, 0.0
        geom.castshadow = 1
        geom.matid = geom.texid = -1 if thing.texture is None else slots[thing.texture]
        geom.texcoord = 1
        geom.texrepeat = np.full(2, 1.0 / thing.texture_m, np.float32)

    def _light(self, ambient: Array, lights: Sequence[Light], reach: float) -> None:
        mj, scene = self._mj, self._scene
        if len(lights) + 1 > MOST_LIGHTS:
            raise CadsightError(f"{len(lights)} lights came to be drawn, expected at most {MOST_LIGHTS - 1}")
        everywhere = Light("directional", np.zeros(3), np.array([0.0, 0.0, -1.0]), np.zeros(3), False, np.inf)
        widest = 0.1
        for number, light in enumerate([everywhere, *lights]):
            target = scene.lights[number]
            spot = light.kind == "spot"
            target.id, target.headlight, target.texid = number, 0, -1
            target.type = mj.mjtLightType.mjLIGHT_SPOT if spot else mj.mjtLightType.mjLIGHT_DIRECTIONAL
            # A sun stands where its shadow map is drawn from.
            target.pos = light.position if spot else light.position - 3 * reach * light.direction
            target.dir = light.direction
            # Display numbers fall with about the distance where light falls with its square.
            target.attenuation = (0.0, 1.0 / light.reference_m, 0.0) if spot else (1.0, 0.0, 0.0)
            target.cutoff = 90.0
            target.exponent = 0.0 if light.wide else 1.0
            target.ambient = ambient if number == 0 else np.zeros(3)
            target.diffuse = light.colour
            target.specular = light.colour
            target.castshadow = int(light.shadow)
            if spot and light.shadow:
                widest = max(widest, min(float(np.arcsin(min(reach / light.reference_m, 1.0))), np.deg2rad(75.0)))
        scene.nlight = len(lights) + 1
        self._held.context.shadowScale = float(np.rad2deg(widest) / 90.0)
        self._held.context.shadowClip = float(reach)

    def _flags(self, labels: bool) -> None:
        flags = self._mj.mjtRndFlag
        values = {flags.mjRND_SEGMENT: labels, flags.mjRND_IDCOLOR: labels, flags.mjRND_SHADOW: not labels}
        # Meshes with holes or flipped faces are seen from both sides.
        values |= {flags.mjRND_CULL_FACE: False, flags.mjRND_SKYBOX: False, flags.mjRND_HAZE: False}
        values |= {flags.mjRND_FOG: False, flags.mjRND_REFLECTION: False, flags.mjRND_WIREFRAME: False}
        for flag, value in values.items():
            self._scene.flags[flag] = value

    def _draw(self, pinhole: Pinhole, image: NDArray[np.uint8], depth: NDArray[np.float32] | None) -> None:
        mj = self._mj
        width, height = pinhole.width, pinhole.height
        self._held.gl.make_current()
        if self._held.context.offWidth < width or self._held.context.offHeight < height:
            mj.mjr_resizeOffscreen(
                max(width, self._held.context.offWidth), max(height, self._held.context.offHeight), self._held.context
            )
            mj.mjr_setBuffer(mj.mjtFramebuffer.mjFB_OFFSCREEN, self._held.context)
        rotation = pinhole.pose.rotation
        to_near = pinhole.near / pinhole.focal
        for camera in self._scene.camera:
            camera.pos, camera.forward, camera.up = pinhole.pose.translation, rotation[:, 2], -rotation[:, 1]
            camera.orthographic = 0
            camera.frustum_near, camera.frustum_far = pinhole.near, pinhole.far
            camera.frustum_top = (pinhole.cy + 0.5) * to_near
            camera.frustum_bottom = (pinhole.cy + 0.5 - height) * to_near
            camera.frustum_center = (width / 2 - pinhole.cx - 0.5) * to_near
        area = mj.MjrRect(0, 0, width, height)
        mj.mjr_render(area, self._scene, self._held.context)
        mj.mjr_readPixels(image, depth, area, self._held.context)


@dataclass(eq=False)
class _Place:
    """Where a mesh of up to ``room`` triangles can be written; ``used`` counts up with the scenes that used it."""

    room: int
    surface: Surface | None = None
    used: int = 0


def _room(surface: Surface, mesh: Path) -> int:
    count = len(surface.fine.faces)
    room = next((r for r in _ROOMS if r >= count), None)
    if room is None:
        raise CadsightError(f"the mesh {mesh} has {count} triangles, expected at most {_ROOMS[-1]} to be drawn")
    return room


def _doubled(count: int) -> int:
    """The least power of two that is enough, 0 for none."""
    return 1 << (count - 1).bit_length() if count else 0


def _add(spec: Any, name: str, room: int, inertia: Any) -> None:
    """A mesh of so many triangles, of whatever shape, with corners, normals and texture places of their own."""
    mesh = spec.add_mesh(name=name)
    mesh.inertia = inertia
    corners = np.tile([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], (room, 1))[: 3 * room]
    # Lists are taken over several times as fast as arrays.
    mesh.uservert = corners.ravel().tolist()
    mesh.userface = list(range(3 * room))
    mesh.usernormal = [0.0, 0.0, 1.0] * (3 * room)
    mesh.usertexcoord = [0.0, 0.0] * (3 * room)


def _texture(path: str) -> Rgb:
    image = read_image(path)
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
