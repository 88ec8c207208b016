"""rclpy's executors, kept alive where something is destroyed while they wait for it."""

from typing import Any

from rclpy._rclpy_pybind11 import InvalidHandle
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
    """Several callbacks at a time."""
