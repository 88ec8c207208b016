"""Lifecycle nodes that can bring themselves up where no manager does."""

from collections.abc import Callable

from cadsight_core.errors import CadsightError
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.timer import Timer

_AGAIN_S = 0.1


class ManagedNode(LifecycleNode):
    """A lifecycle node whose steps are plain methods that raise CadsightError.

    A step that fails is logged as one sentence and leaves the node where it was. After :meth:`autostart` a failure
    ends the spinning instead, since nobody is there who could mend it and try again.

    Override: ``configure``, ``activate``, ``deactivate``, ``cleanup``.
    """

    _starter: Timer | None = None
    _failure: CadsightError | None = None
    _starting = False

    def configure(self) -> None:
        """Get what is needed to run: models, publishers."""

    def activate(self) -> None:
        """Begin to work."""

    def deactivate(self) -> None:
        """Stop working; keep what was got."""

    def cleanup(self) -> None:
        """Give back what ``configure`` got."""

    def autostart(self) -> None:
        """Configure and activate as soon as the node is spun."""
        self._starter = self.create_timer(0.0, self._start, callback_group=MutuallyExclusiveCallbackGroup())

    def _start(self) -> None:
        if self._starter is not None:
            self.destroy_timer(self._starter)
            self._starter = None
        self._starting = True
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                # An executor of several threads looks at what a callback raised only when it hands out the next one,
                # and in a node that nothing is sent to that one never comes.
                group = MutuallyExclusiveCallbackGroup()
                self._starter = self.create_timer(_AGAIN_S, lambda: None, callback_group=group)
                raise self._failure or CadsightError(f"{self.get_fully_qualified_name()} could not start itself")
        self._starting = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        done = self._step(self.configure)
        return done if done != TransitionCallbackReturn.SUCCESS else super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        # Publishers first: work may begin to publish at once.
        done = super().on_activate(state)
        return done if done != TransitionCallbackReturn.SUCCESS else self._step(self.activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        done = self._step(self.deactivate)
        return done if done != TransitionCallbackReturn.SUCCESS else super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        done = self._step(self.cleanup)
        return done if done != TransitionCallbackReturn.SUCCESS else super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        if state.label == "active":
            self._step(self.deactivate)
        if state.label in ("active", "inactive"):
            self._step(self.cleanup)
        return super().on_shutdown(state)

    def _step(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except CadsightError as error:
            self._failure = error
            # What ends the program is printed by the program.
            if not self._starting:
                self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            # rclpy turns an exception here into a silent error state.
            self.get_logger().error(f"{step.__name__} failed: {type(error).__name__}: {error}")
            raise
        return TransitionCallbackReturn.SUCCESS
