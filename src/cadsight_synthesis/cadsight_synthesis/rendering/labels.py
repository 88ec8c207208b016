"""Labels that come from the scene, not from thresholds.

Each instance's ``attributes`` hold, beside what every instance has:

==================  ===================================================================================
``body``            name of the body in its scene
``visible_box``     [x0, y0, x1, y1] around its visible pixels
``full_box``        [x0, y0, x1, y1] around all of it, hidden or beyond the image's border, too
``visible_fraction``  its visible pixels as a fraction of its whole silhouette's
``depth_m``         mean distance of its visible pixels along the optical axis, metres
``point_depth_m``   the same of its point of interest, seen or hidden
``point_visible``   whether the point of interest is in the image with nothing in front of it
==================  ===================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.sample import Instance, Sample, Split
from numpy.typing import NDArray

from cadsight_synthesis.rendering.scene import Body, Rendering, Scene, View
from cadsight_synthesis.rendering.surface import read_surface

Mask = NDArray[np.bool_]

# So far the outline that was drawn may be from the one that was projected.
_OUTLINE_PX = 1.5


@dataclass(frozen=True)
class LabelParameters:
    """Which instances are labelled, and what their box is."""

    min_visible: float = parameter(
        0.1, "smallest visible fraction of an instance that is labelled", minimum=0.0, maximum=1.0
    )
    min_pixels: int = parameter(25, "fewest visible pixels of an instance that is labelled", minimum=1)
    box: Literal["visible", "full"] = parameter(
        "visible", "the label's box: around what is visible, or around all of it that the image could show"
    )

    def __post_init__(self) -> None:
        check(self)


def labelled(
    scene: Scene,
    view: View,
    rendering: Rendering,
    parts: Mapping[int, Part],
    parameters: LabelParameters | None = None,
    *,
    name: str = "image",
    split: Split = "",
    record: Mapping[str, Any] | None = None,
) -> Sample:
    """The sample of one view, its image to be written as ``name``.png.

    Args:
        parts: by class id, with the point and axis of interest.
        record: added to the scene's record.

    Raises:
        CadsightError: for a body whose class is no part, or a rendering of another size.
    """
    p = parameters or LabelParameters()
    size = view.camera.size
    if rendering.index.shape != (size.height, size.width):
        raise CadsightError(
            f"the rendering is {rendering.index.shape[1]} x {rendering.index.shape[0]} pixels, expected "
            f"{size.width} x {size.height}"
        )
    found = []
    for number, body in enumerate(scene.bodies):
        if body.class_id is None:
            continue
        if body.class_id not in parts:
            raise CadsightError(f"the body {body.name!r} has the class {body.class_id}, expected one of {list(parts)}")
        instance = _instance(number, body, view, rendering, parts[body.class_id], p)
        if instance is not None:
            found.append(instance)
    return Sample(
        name=name,
        image=Path(f"{name}.png"),
        size=size,
        camera=view.camera,
        instances=tuple(found),
        origin="synthetic",
        split=split,
        record={**scene.record, **(record or {})},
    )


def amodal(mesh: Mesh, camera_from_part: Pose, camera: Camera) -> tuple[Mask, tuple[int, int]]:
    """The whole silhouette on a canvas that may be larger than the image, and the image's position on it.

    Up to one image's size beyond each border; pixel (x, y) of the image is (x + dx, y + dy) of the canvas. Where
    the lens's formula folds back far outside the image, triangles are left out.
    """
    points = camera_from_part.apply(mesh.vertices)
    pixels = camera.project(points)
    kept = _unfolded(camera, points, pixels)
    if not kept.any():
        return np.zeros((camera.size.height, camera.size.width), bool), (0, 0)
    limits = np.array([camera.size.width, camera.size.height])
    low = np.clip(np.floor(pixels[kept].min(axis=0)) - 1, -limits, 0).astype(int)
    high = np.clip(np.ceil(pixels[kept].max(axis=0)) + 2, limits, 2 * limits).astype(int)
    size = ImageSize(*map(int, high - low))
    wide = replace(camera, size=size, cx=camera.cx - float(low[0]), cy=camera.cy - float(low[1]))
    whole = mesh if kept.all() else Mesh(mesh.vertices, mesh.faces[kept[mesh.faces].all(axis=1)])
    return silhouette(whole, camera_from_part, wide), (int(-low[0]), int(-low[1]))


def _instance(
    number: int, body: Body, view: View, rendering: Rendering, part: Part, p: LabelParameters
) -> Instance | None:
    mask = rendering.index == number
    visible_box = Box.from_mask(mask)
    pixels = int(mask.sum())
    if visible_box is None or pixels < p.min_pixels:
        return None
    camera = view.camera
    camera_from_part = view.world_from_camera.inverse() @ body.world_from_body
    whole, (dx, dy) = amodal(read_surface(body.mesh).mesh, camera_from_part, camera)
    inside = whole[dy : dy + camera.size.height, dx : dx + camera.size.width]
    outside = int(whole.sum()) - int(inside.sum())
    fraction = pixels / (pixels + _hidden(mask, inside) + outside)
    if fraction < p.min_visible:
        return None
    canvas = Box.from_mask(whole)
    full = visible_box if canvas is None else _union(visible_box, _moved(canvas, -dx, -dy))
    interest = camera_from_part.apply(np.asarray(part.point_of_interest, float)[None])
    pixel = camera.project(interest)[0]
    has_point = bool(np.isfinite(pixel).all())
    return Instance(
        class_id=part.class_id,
        box=visible_box if p.box == "visible" else full.clipped(camera.size),
        mask=mask,
        camera_from_part=camera_from_part,
        normal=camera_from_part.rotate(np.asarray(part.axis_of_interest, float)),
        point=pixel if has_point else None,
        source="render",
        attributes={
            "body": body.name,
            "visible_box": list(visible_box.as_tuple()),
            "full_box": list(full.as_tuple()),
            "visible_fraction": round(fraction, 4),
            "depth_m": round(float(rendering.depth[mask].mean(dtype=np.float64)), 6),
            "point_depth_m": round(float(interest[0, 2]), 6),
            "point_visible": has_point and _is_seen(number, pixel, float(interest[0, 2]), rendering),
        },
    )


def _hidden(mask: Mask, silhouette: Mask) -> int:
    """Pixels of the silhouette that something hides.

    Where the two differ along the outline alone, by the engine's and the silhouette's own error, nothing does.
    """
    missing = silhouette & ~mask
    box = Box.from_mask(missing)
    if box is None:
        return 0
    x0, y0, x1, y1 = (int(v) for v in box.as_tuple())
    window = np.s_[max(y0 - 2, 0) : y1 + 2, max(x0 - 2, 0) : x1 + 2]
    away = cv2.distanceTransform((~mask[window]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return int(missing.sum()) if (away[missing[window]] > _OUTLINE_PX).any() else 0


def _is_seen(number: int, pixel: Array, depth: float, rendering: Rendering) -> bool:
    height, width = rendering.index.shape
    x, y = (int(v) for v in np.rint(pixel))
    if not (0 <= x < width and 0 <= y < height) or rendering.index[y, x] != number:
        return False
    # A pixel next to an edge shows what lies a little before or behind.
    window = rendering.depth[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
    return bool(window.min() - 0.001 <= depth <= window[np.isfinite(window)].max() + 0.001)


def _unfolded(camera: Camera, points: Array, pixels: Array) -> NDArray[np.bool_]:
    """Which points (N, 3) have a pixel whose ray leads back to them."""
    kept: Mask = np.asarray(np.isfinite(pixels).all(axis=1))
    if camera.distortion and any(camera.distortion) and kept.any():
        seen = points[kept]
        inside = (pixels[kept] >= 0).all(axis=1) & (
            pixels[kept] <= (camera.size.width - 1, camera.size.height - 1)
        ).all(axis=1)
        if not inside.all():
            back = camera.rays(pixels[kept])
            back *= seen[:, 2:] / back[:, 2:]
            kept[kept] = np.linalg.norm(back - seen, axis=1) < 1e-3 * seen[:, 2]
    return kept


def _moved(box: Box, dx: float, dy: float) -> Box:
    return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)


def _union(a: Box, b: Box) -> Box:
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))
