"""Serves a detector and a normal regressor on the live camera (lifecycle node)."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.running.rate import Rate
from cadsight_ros.convert import qos
from cadsight_ros.convert.compressed import transported
from cadsight_ros.convert.images import Depth, depth_from_message, from_message
from cadsight_ros.convert.latest import Latest
from cadsight_ros.convert.messages import (
    camera_from_info,
    served_models_to_message,
    stamp_ns,
)
from cadsight_ros.convert.stamped import Stamped
from cadsight_ros.node import diagnostics
from cadsight_ros.node.diagnostics import Diagnostics, make_status
from cadsight_ros.node.lifecycle import ManagedNode
from cadsight_ros.node.logs import PassedOn
from cadsight_ros.node.parameters import declare, on_change
from cadsight_ros.node.peers import Peers
from cadsight_ros.node.running import run
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger

from cadsight_interfaces.srv import GetStatistics, LoadModel
from cadsight_perception.health.states import EXPORTING, FAILED, INACTIVE, INFERRING, LOADING
from cadsight_perception.health.statistics import CAMERA, Statistics
from cadsight_perception.health.statistics import DEPTH as DEPTH_LOST
from cadsight_perception.health.statistics import IMAGE as IMAGE_LOST
from cadsight_perception.health.timing import FrameTiming, timing_to_message
from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.results import Results

if TYPE_CHECKING:
    # Their libraries load slowly, and the node has to report its state meanwhile: imported with the models.

    from cadsight_perception.serving.changes import Serving
    from cadsight_perception.serving.models import Served

_QUIET_S = 1.0
_SAME = ", whose files are the same as before"
_SWITCH_S = 0.0005


@dataclass(frozen=True)
class _Arrived:
    message: Image | CompressedImage
    clock_ns: int
    monotonic: float


class PerceptionNode(ManagedNode):
    """Infers on the newest image, in a thread of its own; images that had to give way are counted."""

    def __init__(self) -> None:
        super().__init__("perception")
        self._serving: Serving | None = None
        self._statistics = Statistics()
        self._slot: Latest[_Arrived] = Latest()
        self._info: CameraInfo | None = None
        self._depths: Stamped[Image] = Stamped()
        self._worker: threading.Thread | None = None
        self._inputs: list[Subscription] = []
        self._passed_on = PassedOn("cadsight_learning", self.get_logger())
        self._options = declare(self, PerceptionParameters)
        on_change(self, PerceptionParameters, self._on_parameter)
        self._rate = Rate()
        self._doing = self._fault = ""
        create = self.create_lifecycle_publisher
        self._results = Results(self, self._options, self._refuse)
        self._timing = create(DiagnosticArray, "~/timing", qos.RESULTS)
        self._group = MutuallyExclusiveCallbackGroup()
        loading = MutuallyExclusiveCallbackGroup()
        self.create_service(LoadModel, "~/load_model", self._on_load_model, callback_group=loading)
        self.create_service(Trigger, "~/rollback", self._on_rollback, callback_group=loading)
        self.create_service(SetBool, "~/enable", self._on_enable, callback_group=self._group)
        self.create_service(GetStatistics, "~/get_statistics", self._on_get_statistics)
        self._diagnostics = Diagnostics(self, self._watched)
        self._peers = Peers(self, publishes=["~/timing"], reads=[self._images_topic])
        if self._options.autostart:
            self.autostart()

    def configure(self) -> None:
        """Load the models; diagnostics report each step meanwhile."""
        began, self._fault = time.monotonic(), ""
        names = self._options.detector, self._options.regressor
        self.get_logger().info(f"loading {names[0]} and {names[1]} from {self._options.models_folder}")
        try:
            self._tell("loading the libraries that run models")
            from cadsight_perception.serving.changes import Serving

            self._serving = Serving(self._options, self._tell)
        except Exception as error:
            self._fault = str(error) if isinstance(error, CadsightError) else f"{type(error).__name__}: {error}"
            self._doing = ""
            self._diagnostics.publish()
            raise
        finally:
            self._doing = ""
        for sentence in self._serving.left_out:
            self.get_logger().error(f"the models before serve: {sentence}")
        self._serving.confidence = self.get_parameter("confidence").value
        self.get_logger().info(f"{_words(self._serving.current)}, after {time.monotonic() - began:.1f} s")

    def activate(self) -> None:
        """Begin to infer."""
        self._statistics, self._slot, self._info, self._depths = Statistics(), Latest(), None, Stamped()
        self._worker = threading.Thread(target=self._work, args=(self._slot,), name="infer")
        self._worker.start()
        self._listen()

    def _listen(self) -> None:
        p = self._options
        self._rate = Rate(p.camera_fps)
        kind, _ = transported(p.image_topic, p.image_transport)
        # The slot lets the newest through and counts the others; a queue of one would lose them uncounted.
        topics: list[Any] = [(kind, self._images_topic, self._on_image, qos.BURST)]
        topics.append((CameraInfo, p.camera_info_topic, self._on_info, qos.IMAGES))
        if p.use_depth:
            topics.append((Image, p.depth_topic, self._on_depth, qos.BURST))
        self._inputs = [
            self.create_subscription(kind, topic, callback, profile, callback_group=self._group)
            for kind, topic, callback, profile in topics
        ]
        self.get_logger().info(f"ready: reads images on {self.resolve_topic_name(self._images_topic)}")

    def deactivate(self) -> None:
        """Stop inferring; the image in hand is finished."""
        self._stop_listening()
        self._slot.close()
        self._depths.wake()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def _stop_listening(self) -> None:
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        self._inputs = []

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Listen to the camera or leave it alone; the models stay loaded."""
        response.success = self._worker is not None
        if not response.success:
            response.message = "the perception node is not active, expected it to be before it is switched on or off"
        elif request.data and not self._inputs:
            self._statistics.resumed()
            self._listen()
            response.message = "switched on"
        elif not request.data and self._inputs:
            self._stop_listening()
            response.message = "switched off"
            self.get_logger().info("switched off by ~/enable: reads no images until it is switched on")
        else:
            response.message = f"was switched {'on' if request.data else 'off'} already"
        return response

    def cleanup(self) -> None:
        """Release the models."""
        self._serving = None

    def destroy_node(self) -> None:
        self.deactivate()
        self._passed_on.close()
        super().destroy_node()

    def _on_image(self, message: Image | CompressedImage) -> None:
        arrived = _Arrived(message, self.get_clock().now().nanoseconds, time.perf_counter())
        silence = self._statistics.image_arrived()
        if silence is not None:
            self.get_logger().info(f"the camera is back after {silence:.1f} s of silence")
        self._rate.came(stamp_ns(message.header.stamp) / 1e9)
        self._slot.put(arrived)

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_depth(self, message: Image) -> None:
        self._depths.put(stamp_ns(message.header.stamp), message)

    def _work(self, slot: Latest[_Arrived]) -> None:
        while (arrived := slot.get()) is not None:
            try:
                self._infer(arrived, slot)
            except CadsightError as error:
                self._refuse(IMAGE_LOST, str(error))
            except Exception as error:
                # Whatever an image does to a model, the next one may be good.
                sentence = self._failed("an image could not be processed", error)
                self._statistics.refused(IMAGE_LOST, sentence)

    def _infer(self, arrived: _Arrived, slot: Latest[_Arrived]) -> None:
        if self._serving is None:
            return
        served = self._serving.current
        header = arrived.message.header
        image = from_message(arrived.message)
        camera = self._camera(ImageSize(image.shape[1], image.shape[0]))
        inference = served.pipeline.infer(image, camera, with_evidence=self._results.evidence_wanted)
        depth = None if camera is None else self._depth_of(header, camera.size)
        self._results.publish(inference, camera, depth, header, served)
        timing = FrameTiming(
            received_ns=arrived.clock_ns,
            published_ns=self.get_clock().now().nanoseconds,
            latency_ms=(time.perf_counter() - arrived.monotonic) * 1e3,
            detector_ms=inference.detector_ms,
            regressor_ms=inference.regressor_ms,
            received=slot.received,
            dropped=slot.dropped,
        )
        self._timing.publish(timing_to_message(timing, header))
        self._statistics.processed(timing.latency_ms, timing.overhead_ms)
        self._results.draw(image, inference, header, served.pipeline.classes)

    def _camera(self, size: ImageSize) -> Camera | None:
        try:
            if self._info is not None:
                return camera_from_info(self._info, size)
            topic = self._options.camera_info_topic
            self._statistics.refused(CAMERA, f"nothing came on {topic}, expected the camera's intrinsics")
        except CadsightError as error:
            self._refuse(CAMERA, str(error))
        self._statistics.count("without_camera")
        return None

    def _depth_of(self, header: Header, size: ImageSize) -> Depth | None:
        # A camera sends depth after its image.
        message = self._depths.at(stamp_ns(header.stamp), lambda: self._slot.closed)
        if message is None:
            return None
        try:
            depth = depth_from_message(message)
        except CadsightError as error:
            self._refuse(DEPTH_LOST, str(error))
            return None
        return depth if depth.shape == (size.height, size.width) else None

    def _refuse(self, kind: str, sentence: str) -> None:
        self._statistics.count("bad_messages")
        self._statistics.refused(kind, sentence)
        self.get_logger().warning(sentence, throttle_duration_sec=_QUIET_S)

    def _tell(self, sentence: str) -> None:
        """Report in diagnostics what is in hand; an empty sentence: nothing.

        Raises:
            CadsightError: when the node was asked to stop, which ends what is in hand.
        """
        self._doing = sentence
        if sentence and not self.context.ok():
            raise CadsightError(f"the node was asked to stop while it was {sentence}")
        if sentence:
            self._diagnostics.publish()

    @property
    def _images_topic(self) -> str:
        return transported(self._options.image_topic, self._options.image_transport)[1]

    def _state(self) -> str:
        if self._fault:
            return FAILED
        if self._doing.startswith(EXPORTING):
            return EXPORTING
        if self._worker is not None and self._inputs:
            return INFERRING
        return LOADING if self._doing else INACTIVE

    def _failed(self, what: str, error: Exception) -> str:
        """Log and count an unexpected error; returns its sentence."""
        self._statistics.count("errors")
        sentence = f"{what}: {type(error).__name__}: {error}"
        self.get_logger().error(sentence, throttle_duration_sec=_QUIET_S)
        return sentence

    def _on_parameter(self, _: str, confidence: float) -> None:
        if self._serving is not None:
            self._serving.confidence = confidence
        self.get_logger().info(f"leaves out detections below {confidence:g} from now on")

    def _on_load_model(self, request: LoadModel.Request, response: LoadModel.Response) -> LoadModel.Response:
        response.success, response.message = self._changed(
            lambda serving: "" if serving.change(request.detector, request.regressor) else _SAME
        )
        if self._serving is not None:
            response.models = served_models_to_message(self._serving.current.named, Header())
        return response

    def _on_rollback(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def back(serving: "Serving") -> str:
            serving.roll_back()
            return ", as before"

        response.success, response.message = self._changed(back)
        return response

    def _changed(self, change: "Callable[[Serving], str]") -> tuple[bool, str]:
        """Whether a change of the models succeeded, and a sentence on it; ``change`` returns its end."""
        serving = self._serving
        try:
            if serving is None:
                raise CadsightError("the perception node is not configured, expected it to be before models change")
            end = change(serving)
            if self._serving is not serving:
                raise CadsightError("the node was cleaned up while models were loaded, expected it to stay configured")
            self.get_logger().info(_words(serving.current) + end)
            return True, f"serves {serving.current.names}{end}"
        except CadsightError as error:
            self.get_logger().warning(str(error))
            return False, str(error)
        except Exception as error:
            # Whatever a model's files do to a library, the old models go on.
            return False, self._failed("the models could not be loaded", error)
        finally:
            self._doing = ""

    def _on_get_statistics(self, _: GetStatistics.Request, response: GetStatistics.Response) -> GetStatistics.Response:
        response.status = self._status()
        return response

    def _status(self) -> DiagnosticStatus:
        served = self._serving.current if self._serving else None
        counts = {"received": self._slot.received, "dropped": self._slot.dropped}
        state = {"state": self._state(), "doing": self._doing}
        values = {**state, **(_values(served) if served else {}), **counts, **self._statistics.values()}
        if self._fault:
            return make_status(self, diagnostics.ERROR, self._fault, values)
        if self._worker is None:
            return make_status(self, diagnostics.STALE, self._doing or "not active", values)
        if not self._inputs:
            return make_status(self, diagnostics.STALE, "switched off by ~/enable", values)
        silence = self._statistics.silence_s
        if silence > self._options.silence_s:
            message = f"the camera has been silent for {silence:.1f} s, expected images on {self._images_topic}"
            return make_status(self, diagnostics.WARN, message, values)
        trouble = self._statistics.trouble(self._options.silence_s)
        if trouble is not None:
            level = diagnostics.ERROR if trouble.nothing else diagnostics.WARN
            return make_status(self, level, trouble.sentence, values)
        if self._rate.shortfall:
            return make_status(self, diagnostics.WARN, f"the camera gives {self._rate.shortfall}", values)
        return make_status(self, diagnostics.OK, "looking", values)

    def _watched(self) -> DiagnosticStatus:
        """The status; a camera that has fallen silent is logged too."""
        if not self._inputs:
            return self._status()
        if self._worker is not None and self._statistics.falls_silent(self._options.silence_s):
            silence, topic = self._statistics.silence_s, self._images_topic
            self.get_logger().warning(f"no image came on {topic} for {silence:.1f} s, expected the camera to run")
        elif self._worker is not None and self._rate.falls_short():
            self.get_logger().warning(f"the camera gives {self._rate.shortfall}")
        return self._status()


def _words(served: "Served") -> str:
    runtimes = {served.detector.model.runtime, served.regressor.model.runtime}
    return f"generation {served.generation} serves {served.names} by {' and '.join(sorted(runtimes))}"


def _values(served: "Served") -> dict[str, str]:
    """The generation, and name, runtime and first digits of the version of both models."""
    values = {"generation": str(served.generation)}
    for kind, loaded in (("detector", served.detector), ("regressor", served.regressor)):
        values |= {kind: loaded.name, f"{kind}_runtime": loaded.model.runtime, f"{kind}_version": loaded.version[:12]}
    return values


def main() -> int:
    # The executor's threads may hold the interpreter for 5 ms at a time by default, several times an image.
    sys.setswitchinterval(_SWITCH_S)
    return run(PerceptionNode, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
