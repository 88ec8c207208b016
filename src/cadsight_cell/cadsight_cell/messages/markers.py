"""What RViz shows of a motion and of what it avoids."""

from collections.abc import Sequence

from cadsight_core.geometry import Array
from geometry_msgs.msg import Point, Quaternion
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from cadsight_cell.motion.collision import BoxBody

_BODY = ColorRGBA(r=0.9, g=0.35, b=0.2, a=0.35)
_PATH = ColorRGBA(r=0.1, g=0.6, b=1.0, a=1.0)
_PATH_WIDTH_M = 0.004


def body_markers(bodies: Sequence[BoxBody]) -> MarkerArray:
    """The boxes of bodies.yaml, each in the frame that it is attached to."""
    return MarkerArray(markers=[_clear(), *(_box(i, body) for i, body in enumerate(bodies))])


def path_markers(places: Array) -> MarkerArray:
    """The way of the tool through places (N, 3) in base_link, metres, as a line with a ball at its end."""
    line = Marker(ns="path", id=0, type=Marker.LINE_STRIP, color=_PATH)
    line.header.frame_id = "base_link"
    line.scale.x = _PATH_WIDTH_M
    line.pose.orientation.w = 1.0
    line.points = [_point(p) for p in places]
    goal = Marker(ns="goal", id=0, type=Marker.SPHERE, color=_PATH)
    goal.header.frame_id = "base_link"
    goal.scale.x = goal.scale.y = goal.scale.z = 5 * _PATH_WIDTH_M
    goal.pose.position, goal.pose.orientation.w = _point(places[-1]), 1.0
    return MarkerArray(markers=[line, goal])


def _clear() -> Marker:
    return Marker(action=Marker.DELETEALL)


def _box(number: int, body: BoxBody) -> Marker:
    marker = Marker(ns=body.name, id=number, type=Marker.CUBE, color=_BODY, frame_locked=True)
    marker.header.frame_id = body.attached_to
    marker.scale.x, marker.scale.y, marker.scale.z = map(float, body.size_m)
    marker.pose.position = _point(body.pose.translation)
    x, y, z, w = map(float, body.pose.quaternion)
    marker.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
    return marker


def _point(place: Array) -> Point:
    x, y, z = map(float, place)
    return Point(x=x, y=y, z=z)
