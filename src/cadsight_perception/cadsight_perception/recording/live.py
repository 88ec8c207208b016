"""Records the camera and the results of the perception node, and reports."""

import time
from collections.abc import Callable
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import LiveReport, is_live_report
from cadsight_core.storage.json_text import figures_text
from cadsight_core.storage.output_file import refuse_foreign_file, write_output
from cadsight_core.storage.output_folder import refuse_foreign, whole_folder
from cadsight_ros.bags import BagWriter, earlier_bag, read_bag
from cadsight_ros.recorder import RecordedTopic, Recorder
from rclpy.node import Node

from cadsight_perception import topics
from cadsight_perception.health.presence import Progress, silent, wait_for_camera, wait_for_perception
from cadsight_perception.recording.bag_report import RESULTS, report_of

BAG, REPORT = "bag", "live.json"
# A camera may have topics of any names.
_CAMERAS = tuple(f"sensor_msgs/msg/{name}" for name in ("Image", "CompressedImage", "CameraInfo"))


def record(
    node: Node,
    folder: Path,
    recorded: dict[str, RecordedTopic],
    seconds: float,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, int]:
    """Record topics into the bag ``folder`` for ``seconds`` (0: until interrupted) while ``node`` is spun elsewhere.

    A bag of ours that is there is replaced once the new one is whole.

    Args:
        progress: is called with the seconds that have passed.

    Returns:
        How many messages came on each topic.

    Raises:
        CadsightError: when ``folder`` holds what we did not write, nothing came on any topic, or the disk refuses
            something; what was there is then as it was.
    """
    with whole_folder(folder, earlier=_earlier, made=False) as partial:
        recorder = Recorder(node, BagWriter(partial), recorded)
        began = time.monotonic()
        try:
            while (passed := time.monotonic() - began) < seconds or not seconds:
                progress(passed)
                time.sleep(0.1)
                if recorder.failure is not None:
                    break
        except KeyboardInterrupt:
            pass
        finally:
            recorder.close()
        if not any(recorder.counts.values()):
            silent = ", ".join(recorder.counts)
            raise CadsightError(f"nothing came on {silent}, expected the camera or the robot to publish")
    return recorder.counts


def refuse_foreign_bag(folder: Path) -> None:
    """Raise, before any waiting, what :func:`record` would raise for ``folder``.

    Raises:
        CadsightError: when ``folder`` cannot hold a bag, or holds what we did not write.
    """
    refuse_foreign(folder, earlier=_earlier)


def _earlier(folder: Path) -> list[str] | None:
    return earlier_bag(folder, topics.ALL, _CAMERAS)


def record_live(
    node: Node,
    folder: Path,
    seconds: float,
    timeout_s: float,
    progress: Callable[[float], None] = lambda _: None,
    waiting: Progress = silent,
    image_topic: str = topics.IMAGE,
    camera_info_topic: str = topics.CAMERA_INFO,
) -> LiveReport:
    """Record a live run into ``folder``: the bag, and ``live.json``, which is returned.

    Args:
        waiting: is called with what the perception node does while it is not active yet.
        image_topic, camera_info_topic: what the perception node reads.

    Raises:
        CadsightError: when the bag's folder holds what we did not write, the camera is not there within ``timeout_s``,
            the perception node is not active and reports no work for so long, fails or goes, or nothing came.
    """
    refuse_foreign_bag(folder / BAG)
    refuse_foreign_file(folder / REPORT, is_live_report)
    wait_for_camera(node, timeout_s, image_topic)
    wait_for_perception(node, timeout_s, waiting, image_topic)
    recorded = {**topics.camera(image_topic, camera_info_topic), **topics.BESIDE}
    record(node, folder / BAG, recorded, seconds, progress)
    bag = read_bag(folder / BAG, [camera_info_topic, *RESULTS])
    report = report_of(bag, live=True, camera_info=camera_info_topic)
    write_output(folder / REPORT, figures_text(report.to_json(), indent=1) + "\n", is_live_report)
    return report
