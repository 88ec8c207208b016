"""Records the camera and what the perception node says of it, and reports."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cadsight_core.files import write_atomically
from cadsight_ros.bags import BagWriter, read_bag
from cadsight_ros.recorder import RecordedTopic, Recorder
from rclpy.node import Node

from cadsight_perception import topics
from cadsight_perception.bag_report import READ, report_of
from cadsight_perception.presence import Progress, silent, wait_for_camera, wait_for_perception

BAG, REPORT = "bag", "live.json"


def record(
    node: Node,
    folder: Path,
    recorded: dict[str, RecordedTopic],
    seconds: float,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, int]:
    """Record topics into the bag ``folder`` for ``seconds`` (0: until interrupted) while ``node`` is spun elsewhere.

    A bag that is there is replaced once the new one is whole.

    Args:
        progress: is told the seconds that have passed.

    Returns:
        How many messages came on each topic.

    Raises:
        CadsightError: when the disk refuses something.
    """
    partial = folder.parent / f".{folder.name}.partial" / folder.name
    shutil.rmtree(partial.parent, ignore_errors=True)
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
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    partial.parent.rmdir()
    return recorder.counts


def watch(
    node: Node,
    folder: Path,
    seconds: float,
    timeout_s: float,
    progress: Callable[[float], None] = lambda _: None,
    waiting: Progress = silent,
) -> dict[str, Any]:
    """Record a live run into ``folder``: the bag, and ``live.json``, which is returned.

    Args:
        waiting: is told what the perception node does while it is not active yet.

    Raises:
        CadsightError: when the camera is not there within ``timeout_s``, the perception node is not active and tells of
            no work for so long, fails or goes, or nothing came.
    """
    wait_for_camera(node, timeout_s)
    wait_for_perception(node, timeout_s, waiting)
    record(node, folder / BAG, topics.ALL, seconds, progress)
    report = report_of(read_bag(folder / BAG, READ), live=True)
    write_atomically(folder / REPORT, json.dumps(report, indent=1) + "\n")
    return report
