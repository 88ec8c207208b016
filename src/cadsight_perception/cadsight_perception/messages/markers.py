"""What RViz shows of the normals: an arrow and a word for each, in the image's frame."""

from collections.abc import Sequence

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array
from cadsight_core.sample import Instance
from geometry_msgs.msg import Point
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

# A marker that is not renewed goes by itself, also when the node does.
_LIFETIME_NS = 500_000_000


def position(instance: Instance, camera: Camera, part_size_m: float, depth: NDArray[np.float32] | None) -> Array:
    """Where a detected part is, (3,) metres in the optical frame.

    By the median depth in the middle half of its box where ``depth`` (H, W, metres, 0 = unknown) knows it, else by
    how large a part of ``part_size_m`` looks.
    """
    x, y = instance.box.centre
    ray = camera.rays([[x - 0.5, y - 0.5]])[0]
    known = known_depths(instance, camera, depth)
    distance = float(np.median(known)) if known.size else 0.0
    if not distance:
        pixels = max(instance.box.width, instance.box.height, 1.0)
        distance = part_size_m * (camera.fx + camera.fy) / 2 / pixels
    return ray * (distance / ray[2])


def known_depths(instance: Instance, camera: Camera, depth: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The depths (N,) in metres that ``depth`` (H, W, 0 = unknown) knows in the middle half of the instance's box."""
    if depth is None:
        return np.zeros(0, np.float32)
    box = instance.box.scaled(0.5).clipped(camera.size)
    middle = depth[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)]
    return middle[middle > 0]


def markers(
    instances: Sequence[Instance],
    positions: Sequence[Array],
    header: Header,
    classes: Sequence[str],
    arrow_length_m: float,
) -> MarkerArray:
    """Arrows along the normals of ``instances`` at ``positions`` (3,) metres, and their class and score."""
    array = MarkerArray()
    for number, (instance, start) in enumerate(zip(instances, positions, strict=True)):
        if instance.normal is None:
            continue
        tip = start + arrow_length_m * instance.normal
        arrow = _marker(header, "normals", number, Marker.ARROW, ColorRGBA(r=0.1, g=0.8, b=0.2, a=1.0))
        arrow.points = [_point(start), _point(tip)]
        arrow.scale.x, arrow.scale.y, arrow.scale.z = (arrow_length_m * fraction for fraction in (0.08, 0.16, 0.25))
        text = _marker(header, "names", number, Marker.TEXT_VIEW_FACING, ColorRGBA(r=0.1, g=0.1, b=0.1, a=1.0))
        text.text = f"{classes[instance.class_id]} {1.0 if instance.score is None else instance.score:.2f}"
        text.pose.position = _point(tip)
        text.scale.z = arrow_length_m * 0.25
        array.markers += [arrow, text]
    return array


def _marker(header: Header, namespace: str, number: int, kind: int, colour: ColorRGBA) -> Marker:
    marker = Marker(header=header, ns=namespace, id=number, type=kind, action=Marker.ADD, color=colour)
    marker.pose.orientation.w = 1.0
    marker.lifetime.nanosec = _LIFETIME_NS
    return marker


def _point(point: Array) -> Point:
    return Point(x=float(point[0]), y=float(point[1]), z=float(point[2]))
