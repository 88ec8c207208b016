"""rclpy's executors, mended where they end for good or never wait."""

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor


class _Steady:
    """Waits anew when what it was about to wait for has just been destroyed.

    rclpy leaves a destroyed subscription out of what it waits for, but not its event handlers: "cannot use Destroyable
    because destruction was requested" then comes out of spinning, which ends for good.
    """

    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                return super().wait_for_ready_callbacks(*args, **kwargs)  # type: ignore[misc]
            except InvalidHandle:
                continue


class SteadySingleThreadedExecutor(_Steady, SingleThreadedExecutor):
    """One callback at a time."""


class SteadyMultiThreadedExecutor(_Steady, MultiThreadedExecutor):
    """Several callbacks at a time, each handed to the threads once.

    rclpy hands a callback that no thread has begun to them again and again, and does not wait meanwhile. With all
    threads busy, as with motions, it never waits at all; and since it holds the interpreter, none of them gets on
    (rclpy's issue 1452, mended in its pull request 1547, which not every distribution has). Nor does it wait while a
    subscription's message is not taken yet, for Fast DDS wakes those who wait for the subscription's events by it.
    """

    def __init__(self, threads: int, *, context: Context | None = None, thread_name: str = "callback") -> None:
        super().__init__(threads, context=context)
        self._executor = _Pool(self, threads, thread_name)

    def ran(self, task: Any) -> None:
        """A callback has returned, raised, or waits for something; called in its thread."""

    def _begin(self, task: Any) -> "list[tuple[Any, Any, Any]]":
        """Take a callback out of those that are offered to the threads."""
        with self._tasks_lock:
            taken = [entry for entry in self._tasks if entry[0] is task]
            self._tasks = [entry for entry in self._tasks if entry[0] is not task]
        _listen_to_events(taken, False)
        return taken

    def _end(self, task: Any, taken: "list[tuple[Any, Any, Any]]") -> None:
        """Offer it again if it waits for something, and tell."""
        if not (task.done() or task.cancelled()):
            with self._tasks_lock:
                self._tasks += taken
        _listen_to_events(taken, True)
        with contextlib.suppress(InvalidHandle):  # shut down meanwhile: there is nobody to wake
            self.wake()
        if self._is_shutdown and task.done():
            # Else rclpy prints, when the task is freed, that nobody read its result.
            task.exception()
        self.ran(task)


def _listen_to_events(taken: "list[tuple[Any, Any, Any]]", listen: bool) -> None:
    for _, entity, _ in taken:
        for handler in getattr(entity, "event_handlers", ()):
            # What rclpy marks so is left out of what is waited for.
            handler._executor_event = not listen


class _Pool(ThreadPoolExecutor):
    def __init__(self, owner: SteadyMultiThreadedExecutor, threads: int, name: str) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self._owner = owner

    def submit(self, task: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        taken = self._owner._begin(task)
        future = super().submit(task, *args, **kwargs)
        future.add_done_callback(lambda _: self._owner._end(task, taken))
        return future
