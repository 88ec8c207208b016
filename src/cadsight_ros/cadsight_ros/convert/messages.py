"""Messages to the vocabulary and back; nothing but plain values crosses this border."""

import dataclasses
import struct
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.sample import Instance
from cadsight_core.served import ServedNames
from geometry_msgs.msg import Point, PoseWithCovariance, Quaternion, Transform, TransformStamped, Vector3
from geometry_msgs.msg import Pose as PoseMessage
from sensor_msgs.msg import CameraInfo, JointState
from std_msgs.msg import Header
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose

from cadsight_interfaces.msg import ServedModels, SurfaceNormal, SurfaceNormalArray

_PLUMB_BOB = ("plumb_bob", "")
_NANOSECONDS = 1_000_000_000


def stamp_ns(stamp: Time) -> int:
    """Nanoseconds of a stamp."""
    return stamp.sec * _NANOSECONDS + stamp.nanosec


def stamp_from_ns(nanoseconds: int) -> Time:
    """The stamp of nanoseconds."""
    seconds, rest = divmod(int(nanoseconds), _NANOSECONDS)
    return Time(sec=seconds, nanosec=rest)


def serialized_stamp_ns(data: bytes) -> int:
    """Nanoseconds of the stamp of a serialised message that begins with a header; nothing behind it is read.

    Raises:
        CadsightError: when it is too short for a stamp.
    """
    # CDR: two bytes of which the second's lowest bit says little endian, two unused, then sec and nanosec.
    if len(data) < 12:
        raise CadsightError(f"a serialised message has {len(data)} bytes, expected a header of at least 12")
    seconds, rest = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return seconds * _NANOSECONDS + rest


def camera_from_info(info: CameraInfo, size: ImageSize | None = None) -> Camera:
    """The camera of a camera_info.

    Args:
        size: of the image that it belongs to, if there is one.

    Raises:
        CadsightError: when it is not calibrated, holds something else than a pinhole, or does not fit the image.
    """
    frame = info.header.frame_id or "an unnamed frame"
    if size is not None and (info.width, info.height) != (size.width, size.height):
        raise CadsightError(
            f"the camera_info of {frame} is for {info.width} x {info.height} pixels, "
            f"expected its image's {size.width} x {size.height}"
        )
    matrix = np.array(info.k, float).reshape(3, 3)
    fx, fy, cx, cy = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
    expected = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    inside = 0 <= cx <= info.width and 0 <= cy <= info.height
    if not (np.isfinite(matrix).all() and np.array_equal(matrix, expected) and fx > 0 and fy > 0 and inside):
        raise CadsightError(
            f"the camera_info of {frame} has k = {[float(v) for v in info.k]}, expected positive focal lengths, "
            f"a centre inside {info.width} x {info.height} and no skew: is the camera calibrated?"
        )
    distortion = tuple(float(v) for v in info.d)
    if (any(distortion) and info.distortion_model not in _PLUMB_BOB) or not np.isfinite(distortion).all():
        raise CadsightError(
            f"the camera_info of {frame} has the distortion model {info.distortion_model!r} with {list(distortion)}, "
            "expected plumb_bob"
        )
    return Camera(
        ImageSize(info.width, info.height),
        float(fx),
        float(fy),
        float(cx),
        float(cy),
        distortion if any(distortion) else (),
        info.header.frame_id,
    )


def camera_to_info(camera: Camera, stamp: Time) -> CameraInfo:
    """The camera_info of a camera, in its own frame."""
    projection = np.hstack([camera.matrix, np.zeros((3, 1))])
    return CameraInfo(
        header=Header(stamp=stamp, frame_id=camera.frame),
        width=camera.size.width,
        height=camera.size.height,
        distortion_model="plumb_bob",
        d=list(camera.distortion) if len(camera.distortion) == 5 else [*camera.distortion, *(0.0,) * 5][:5],
        k=camera.matrix.ravel().tolist(),
        r=np.eye(3).ravel().tolist(),
        p=projection.ravel().tolist(),
    )


def pose_to_message(pose: Pose) -> PoseMessage:
    return PoseMessage(position=Point(**_xyz(pose.translation)), orientation=_quaternion(pose))


def transform_to_message(target_from_source: Pose, stamp: Time, target: str, source: str) -> TransformStamped:
    """The transform that /tf carries: ``target`` is the parent (frame_id), ``source`` the child."""
    return TransformStamped(
        header=Header(stamp=stamp, frame_id=target),
        child_frame_id=source,
        transform=Transform(
            translation=Vector3(**_xyz(target_from_source.translation)), rotation=_quaternion(target_from_source)
        ),
    )


def transform_from_message(message: TransformStamped) -> Pose:
    """The parent_from_child of a transform.

    Raises:
        CadsightError: when the rotation is no quaternion or a number is not finite.
    """
    t, q = message.transform.translation, message.transform.rotation
    what = f"the transform from {message.child_frame_id!r} to {message.header.frame_id!r}"
    return _pose((t.x, t.y, t.z), (q.x, q.y, q.z, q.w), what)


def joint_positions(message: JointState) -> dict[str, float]:
    """Radians by joint name.

    Raises:
        CadsightError: when names and positions do not pair up, or a position is not finite.
    """
    if len(message.name) != len(message.position):
        raise CadsightError(
            f"a joint_states message has {len(message.position)} positions for {len(message.name)} names, "
            "expected one each"
        )
    positions = dict(zip(message.name, map(float, message.position), strict=True))
    wrong = next((name for name, value in positions.items() if not np.isfinite(value)), None)
    if wrong is not None:
        raise CadsightError(f"the joint {wrong} is at {positions[wrong]}, expected a finite angle")
    return positions


def joints_by_name(message: JointState, names: Sequence[str]) -> Array:
    """Radians of the joints ``names``, in their order, whatever the message's own order.

    Raises:
        CadsightError: when a joint is missing, or as :func:`joint_positions`.
    """
    positions = joint_positions(message)
    missing = next((name for name in names if name not in positions), None)
    if missing is not None:
        raise CadsightError(f"a joint_states message lacks {missing}, it has {', '.join(positions) or 'no joint'}")
    return np.array([positions[name] for name in names])


def box_to_message(box: Box) -> BoundingBox2D:
    """Pixels from the top left pixel's corner, as in :class:`cadsight_core.box.Box`."""
    message = BoundingBox2D(size_x=float(box.width), size_y=float(box.height))
    message.center.position.x, message.center.position.y = map(float, box.centre)
    return message


def box_from_message(message: BoundingBox2D) -> Box:
    """What :func:`box_to_message` made."""
    centre, w, h = message.center.position, message.size_x, message.size_y
    return Box(centre.x - w / 2, centre.y - h / 2, centre.x + w / 2, centre.y + h / 2)


def detections_to_message(
    instances: Sequence[Instance],
    header: Header,
    classes: Sequence[str],
    poses: Sequence[tuple[Pose, Array] | None] | None = None,
) -> Detection2DArray:
    """Detections with the header of their image; each one's id is its index in the list.

    Args:
        poses: of each instance with its covariance (6, 6), None where it is unknown; without them those that the
            instances have. An unknown one has -1 as the first number of its covariance, as in ``sensor_msgs/Imu``.
    """
    array = Detection2DArray(header=header)
    for number, instance in enumerate(instances):
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = classes[instance.class_id]
        result.hypothesis.score = 1.0 if instance.score is None else float(instance.score)
        known = (instance.camera_from_part, None) if poses is None else poses[number] or (None, None)
        _set_pose(result.pose, *known)
        detection = Detection2D(header=header, bbox=box_to_message(instance.box), id=str(number))
        detection.results = [result]
        array.detections.append(detection)
    return array


def _set_pose(message: PoseWithCovariance, pose: Pose | None, covariance: Array | None) -> None:
    if pose is None:
        message.covariance[0] = -1.0
        return
    message.pose = pose_to_message(pose)
    if covariance is not None:
        message.covariance = np.asarray(covariance, float).ravel()


def normals_to_message(
    instances: Sequence[Instance],
    header: Header,
    classes: Sequence[str],
    covariances: Sequence[Array | None] | None = None,
    served: ServedNames | None = None,
) -> SurfaceNormalArray:
    """The normals of those instances that have one; ids are those of :func:`detections_to_message`.

    Args:
        covariances: (3, 3) of each instance's normal, None where it is unknown.
        served: the models that made them, if models did.
    """
    array = SurfaceNormalArray(header=header)
    if served is not None:
        array.models = served_models_to_message(served, header)
    for number, instance in enumerate(instances):
        if instance.normal is None:
            continue
        covariance = covariances[number] if covariances is not None else None
        message = SurfaceNormal(
            id=str(number),
            class_id=classes[instance.class_id],
            score=1.0 if instance.score is None else float(instance.score),
            bbox=box_to_message(instance.box),
            normal=Vector3(**_xyz(instance.normal)),
        )
        if covariance is not None:
            message.covariance = np.asarray(covariance, float).ravel()
        array.normals.append(message)
    return array


def served_models_to_message(served: ServedNames, header: Header) -> ServedModels:
    return ServedModels(header=header, **dataclasses.asdict(served))


def served_models_from_message(message: ServedModels) -> ServedNames:
    """Which models made a result; of generation 0 where that was not recorded."""
    return ServedNames(**{field.name: getattr(message, field.name) for field in dataclasses.fields(ServedNames)})


def _pose(translation: Sequence[float], xyzw: Sequence[float], what: str) -> Pose:
    numbers = np.array([*translation, *xyzw], float)
    length = float(np.linalg.norm(xyzw)) if np.isfinite(numbers).all() else np.nan
    if not abs(length - 1.0) < 1e-2:
        raise CadsightError(
            f"{what} has the translation {list(translation)} and the quaternion {list(xyzw)}, "
            "expected finite numbers and a length of one"
        )
    return Pose.from_quaternion(xyzw, translation)


def _xyz(vector: Array) -> dict[str, float]:
    return dict(zip("xyz", map(float, vector), strict=True))


def _quaternion(pose: Pose) -> Quaternion:
    return Quaternion(**dict(zip("xyzw", map(float, pose.quaternion), strict=True)))
