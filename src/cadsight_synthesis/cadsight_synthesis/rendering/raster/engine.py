"""The rasteriser: images by the thousand on a machine with no GPU, with labels exact at each pixel's centre."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.images import Rgb
from cadsight_core.imaging.lens import Lens, Number
from numpy.typing import NDArray

from cadsight_synthesis.rendering.backdrop import backdrop
from cadsight_synthesis.rendering.colour import to_display
from cadsight_synthesis.rendering.raster.light import lights
from cadsight_synthesis.rendering.raster.painted import paint
from cadsight_synthesis.rendering.raster.stage import LARGEST_SIDE, Pinhole, Stage, Thing
from cadsight_synthesis.rendering.scene import Body, Rendering, Scene, View
from cadsight_synthesis.rendering.surface import read_surface

# Drawn pixels along each axis for one of the image: even for colour, whose corners are averaged, odd for the
# labels, one of which lies on the pixel's centre.
_COLOUR_SCALE = 2
_LABEL_SCALE = 3
_NEAREST_M = 0.002
# What is so much larger than all parts together is ground.
_GROUND = 3.0


class RasterEngine:
    """Draws scenes with MuJoCo's OpenGL; one belongs to one process and one thread.

    It knows colour, texture, roughness, metal (as a stronger highlight), lamps with soft shadows, a sky, photographs
    behind and distorting lenses. It knows no light from one body to another and no mirrors.
    """

    name = "raster"

    def __init__(self) -> None:
        self._stage: Stage | None = None

    def render(self, scene: Scene) -> list[Rendering]:
        """One rendering for each view, in their order.

        Raises:
            CadsightError: for a mesh, texture, environment or backdrop that cannot be read, a lens that does not
                exist, an image too large to draw, or a machine without EGL.
        """
        if self._stage is None:
            self._stage = Stage()
        balls = [_Ball.of(body) for body in scene.bodies]
        parts = [ball for body, ball in zip(scene.bodies, balls, strict=True) if body.class_id is not None] or balls
        middle = np.mean([b.middle for b in parts], axis=0) if parts else np.zeros(3)
        reach = _reach(parts, middle)
        # Shadows are drawn for what stands among the parts, not for the ground.
        reach = _reach([b for b in balls if b.radius < _GROUND * reach], middle)
        self._stage.set([_thing(body) for body in scene.bodies], lights(scene, middle), 1.2 * reach)
        return [self._view(scene, view, balls) for view in scene.views]

    def close(self) -> None:
        """Give the OpenGL context back; the next scene makes a new one."""
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    def _view(self, scene: Scene, view: View, balls: "Sequence[_Ball]") -> Rendering:
        assert self._stage is not None
        span = _span(view.world_from_camera, balls)
        fine = _optics(view.camera, _LABEL_SCALE)
        drawn, distance = self._stage.labels(fine.pinhole(view.world_from_camera, span))
        index, depth = fine.nearest(drawn), fine.nearest(distance)
        optics = _optics(view.camera, _COLOUR_SCALE)
        pinhole = optics.pinhole(view.world_from_camera, span)
        image = optics.image(self._stage.colour(pinhole))
        if (drawn < 0).any():
            stands = (self._stage.labels(pinhole)[0] >= 0).astype(np.uint8) * 255
            fraction = optics.image(stands).astype(np.float32)[..., None] / 255
            image = np.round(image + (1 - fraction) * backdrop(view, scene.environment)).clip(0, 255).astype(np.uint8)
        if view.grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.uint8)
        return Rendering(image, index, depth)


class _Optics:
    """From a camera to the pinhole that is drawn, and from the pinhole's images back to the camera's pixels."""

    def __init__(self, camera: Camera, scale: int) -> None:
        self._camera = camera
        # Without distortion the frustum itself is the camera's, and its pixels are the image's.
        straight = not any(camera.distortion) and camera.fx == camera.fy
        self._lens = None if straight else Lens(camera, scale)
        self._scale = 1 if straight and scale % 2 else scale
        if self._lens is None:
            self._size = camera.size.width * self._scale, camera.size.height * self._scale
            self._focal = camera.fy * self._scale
            self._centre = (camera.cx + 0.5) * self._scale - 0.5, (camera.cy + 0.5) * self._scale - 0.5
        else:
            self._size, self._focal = (self._lens.width, self._lens.height), self._lens.focal
            self._centre = (self._lens.width - 1) / 2, (self._lens.height - 1) / 2
            self._small = Lens(camera)
        if max(self._size) > LARGEST_SIDE:
            raise CadsightError(
                f"an image of {camera.size.width} x {camera.size.height} pixels came to be drawn, expected at most "
                f"{LARGEST_SIDE // 4} on a side: use the engine cycles"
            )

    def pinhole(self, world_from_camera: Pose, span: tuple[float, float]) -> Pinhole:
        (width, height), (cx, cy) = self._size, self._centre
        return Pinhole(width, height, self._focal, cx, cy, world_from_camera, *span)

    def image(self, drawn: NDArray[np.uint8]) -> Rgb:
        """Averaged to the camera's size and bent."""
        scale = self._scale
        small: Rgb = np.asarray(
            cv2.resize(drawn, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        return small if self._lens is None else self._small.bend(small)

    def nearest(self, drawn: NDArray[Number]) -> NDArray[Number]:
        """What each pixel's centre shows."""
        if self._lens is not None:
            return self._lens.bend_nearest(drawn)
        return np.ascontiguousarray(drawn[self._scale // 2 :: self._scale, self._scale // 2 :: self._scale])


@lru_cache(maxsize=8)
def _optics(camera: Camera, scale: int) -> _Optics:
    return _Optics(camera, scale)


class _Ball:
    """The smallest sphere about a body: ``middle`` (3,) in the world and ``radius``, metres."""

    def __init__(self, middle: Array, radius: float) -> None:
        self.middle, self.radius = middle, radius

    @staticmethod
    def of(body: Body) -> "_Ball":
        surface = read_surface(body.mesh)
        return _Ball(body.world_from_body.apply(surface.middle), surface.radius)


def _reach(balls: Sequence[_Ball], middle: Array) -> float:
    """Radius about ``middle`` (3,) that holds all of them, metres."""
    return max((float(np.linalg.norm(b.middle - middle)) + b.radius for b in balls), default=0.1)


def _span(world_from_camera: Pose, balls: Sequence[_Ball]) -> tuple[float, float]:
    """Nearest and farthest distance along the optical axis at which anything can be, metres."""
    camera_from_world = world_from_camera.inverse()
    depths = [(float(camera_from_world.apply(b.middle)[2]), b.radius) for b in balls]
    far = max((z + r for z, r in depths), default=1.0)
    near = min((z - r for z, r in depths if z + r > 0), default=_NEAREST_M)
    near = max(near * 0.99, _NEAREST_M, far / 5000)
    return near, max(far * 1.01, near * 2)


def _thing(body: Body) -> Thing:
    material = body.material
    # A metal shows the lamps' reflection rather than its colour.
    colour = to_display(material.colour) * (1 - 0.35 * material.metallic)
    polish = 1 - material.roughness
    texture, texture_m = material.texture, material.texture_size_m
    if material.painted:
        texture, texture_m = paint(read_surface(body.mesh)), 1.0
    return Thing(
        mesh=body.mesh,
        pose=body.world_from_body,
        colour=colour,
        specular=polish * (0.3 + 0.7 * material.metallic),
        shininess=max(polish**2, 0.05),
        texture=texture,
        texture_m=texture_m,
        painted=material.painted,
    )
