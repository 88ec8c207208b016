"""Where frames are relative to each other at a moment: a buffer fed from /tf and /tf_static."""

import bisect
import threading
import time
from dataclasses import dataclass, field

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from cadsight_ros.convert.messages import stamp_ns, transform_from_message
from cadsight_ros.convert.qos import STATIC_TRANSFORMS, TRANSFORMS

_SECOND = 1_000_000_000


@dataclass
class _Track:
    """What is known of one child in its parent, oldest first; a static one holds a single pose."""

    parent: str
    static: bool
    stamps: list[int] = field(default_factory=list)
    poses: list[Pose] = field(default_factory=list)


class TransformBuffer:
    """A tree of frames with a memory of some seconds; safe to feed and to ask from several threads.

    Args:
        memory_s: how long a moving transform is kept.
    """

    def __init__(self, memory_s: float = 10.0) -> None:
        self._memory_ns = round(memory_s * _SECOND)
        self._tracks: dict[str, _Track] = {}
        self._changed = threading.Condition()

    def add(self, parent: str, child: str, nanoseconds: int, parent_from_child: Pose, *, static: bool = False) -> None:
        """Remember where ``child`` is in ``parent``.

        Raises:
            CadsightError: when a frame has no name, or is its own parent.
        """
        parent, child = parent.lstrip("/"), child.lstrip("/")
        if not parent or not child or parent == child:
            raise CadsightError(f"a transform goes from {child!r} to {parent!r}, expected the names of two frames")
        with self._changed:
            track = self._tracks.get(child)
            rewound = bool(track and track.stamps and nanoseconds < track.stamps[-1] - self._memory_ns)
            if track is None or track.parent != parent or track.static != static or static or rewound:
                # A clock that jumped far back, as in a bag that starts again, makes the memory worthless.
                track = self._tracks[child] = _Track(parent, static)
            index = bisect.bisect_left(track.stamps, nanoseconds)
            if index < len(track.stamps) and track.stamps[index] == nanoseconds:
                track.poses[index] = parent_from_child
            else:
                track.stamps.insert(index, nanoseconds)
                track.poses.insert(index, parent_from_child)
            old = bisect.bisect_left(track.stamps, track.stamps[-1] - self._memory_ns)
            del track.stamps[:old], track.poses[:old]
            self._changed.notify_all()

    def lookup(self, target: str, source: str, nanoseconds: int | None = None, *, timeout_s: float = 0.0) -> Pose:
        """The ``target_from_source`` at a moment, between two known ones by slerp and a straight line.

        Args:
            nanoseconds: the moment; None takes the latest at which the whole chain is known.
            timeout_s: how long to wait for what is not known yet.

        Raises:
            CadsightError: naming the frames, when they are not connected or the moment lies outside what is known.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while True:
                try:
                    return self._lookup(target.lstrip("/"), source.lstrip("/"), nanoseconds)
                except CadsightError:
                    left = end - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        raise

    def _lookup(self, target: str, source: str, nanoseconds: int | None) -> Pose:
        up_source, up_target = self._ancestors(source), self._ancestors(target)
        common = next((frame for frame in up_source if frame in up_target), None)
        if common is None or (common == source == target and source not in self._frames()):
            known = ", ".join(sorted(self._frames())) or "none yet"
            raise CadsightError(f"no chain of transforms leads from {source!r} to {target!r}; known frames: {known}")
        down = up_source[: up_source.index(common)]
        up = up_target[: up_target.index(common)]
        if nanoseconds is None:
            moving = [self._tracks[frame] for frame in (*down, *up) if not self._tracks[frame].static]
            nanoseconds = min((track.stamps[-1] for track in moving), default=0)
        return self._chain(up, nanoseconds).inverse() @ self._chain(down, nanoseconds)

    def _frames(self) -> set[str]:
        return set(self._tracks) | {track.parent for track in self._tracks.values()}

    def _ancestors(self, frame: str) -> list[str]:
        chain = [frame]
        while chain[-1] in self._tracks:
            parent = self._tracks[chain[-1]].parent
            if parent in chain:
                raise CadsightError(f"the transforms of {parent!r} form a circle: {' to '.join([*chain, parent])}")
            chain.append(parent)
        return chain

    def _chain(self, frames: list[str], nanoseconds: int) -> Pose:
        """The pose of the first of ``frames`` in the last one's parent."""
        pose = Pose.identity()
        for frame in frames:
            pose = self._at(frame, nanoseconds) @ pose
        return pose

    def _at(self, child: str, nanoseconds: int) -> Pose:
        track = self._tracks[child]
        if track.static:
            return track.poses[0]
        first, last = track.stamps[0], track.stamps[-1]
        if not first <= nanoseconds <= last:
            apart = first - nanoseconds if nanoseconds < first else nanoseconds - last
            when = "before the first" if nanoseconds < first else "after the last"
            raise CadsightError(
                f"the transform from {child!r} to {track.parent!r} is wanted at {nanoseconds / _SECOND:.3f} s, "
                f"{apart / _SECOND:.3f} s {when} known one, expected {first / _SECOND:.3f} to {last / _SECOND:.3f} s"
            )
        index = bisect.bisect_left(track.stamps, nanoseconds)
        if track.stamps[index] == nanoseconds:
            return track.poses[index]
        before, after = track.stamps[index - 1], track.stamps[index]
        return interpolated(track.poses[index - 1], track.poses[index], (nanoseconds - before) / (after - before))


class TransformListener:
    """Feeds a buffer from /tf and /tf_static; a transform that makes no sense is logged once and counted.

    Attributes:
        refused: transforms that were not taken.
    """

    def __init__(self, node: Node, buffer: TransformBuffer) -> None:
        self._node, self._buffer = node, buffer
        self.refused = 0
        group = MutuallyExclusiveCallbackGroup()
        self._subscriptions = (
            node.create_subscription(TFMessage, "/tf", self._moving, TRANSFORMS, callback_group=group),
            node.create_subscription(TFMessage, "/tf_static", self._static, STATIC_TRANSFORMS, callback_group=group),
        )

    def _moving(self, message: TFMessage) -> None:
        self._take(message, static=False)

    def _static(self, message: TFMessage) -> None:
        self._take(message, static=True)

    def _take(self, message: TFMessage, static: bool) -> None:
        for transform in message.transforms:
            try:
                self._buffer.add(
                    transform.header.frame_id,
                    transform.child_frame_id,
                    stamp_ns(transform.header.stamp),
                    transform_from_message(transform),
                    static=static,
                )
            except CadsightError as error:
                self.refused += 1
                self._node.get_logger().warning(str(error), once=True)


def interpolated(a: Pose, b: Pose, fraction: float) -> Pose:
    """The pose ``fraction`` (0 to 1) of the way from ``a`` to ``b``: turned at a constant rate, moved on a line."""
    turn = Pose(a.rotation.T @ b.rotation, a.translation).rotvec * fraction
    rotation = a.rotation @ Pose.from_rotvec(turn).rotation
    return Pose(rotation, a.translation + fraction * (b.translation - a.translation))
