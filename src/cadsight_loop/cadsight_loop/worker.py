"""The thread that runs cycles, step by step; knows no ROS."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from cadsight_active.loop.cycle import Cycles, SilentServerError
from cadsight_active.loop.history import Event, Swapped
from cadsight_active.loop.steps.child import StoppedError, Work
from cadsight_active.triggers.trigger import Alarm
from cadsight_core.served import ServedNames

# Between two looks for labels, or for a server that was silent.
_LOOK_S = 1.0


class CycleWorker:
    """Begins a cycle at an alarm and goes through its steps; the history has one writer, this thread.

    Args:
        done: is called with each event that is written down.
        trouble: is called with a sentence where a step has to wait, and with '' when it goes on.
        failed: is called with what nobody expected; the thread ends then.
    """

    def __init__(
        self,
        cycles: Cycles,
        work: Work,
        done: Callable[[Event], None],
        trouble: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._cycles, self._work = cycles, work
        self._done, self._trouble, self._failed = done, trouble, failed
        self._news: queue.SimpleQueue[Alarm | ServedNames | None] = queue.SimpleQueue()
        self._stopping = False
        self._lock = threading.Lock()
        self._resting = True
        self._thread = threading.Thread(target=self._run, name="cycles")

    def start(self) -> None:
        self._work.go_on()
        self._thread.start()

    def stop(self) -> None:
        """End what is in hand; the same step comes first at the next start."""
        self._stopping = True
        self._work.stop()
        self._news.put(None)
        if self._thread.is_alive():
            self._thread.join()

    @property
    def resting(self) -> bool:
        """Whether no cycle is in hand and nothing came that may begin one."""
        return self._resting

    def alarm(self, alarm: Alarm) -> None:
        """An alarm came."""
        self._put(alarm)

    def served(self, served: ServedNames) -> None:
        """Another generation serves, whoever changed it."""
        self._put(served)

    def _put(self, news: Alarm | ServedNames) -> None:
        with self._lock:
            self._resting = False
            self._news.put(news)

    def _run(self) -> None:
        try:
            while not self._stopping:
                waits = not self._steps()
                with self._lock:
                    self._resting = not waits and self._news.empty()
                self._take(self._next(_LOOK_S if waits else None))
        except StoppedError:
            return
        except Exception as error:
            # In a thread of its own it would be seen by nobody: the node says it in its diagnostics from then on.
            self._failed(error)

    def _steps(self) -> bool:
        """Go on as far as one can; returns whether no cycle is in hand any more."""
        while self._cycles.runs and not self._stopping:
            try:
                event = self._cycles.step()
            except SilentServerError as error:
                self._trouble(str(error))
                return False
            self._trouble("")
            if event is None:
                return False
            self._done(event)
            while (news := self._next(0.0)) is not None:
                self._take(news)
        return not self._cycles.runs

    def _next(self, timeout: float | None) -> Any:
        try:
            return self._news.get(timeout=timeout) if timeout != 0.0 else self._news.get_nowait()
        except queue.Empty:
            return None

    def _take(self, news: Alarm | ServedNames | None) -> None:
        if isinstance(news, Alarm):
            self._cycles.notice(news)
        elif news is not None:
            known = [one.served.generation for one in self._cycles.history.every(Swapped)]
            if news.generation not in known:
                self._cycles.changed_outside(news)
