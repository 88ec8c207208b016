"""Runs a node as a program: spins it until it is to end, and lets it stop what it started before ROS goes.

rclpy's own answer to SIGINT and SIGTERM takes the context away at once. From then on nothing can be sent, so that a
goal that moves an arm can no longer be cancelled, and no answer arrives for what a callback waits for. Here the main
thread alone hears the signals while the node is spun in another one, and ROS stays until the node has come to rest.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import rclpy
from cadsight_core.errors import CadsightError
from rclpy.exceptions import InvalidNodeNameException
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from cadsight_ros.executors import SteadyMultiThreadedExecutor, SteadySingleThreadedExecutor

# Longest wait for what a node has to stop, and then for its callbacks to return.
REST_S = 1.0
_CALLBACKS_S = 0.5

_Refusals = (CadsightError, InvalidNodeNameException, rclpy_implementation.RCLError)


class FinishedError(Exception):
    """A callback raises it when its node has done all its work: the program ends with status 0."""


@runtime_checkable
class Moving(Protocol):
    """A node that has to stop something before it ends."""

    def bring_to_rest(self, timeout_s: float) -> None:
        """Stop what the node started, in at most ``timeout_s`` seconds, and log how it went; still being spun."""
        ...


def log_stopped(node: Node, stopped: bool | None, timeout_s: float, peer: str) -> None:
    """Log whether the arm was stopped: nothing had to be (None), ``peer`` took it, or did not answer in the time."""
    if stopped:
        node.get_logger().info("the arm was stopped, since this node ends")
    elif stopped is False:
        node.get_logger().error(
            f"the arm may still be moving: {peer} did not answer for {timeout_s:g} s, expected it to take the "
            "cancelling"
        )


def run(factory: Callable[[], Node], arguments: Sequence[str] | None = None, threads: int = 1) -> int:
    """Initialise ROS, build the node and spin it until it is to stop.

    On SIGINT, SIGTERM or an error a :class:`Moving` node is brought to rest first. A callback that has not returned
    half a second later is left behind. A :class:`CadsightError`, at start or later, and arguments that ROS itself
    refuses end the program with one sentence.

    Args:
        factory: builds the node once ROS is there.
        arguments: command line, by default the process's own.
        threads: callbacks that may run at the same time.

    Returns:
        The exit status: 0 after a stop, 2 after an error that the user can mend.
    """
    ending = _Ending()
    with _woken_by_signals(ending):
        node: Node | None = None
        executor: Executor | None = None
        try:
            rclpy.init(
                args=None if arguments is None else list(arguments), signal_handler_options=SignalHandlerOptions.NO
            )
            node = factory()
            executor = SteadySingleThreadedExecutor() if threads == 1 else _PromptExecutor(threads, ending)
            executor.add_node(node)
            _spin_until(ending, executor, node)
        except (KeyboardInterrupt, FinishedError):
            pass
        except _Refusals as error:
            if not (isinstance(error, rclpy_implementation.RCLError) and ending.signalled):
                print(f"cadsight: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
                return _end(node, executor, 2)
        except BaseException:
            _end(node, executor, 1)
            raise
        return _end(node, executor, 0)


def _spin_until(ending: "_Ending", executor: Executor, node: Node) -> None:
    """Spin ``node`` until it is to end or a callback fails, then bring it to rest; raises what failed."""
    spinner = _Spinner(executor, ending)
    spinner.start()
    ending.wait()
    failure = _failure(executor) or spinner.failure
    if isinstance(node, Moving):
        if not spinner.is_alive():
            # A callback's error has ended the spinning, and the answers to what is stopped must still arrive.
            spinner = _Spinner(executor, ending)
            spinner.start()
        node.bring_to_rest(REST_S)
    if failure is not None:
        raise failure


def _end(node: Node | None, executor: Executor | None, status: int) -> int:
    """Stop spinning and give ROS back; a callback that does not return is left behind with the whole process."""
    if executor is not None:
        executor.shutdown(**({"wait_for_threads": False} if isinstance(executor, _PromptExecutor) else {}))
        last = time.monotonic() + _CALLBACKS_S
        busy = [t for t in threading.enumerate() if t.name.startswith(_name(executor))]
        for thread in busy:
            thread.join(max(last - time.monotonic(), 0.0))
        if any(thread.is_alive() for thread in busy) and threading.current_thread() is threading.main_thread():
            print("cadsight: a callback had not returned and was left behind", file=sys.stderr, flush=True)
            sys.stdout.flush()
            os._exit(status)
    if node is not None:
        node.destroy_node()
    rclpy.try_shutdown()
    return status


def _name(executor: Executor) -> str:
    """What the names of an executor's threads begin with."""
    return f"executor {id(executor)}"


class _Ending:
    """That a program is to end, set from any thread or from a signal's handler."""

    def __init__(self) -> None:
        self.signalled = False
        # A handler may break into the waiting itself: an Event's lock would then be taken twice.
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def on_signal(self, *_: object) -> None:
        self.signalled = True
        self._wakes.put(None)

    def wake(self) -> None:
        self._wakes.put(None)

    def wait(self) -> None:
        self._wakes.get()


class _Spinner(threading.Thread):
    """Spins an executor and reports when that has ended, and by what."""

    def __init__(self, executor: Executor, ending: _Ending) -> None:
        super().__init__(name=f"{_name(executor)} spin", daemon=True)
        self.executor = executor
        self.failure: BaseException | None = None
        self._ending = ending

    def run(self) -> None:
        try:
            self.executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:
            self.failure = error
        finally:
            self._ending.wake()


class _PromptExecutor(SteadyMultiThreadedExecutor):
    """Reports a callback's error at once; rclpy raises it only when another callback is ready, which may be never."""

    def __init__(self, threads: int, ending: _Ending) -> None:
        super().__init__(threads, thread_name=f"{_name(self)} callback")
        self.failure: BaseException | None = None
        self._ending = ending

    def ran(self, task: Any) -> None:
        error = task.exception() if task.done() else None
        if error is not None and self.failure is None:
            self.failure = error
            self._ending.wake()


def _failure(executor: Executor) -> BaseException | None:
    return executor.failure if isinstance(executor, _PromptExecutor) else None


@contextlib.contextmanager
def _woken_by_signals(ending: _Ending) -> Iterator[None]:
    """Let SIGINT and SIGTERM wake ``ending`` and do nothing else.

    A Ctrl-C comes twice, from the terminal and from the launcher; Python's own answer to the second would break into
    the stopping of the node, or into what libraries free as the program ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ending.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if ending.signalled else (handler or signal.SIG_DFL))
