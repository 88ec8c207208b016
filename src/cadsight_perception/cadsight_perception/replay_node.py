"""Replays a bag through the perception node, as a node of its own for launch files."""

import sys
from pathlib import Path
from typing import Any

import rclpy
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import Replayed, is_live_report, read_live_report
from cadsight_core.storage.json_text import figures_text
from cadsight_core.storage.output_file import refuse_foreign_file, write_output
from cadsight_ros.clients import spinning
from cadsight_ros.node.parameters import declare
from cadsight_ros.resources import resolve
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from cadsight_perception.parameters import ReplayParameters
from cadsight_perception.recording.live_report import compared_with
from cadsight_perception.recording.replay import Replay


class ReplayNode(Node):
    """Plays one bag and is done."""

    def __init__(self, options: ReplayParameters | None = None) -> None:
        super().__init__("replay", namespace="cadsight")
        self._options = options or declare(self, ReplayParameters)
        if not self._options.bag:
            raise CadsightError("the parameter bag is empty, expected the folder of a recorded bag")
        if self._options.report:
            refuse_foreign_file(self._options.report, is_live_report)
        self._replay = Replay(self, self._options.timeout_s)

    def play(self, progress: Any = lambda: None) -> Replayed:
        """Play the bag, write the report and return it; with a live report, compared with it.

        Raises:
            CadsightError: as :meth:`.recording.replay.Replay.play`, and when a report cannot be read.
        """
        options = self._options
        live = read_live_report(options.live_report) if options.live_report else None
        calibration = None if options.calibration == "none" else resolve(options.calibration)
        report = self._replay.play(
            Path(options.bag),
            paced=options.paced,
            rate=options.rate,
            image_topic=options.image_topic,
            camera_info_topic=options.camera_info_topic,
            calibration=calibration,
            progress=progress,
        )
        replayed = compared_with(live, report)
        if options.report:
            write_output(options.report, figures_text(replayed.to_json(), indent=1) + "\n", is_live_report)
        return replayed


def main() -> int:
    try:
        # Python's own Ctrl-C: playing runs in the main thread, spinning in another.
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        node = ReplayNode()
        try:
            with spinning(node):
                document = node.play().to_json()
        finally:
            node.destroy_node()
    except CadsightError as error:
        print(f"cadsight: {error}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        rclpy.try_shutdown()
    print(figures_text({k: v for k, v in document.items() if not isinstance(v, list)}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
