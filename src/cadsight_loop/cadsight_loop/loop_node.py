"""Keeps what the model should learn from, gives alarm, and has cycles mend the model (lifecycle node)."""

import contextlib
import time
from collections import deque
from pathlib import Path

import numpy as np
from cadsight_active.loop.cycle import Cycles
from cadsight_active.loop.history import Ended, Event, Gated, Labelled, Swapped
from cadsight_active.loop.labellers import People, Truth
from cadsight_active.loop.pool_images import PoolImages, name_of
from cadsight_active.loop.steps.child import Work
from cadsight_active.pool.keeper import Keeper
from cadsight_active.pool.pool import Decision, opened_pool
from cadsight_active.pool.seen import Seen
from cadsight_active.triggers.trigger import Alarm, Observed
from cadsight_active.triggers.watch import Watch
from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames
from cadsight_ros.convert import qos
from cadsight_ros.convert.images import from_message
from cadsight_ros.convert.messages import stamp_from_ns, stamp_ns
from cadsight_ros.node import diagnostics
from cadsight_ros.node.diagnostics import Diagnostics, make_status
from cadsight_ros.node.lifecycle import ManagedNode
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.running import run
from cadsight_ros.resources import resolve
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from cadsight_interfaces.msg import Alarm as AlarmMessage
from cadsight_interfaces.msg import PoolDecision, SeenImage
from cadsight_interfaces.srv import GetStatistics
from cadsight_loop.conversion import alarm_to_message, decision_to_message, seen_from_message
from cadsight_loop.parameters import LoopParameters
from cadsight_loop.server import PerceptionServer
from cadsight_loop.worker import CycleWorker

_QUIET_S = 5.0


class LoopNode(ManagedNode):
    """Reads ~/seen of the perception node and the camera's images; publishes ~/decision of each and ~/alarm."""

    def __init__(self) -> None:
        super().__init__("loop")
        self._open = contextlib.ExitStack()
        self._server: PerceptionServer | None = None
        self._keeper: Keeper[Image] | None = None
        self._cycles: Cycles | None = None
        self._work: Work | None = None
        self._worker: CycleWorker | None = None
        self._inputs: list[Subscription] = []
        self._doing = self._trouble = ""
        self._options = declare(self, LoopParameters)
        self._watch = Watch(self._options.triggers, vars(self._options.trigger))
        # What other threads have for the one that watches.
        self._for_watch: deque[Event | ServedNames] = deque()
        self._generation = 0
        self._alone = MutuallyExclusiveCallbackGroup()
        self._server = PerceptionServer(self, self._options.perception, self._on_served)
        self._decisions = self.create_lifecycle_publisher(PoolDecision, "~/decision", qos.RESULTS)
        self._alarms = self.create_lifecycle_publisher(AlarmMessage, "~/alarm", qos.RESULTS)
        self.create_service(Trigger, "~/begin", self._on_begin, callback_group=self._alone)
        self.create_service(GetStatistics, "~/get_statistics", self._on_get_statistics)
        self._diagnostics = Diagnostics(self, self._status)
        if self._options.autostart:
            self.autostart()

    def configure(self) -> None:
        """Open the pool and the history."""
        folder = Path(resolve(self._options.folder))
        pool = self._open.enter_context(opened_pool(folder / "pool", self._options.pool))
        self._keeper = Keeper(pool, self._options.keeper, from_message)
        if self._options.learns and self._server is not None:
            truth = self._options.labels == "truth"
            if truth and not self._options.truth:
                raise CadsightError("labels is truth and truth names no data set, expected one that knows the labels")
            labeller = Truth(list(map(resolve, self._options.truth))) if truth else People(folder / "answers")
            earlier = [str(resolve(one)) for one in self._options.earlier]
            self._work = Work(folder / ".work", self._options.cycle, self._tell)
            models = Path(resolve(self._options.models_folder))
            images = PoolImages(pool.store, self._options.pool)
            cycle = self._options.cycle
            self._cycles = Cycles(
                folder, models, earlier, images, labeller, self._work, self._server, cycle.gather, cycle.recall
            )
        self.get_logger().info(f"ready: keeps images in {folder}, {pool.store.images} so far")

    def activate(self) -> None:
        """Begin to listen, and go on with a cycle that was in hand."""
        if self._cycles is not None and self._work is not None:
            self._worker = CycleWorker(self._cycles, self._work, self._on_event, self._note, self._on_failed)
            self._worker.start()
        perception = self._options.perception
        topics = [
            (Image, self._options.image_topic, self._on_image, qos.BURST),
            (SeenImage, f"{perception}/seen", self._on_seen, qos.RESULTS),
        ]
        self._inputs = [
            self.create_subscription(kind, topic, callback, profile, callback_group=self._alone)
            for kind, topic, callback, profile in topics
        ]

    def deactivate(self) -> None:
        """Stop listening; a step in hand is ended, and comes first at the next start."""
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        self._inputs = []
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def cleanup(self) -> None:
        """Close the pool."""
        self._keeper = self._cycles = self._work = None
        self._open.close()

    def destroy_node(self) -> None:
        if self._server is not None:
            self._server.close()
        self.deactivate()
        self.cleanup()
        super().destroy_node()

    def _on_image(self, message: Image) -> None:
        if self._keeper is not None:
            self._answer(self._keeper.image(stamp_ns(message.header.stamp), message))

    def _on_seen(self, message: SeenImage) -> None:
        if self._keeper is None:
            return
        try:
            self._answer(self._keeper.seen(seen_from_message(message)))
        except CadsightError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=_QUIET_S)

    def _answer(self, decided: tuple[Seen, Decision] | None) -> None:
        """Publish what becomes of an image, with the alarms that it gives."""
        if decided is None or self._keeper is None:
            return
        seen, decision = decided
        header = Header(stamp=stamp_from_ns(seen.stamp_ns))
        if decision.verdict == "refused":
            self.get_logger().warning(self._keeper.status().trouble, throttle_duration_sec=_QUIET_S)
        name = str(seen.stamp_ns) if decision.number is None else name_of(decision.number)
        features = np.asarray(seen.image_features, float) if seen.image_features.size else None
        kept = decision.number is not None
        self._heed(header)
        alarms = self._watch.observe(Observed(name, time.monotonic(), kept, features))
        self._raise(alarms, header)
        self._decisions.publish(decision_to_message(decision, header, alarms))

    def _heed(self, header: Header) -> None:
        """Bring the triggers up to what happened since the last image."""
        while self._for_watch:
            event = self._for_watch.popleft()
            if isinstance(event, Labelled):
                for name, score in event.audit_scores:
                    observed = Observed(name, time.monotonic(), is_new=False, score=score)
                    self._raise(self._watch.observe(observed), header)
            elif isinstance(event, ServedNames):
                self._watch.reset()
            elif isinstance(event, Ended | Gated):
                self._watch.reset_silent()

    def _raise(self, alarms: list[Alarm], header: Header) -> None:
        for alarm in alarms:
            self.get_logger().warning(f"{alarm.trigger}: {alarm.reason}")
            self._alarms.publish(alarm_to_message(alarm, header))
            if self._worker is not None:
                self._worker.alarm(alarm)

    def _on_served(self, served: ServedNames) -> None:
        """Another generation serves."""
        if self._generation:
            self._for_watch.append(served)
        self._generation = served.generation
        if self._worker is not None:
            self._worker.served(served)

    def _on_event(self, event: Event) -> None:
        self._for_watch.append(event)
        self.get_logger().info(f"{type(event).__name__}: {event}"[:500])
        if isinstance(event, Swapped):
            self.get_logger().info(f"{event.served.detector} serves now")

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self.get_logger().warning(trouble)
        self._trouble = trouble

    def _on_failed(self, error: Exception) -> None:
        self._trouble = f"no cycle runs any more: {type(error).__name__}: {error}"
        self.get_logger().error(self._trouble)

    def _tell(self, sentence: str) -> None:
        self._doing = sentence

    def _on_begin(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._worker is None:
            response.success, response.message = False, "the loop is not active or does not learn, expected it to"
            return response
        self._worker.alarm(Alarm("asked", "somebody asked for a cycle", 1.0, 1.0))
        response.success, response.message = True, "a cycle begins, or goes on where one is in hand"
        return response

    def _on_get_statistics(self, _: GetStatistics.Request, response: GetStatistics.Response) -> GetStatistics.Response:
        response.status = self._status()
        return response

    def _status(self) -> DiagnosticStatus:
        values: dict[str, object] = {"doing": self._doing}
        keeper, cycles = self._keeper, self._cycles
        trouble = self._trouble
        if cycles is not None:
            resting = self._worker is None or self._worker.resting
            values |= {"cycle": cycles.history.cycle, "resting": resting, "waits": cycles.waits}
        if keeper is None:
            return make_status(self, diagnostics.STALE, "not active", values)
        status = keeper.status()
        values |= status.counts
        trouble = trouble or status.trouble
        level = diagnostics.WARN if trouble else diagnostics.OK
        return make_status(self, level, trouble or self._doing or "watching", values)


def main() -> int:
    return run(LoopNode, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
