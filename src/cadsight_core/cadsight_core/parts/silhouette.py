"""The outline of a mesh as a camera sees it, with no renderer."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cadsight_core.camera import Camera
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh

# Samples a pixel along each axis; odd, so that one lies on the pixel's centre. OpenCV fills every sample that an
# outline touches, which makes a silhouette at one sample a pixel half a pixel too large on each side.
_SAMPLES = 5
# OpenCV takes the corners of polygons in 1/16 sample.
_SHIFT = 4


def silhouette(mesh: Mesh, camera_from_part: Pose, camera: Camera) -> NDArray[np.bool_]:
    """Mask (H, W) of the pixels whose centre the projected mesh covers, to about a tenth of a pixel.

    Every triangle is projected with the camera's distortion and filled; the union is the silhouette. Triangles
    with a corner behind the camera are left out.
    """
    width, height = camera.size.width, camera.size.height
    mask = np.zeros((height, width), bool)
    triangles = camera.project(camera_from_part.apply(mesh.vertices))[mesh.faces]
    triangles = triangles[np.isfinite(triangles).all(axis=(1, 2))]
    inside = (triangles.max(axis=1) >= 0).all(axis=1) & (triangles.min(axis=1) <= (width - 1, height - 1)).all(axis=1)
    triangles = triangles[inside]
    edge1, edge2 = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    area = edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0]
    # A closed surface is covered by the triangles of one orientation: half the work.
    triangles = triangles[area < 0 if mesh.is_closed else area != 0]
    if not len(triangles):
        return mask

    x0, y0 = np.maximum(np.floor(triangles.min(axis=(0, 1))).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(triangles.max(axis=(0, 1))).astype(int) + 1, (width, height))
    canvas = np.zeros(((y1 - y0) * _SAMPLES, (x1 - x0) * _SAMPLES), np.uint8)
    corners = (triangles - (x0, y0)) * _SAMPLES + _SAMPLES // 2
    for corner in np.round(corners * (1 << _SHIFT)).astype(np.int32):
        cv2.fillConvexPoly(canvas, corner, 1, cv2.LINE_8, _SHIFT)
    mask[y0:y1, x0:x1] = canvas[_SAMPLES // 2 :: _SAMPLES, _SAMPLES // 2 :: _SAMPLES]
    return mask
