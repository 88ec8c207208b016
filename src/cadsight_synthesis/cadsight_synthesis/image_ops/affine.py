"""What an affine map of an image does to everything that is known of it.

A map is a (3, 3) matrix on pixels, centre of the top left pixel at (0, 0): ``new = matrix @ (x, y, 1)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.formats.reading.key_points import Order, mirrored
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Instance, encode_mask
from cadsight_core.shapes import Mask, cut, given_polygons, instance_mask
from numpy.typing import ArrayLike

# Boxes as attributes, by the names that cadsight_synthesis.rendering.labels gives them.
_BOXES = ("visible_box", "full_box")
# Shapes and numbers of a file that no longer hold.
_STALE = ("id", "area", "via_shape")
# Key points of no class change places in a mirror.
NO_ORDERS: Mapping[int, Order] = MappingProxyType({})
_ROUNDING = 1e-9
# By this fraction the number of a mask's pixels may change with their grid.
_RAGGED = 0.05


@dataclass(frozen=True, eq=False)
class ImageMap:
    """An affine map of an image and what it means for the camera.

    Attributes:
        matrix: (3, 3) on pixels.
        size: of the new image.
        camera: of the new image, where the old one's was known and there is one.
        turn: (3, 3) orthogonal matrix that takes directions of the old optical frame to the new one, of determinant
            -1 for a mirror; None where the map is not rigid and directions are lost.
    """

    matrix: Array
    size: ImageSize
    camera: Camera | None
    turn: Array | None

    @staticmethod
    def of(matrix: ArrayLike, size: ImageSize, camera: Camera | None = None) -> "ImageMap":
        """The map, with the pinhole camera that would have taken the new image of the turned or mirrored scene.

        A camera maps (x, y) of its normalised plane to F (x, y) + c with F = diag(fx, fy). After the map A it is
        A F (x, y) + ..., and A F = F' Q with F' diagonal and Q orthogonal says: a camera of focal lengths F' sees
        the scene turned about its axis, or mirrored, by Q. The lens' radial terms do not change by Q and its
        tangential ones turn like a vector (p2, p1). With no such F' and Q, as for a shear, the map is not rigid.
        Without a camera equal focal lengths are assumed.
        """
        a = np.asarray(matrix, float)
        focal = np.diag([camera.fx, camera.fy]) if camera is not None else np.eye(2)
        linear = a[:2, :2] @ focal
        new = np.linalg.norm(linear, axis=1)
        plane = linear / new[:, None]
        rigid = abs(plane[0] @ plane[1]) < _ROUNDING and (camera is not None or abs(new[0] / new[1] - 1) < _ROUNDING)
        if not rigid:
            return ImageMap(a, size, None, None)
        turn = np.eye(3)
        turn[:2, :2] = plane
        if camera is None:
            return ImageMap(a, size, None, turn)
        cx, cy = a[:2, :2] @ (camera.cx, camera.cy) + a[:2, 2]
        distortion = list(camera.distortion)
        if distortion:
            p2, p1 = plane @ (distortion[3], distortion[2])
            distortion[2:4] = float(p1), float(p2)
        taken = Camera(size, float(new[0]), float(new[1]), float(cx), float(cy), tuple(distortion), camera.frame)
        return ImageMap(a, size, taken, turn)

    def points(self, pixels: ArrayLike) -> Array:
        """Pixels (..., 2), counted from the first pixel's centre, in the new image."""
        return np.asarray(pixels, float) @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    def corners(self, positions: ArrayLike) -> Array:
        """Corners (..., 2) of boxes and polygons, counted from the first pixel's corner, in the new image."""
        return self.points(np.asarray(positions, float) - 0.5) + 0.5

    def box(self, box: Box) -> Box:
        """The box around a box's four corners, which may reach out of the new image."""
        x0, y0, x1, y1 = box.as_tuple()
        positions = self.corners([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        return Box(*map(float, (*positions.min(axis=0), *positions.max(axis=0))))

    def image(self, image: Rgb, border: tuple[float, float, float] | None = None) -> Rgb:
        """The image (H, W, 3) mapped; what lies outside the old one gets ``border``, or the nearest pixel's colour.

        Maps onto whole pixels, such as flips and crops, copy them.
        """
        window = self._window(image.shape[:2])
        if window is not None:
            return np.ascontiguousarray(image[window])
        mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
        size = (self.size.width, self.size.height)
        colour = border or (0.0, 0.0, 0.0)
        return np.asarray(cv2.warpAffine(image, self.matrix[:2], size, None, cv2.INTER_LINEAR, mode, colour), np.uint8)

    def mask(self, mask: Mask) -> Mask:
        """The mask (H, W) mapped: each new pixel as the old one under its centre."""
        window = self._window(mask.shape)
        if window is not None:
            return np.ascontiguousarray(mask[window])
        new = np.zeros((self.size.height, self.size.width), bool)
        old_box = Box.from_mask(mask)
        new_box = self.box(old_box).clipped(self.size) if old_box is not None else None
        if old_box is None or new_box is None or not new_box.area:
            return new
        # Only where it is: an image has many small masks.
        x0, y0, x1, y1 = map(int, old_box.as_tuple())
        left, top, right, bottom = map(int, (*np.floor(new_box.as_tuple()[:2]), *np.ceil(new_box.as_tuple()[2:])))
        here, there = np.eye(3), np.eye(3)
        here[:2, 2], there[:2, 2] = (x0, y0), (-left, -top)
        part = np.asarray(mask[y0:y1, x0:x1], np.uint8)
        size = (right - left, bottom - top)
        matrix = (there @ self.matrix @ here)[:2]
        new[top:bottom, left:right] = cv2.warpAffine(part, matrix, size, None, cv2.INTER_NEAREST) > 0
        return new

    def instance(
        self, instance: Instance, old: ImageSize, min_visible: float = 0.0, orders: Mapping[int, Order] = NO_ORDERS
    ) -> Instance | None:
        """The instance in the new image; None where less than ``min_visible`` of it, or nothing, is left in view.

        A box that hugs its mask or polygons goes on hugging them; of others the corners are mapped, so that a
        rotation makes them larger. Mask, polygons and box are cut at the border. A pose is lost by a mirror, as no
        part looks like its mirror image; pose and normal are lost by a map that is not rigid. In a mirror the key
        points of the two sides change places, as ``orders`` says for each class (see
        :mod:`cadsight_core.formats.reading.key_points`).
        """
        attributes = {k: v for k, v in instance.attributes.items() if k not in _STALE}
        mask = None if instance.mask is None else self.mask(instance.mask)
        code = instance.attributes.get("segmentation")
        polygons = [self.corners(p) for p in given_polygons(instance)]
        if isinstance(code, dict):
            shape = instance_mask(instance, old)
            coded = self.mask(shape) if shape is not None else None
        else:
            shape, coded = instance.mask, None
        seen = mask if mask is not None else coded
        if coded is not None:
            attributes["segmentation"] = encode_mask(coded)
        elif polygons:
            attributes["segmentation"] = [p.ravel().tolist() for p in cut(polygons, self.size)]
        if attributes.get("keypoints"):
            self._move_key_points(attributes, orders.get(instance.class_id))
        whole = self.box(instance.box)
        box = whole.clipped(self.size)
        around: Box | None = None
        if seen is not None and shape is not None:
            around = Box.from_mask(seen)
            if instance.box == Box.from_mask(shape):
                box = around or Box(0.0, 0.0, 0.0, 0.0)
            expected = np.count_nonzero(shape) * abs(np.linalg.det(self.matrix[:2, :2]))
            remaining = np.count_nonzero(seen) / expected if expected else 0.0
        else:
            if polygons and _bounds(given_polygons(instance)) == instance.box:
                whole = _bounds(polygons)
                box = whole.clipped(self.size)
            remaining = box.area / whole.area if whole.area else float(box == whole)
        if box.area == 0 or remaining <= 0 or remaining < min_visible:
            return None
        self._follow(attributes, min(remaining, 1.0), around)
        point = None if instance.point is None else self.points(instance.point)
        if point is not None and not self._shows(point):
            point = None
            if "point_visible" in attributes:
                attributes["point_visible"] = False
        is_mirror = self.turn is not None and np.linalg.det(self.turn) < 0
        pose = instance.camera_from_part
        return replace(
            instance,
            box=box,
            mask=mask,
            point=point,
            normal=None if instance.normal is None or self.turn is None else self.turn @ instance.normal,
            camera_from_part=None if pose is None or self.turn is None or is_mirror else _turned(self.turn, pose),
            attributes=attributes,
        )

    def _move_key_points(self, attributes: dict[str, Any], order: Order | None) -> None:
        """COCO's key points, corners like a polygon's; one that leaves the image is not labelled any more."""
        key_points = np.asarray(attributes["keypoints"], float).reshape(-1, 3)
        positions = self.corners(key_points[:, :2])
        inside = ((positions >= 0) & (positions <= (self.size.width, self.size.height))).all(axis=1)
        seen = np.where(inside, key_points[:, 2], 0)
        moved = np.where(seen[:, None] > 0, positions, 0)
        points = [v for (x, y), s in zip(moved.tolist(), seen, strict=True) for v in (x, y, int(s))]
        flipped = order is not None and np.linalg.det(self.matrix[:2, :2]) < 0
        attributes["keypoints"] = mirrored(points, order) if flipped and order is not None else points
        attributes["num_keypoints"] = int(np.count_nonzero(seen))

    def _follow(self, attributes: dict[str, Any], remaining: float, around: Box | None) -> None:
        """Attributes that say something of the image; ``around`` is the box around what is seen, where known."""
        fraction = float(attributes.get("visible_fraction", 0.0))
        whole = fraction >= 1 and remaining > 1 - _RAGGED and around is not None and self._holds(around)
        # A fraction of 1 may hide a few pixels beyond the border.
        whole = whole and _is_close(attributes.get("visible_box"), attributes.get("full_box"))
        for key in _BOXES:
            if key not in attributes:
                continue
            # Around corners that were turned is not around the thing that was.
            mapped = self.box(Box(*map(float, attributes[key]))) if self._is_upright else None
            box = (around or mapped) if key == "visible_box" else mapped or (around if whole else None)
            if box is None:
                del attributes[key]
            else:
                attributes[key] = list((box if key == "full_box" else box.clipped(self.size)).as_tuple())
        if "visible_fraction" in attributes and not whole:
            attributes["visible_fraction"] = round(fraction * remaining, 4)

    @property
    def _is_upright(self) -> bool:
        """Whether a box around a thing is mapped onto the box around it."""
        return bool(np.count_nonzero(np.abs(self.matrix[:2, :2]) > _ROUNDING) == 2)

    def _holds(self, box: Box) -> bool:
        """Whether a box is in the new image and does not touch its border."""
        return box.x0 > 0 and box.y0 > 0 and box.x1 < self.size.width and box.y1 < self.size.height

    def _shows(self, pixel: Array) -> bool:
        x, y = pixel
        return bool(-0.5 <= x <= self.size.width - 0.5 and -0.5 <= y <= self.size.height - 0.5)

    def _window(self, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
        """The old rows and columns in their new order, where the map moves whole pixels inside the old image."""
        a = self.matrix
        whole = np.array_equal(np.abs(a[:2, :2]), np.eye(2)) and np.array_equal(a[:2, 2], np.round(a[:2, 2]))
        if not whole:
            return None
        slices = []
        for axis, new, old in ((1, self.size.height, shape[0]), (0, self.size.width, shape[1])):
            sign, offset = int(a[axis, axis]), int(a[axis, 2])
            first, last = -sign * offset, sign * (new - 1 - offset)
            if min(first, last) < 0 or max(first, last) >= old:
                return None
            end = last + sign
            slices.append(slice(first, end if end >= 0 else None, sign))
        return slices[0], slices[1]


def _is_close(box: Any, other: Any) -> bool:
    return box is not None and other is not None and bool(np.abs(np.subtract(box, other)).max() <= 1)


def _turned(turn: Array, pose: Pose) -> Pose:
    return Pose(turn, np.zeros(3)) @ pose


def _bounds(polygons: list[Array]) -> Box:
    corners = np.concatenate(polygons)
    return Box(*map(float, (*corners.min(axis=0), *corners.max(axis=0))))
