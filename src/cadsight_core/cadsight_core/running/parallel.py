"""Numbered work distributed over processes or machines by joblib, its results in order, whoever dies on the way."""

import contextlib
import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from cadsight_core.errors import CadsightError

Result_co = TypeVar("Result_co", covariant=True)
Result = TypeVar("Result")

# Numbers handed out at a time for each worker: what may lie finished in memory, waiting for its turn.
_AHEAD = 8
_TRIES = 3
# A process of joblib's warns at exit of semaphores that another has just removed, mostly after an interruption.
_TRACKERS_WORDS = "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker"
_log = logging.getLogger(__name__)


class Work(Protocol[Result_co]):
    """Something that can be sent to another process and does there the work of a number."""

    def __call__(self, number: int) -> Result_co: ...


class ParallelMap(Protocol):
    """Does work for several numbers, somewhere."""

    def __call__(self, work: Work[Result], numbers: Sequence[int]) -> Generator[Result, None, None]:
        """The results one by one, in the order of ``numbers``."""
        ...

    def close(self) -> None:
        """Give back what the work needed."""
        ...


def nothing_kept() -> None:
    """Closes what work keeps from one call to the next, where it keeps nothing."""


class Here:
    """In this process, one after the other; ``close_kept`` closes what the work has kept here."""

    def __init__(self, close_kept: Callable[[], None] = nothing_kept) -> None:
        self._close_kept = close_kept

    def __call__(self, work: Work[Result], numbers: Sequence[int]) -> Generator[Result, None, None]:
        for number in numbers:
            yield work(number)

    def close(self) -> None:
        self._close_kept()


class _Tried(Generic[Result]):
    """Carries a user's error as a value, for what is raised in a worker may come back as something else.

    With ``parent``, a process, the worker ends when that has gone, not by a Ctrl-C that was meant for that.
    """

    def __init__(self, work: Work[Result], parent: int | None = None) -> None:
        self._work, self._parent = work, parent

    def __call__(self, number: int) -> "Result | CadsightError":
        if self._parent is not None:
            _end_with(self._parent)
        try:
            return self._work(number)
        except CadsightError as error:
            return CadsightError(str(error))


class Processes:
    """In ``workers`` processes of this machine. One that is killed is replaced and its number done again."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise CadsightError(f"{workers} workers were asked for, expected at least 1")
        self._workers = workers
        given = os.environ.get("PYTHONWARNINGS", "")
        if _TRACKERS_WORDS not in given:
            os.environ["PYTHONWARNINGS"] = f"{given},{_TRACKERS_WORDS}".lstrip(",")

    def __call__(self, work: Work[Result], numbers: Sequence[int]) -> Generator[Result, None, None]:
        from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

        deaths = (BrokenProcessPool, TerminatedWorkerError)
        return _in_order(work, numbers, self._workers, {"backend": "loky"}, deaths, os.getpid())

    def close(self) -> None:
        """End the processes; they would wait some minutes for more work."""
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True, kill_workers=True)


class Cluster:
    """On the workers of a Dask scheduler. The work of one that is lost is given to another."""

    def __init__(self, address: str) -> None:
        """Find the scheduler.

        Raises:
            CadsightError: when none answers at ``address``, or it has no worker.
        """
        from distributed import Client

        try:
            self._client = Client(address, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise CadsightError(
                f"no Dask scheduler answers at {address!r} ({error}), expected an address such as tcp://host:8786"
            ) from error
        if not self._client.scheduler_info(n_workers=-1)["workers"]:
            self._client.close()
            raise CadsightError(f"the Dask scheduler at {address} has no worker, expected `dask worker {address}`")
        self.address = address

    def __call__(self, work: Work[Result], numbers: Sequence[int]) -> Generator[Result, None, None]:
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        workers = max(1, sum(self._client.nthreads().values()))
        backend = {"backend": "dask", "client": self._client, "wait_for_workers_timeout": 60}
        return _in_order(work, numbers, workers, backend, (KilledWorker, CommClosedError, TimeoutError))

    def close(self) -> None:
        self._client.close()


def parallel_map_of(
    workers: int, cluster: str | None = None, close_kept: Callable[[], None] = nothing_kept
) -> ParallelMap:
    """On the Dask scheduler at ``cluster`` where that is given, else in ``workers`` processes, one being this one.

    Args:
        close_kept: closes what work keeps in this process from one call to the next, such as engines.

    Raises:
        CadsightError: as :class:`Cluster` and :class:`Processes`.
    """
    if cluster:
        return Cluster(cluster)
    return Processes(workers) if workers != 1 else Here(close_kept)


@cache
def _end_with(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, name="end with parent", daemon=True).start()


@contextlib.contextmanager
def _interruption_held() -> Iterator[Callable[[], None]]:
    """Ctrl-C waits for a call of what this gives, or for a second one: raised inside joblib it breaks its queues."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    held = False

    def hold(*_: object) -> None:
        nonlocal held
        if held:
            raise KeyboardInterrupt
        held = True

    def interrupt() -> None:
        if held:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield interrupt
        interrupt()
    finally:
        signal.signal(signal.SIGINT, before)


def _in_order(
    work: Work[Result],
    numbers: Sequence[int],
    workers: int,
    backend: dict[str, Any],
    deaths: tuple[type[BaseException], ...],
    parent: int | None = None,
) -> Generator[Result, None, None]:
    """The results one by one, in the order of ``numbers``, few of them ahead of who takes them."""
    import joblib

    tried = _Tried(work, parent)
    done, died = 0, 0
    while done < len(numbers):
        # Part by part, for joblib would go on to the end while nobody takes the results.
        part = numbers[done : done + _AHEAD * workers]
        try:
            with _interruption_held() as interrupt, joblib.parallel_config(**backend):
                parallel = joblib.Parallel(workers, batch_size=1, return_as="generator", pre_dispatch="2*n_jobs")
                left = iter(part)
                results = parallel(joblib.delayed(tried)(n) for n in left)
                try:
                    for result in results:
                        interrupt()
                        if isinstance(result, CadsightError):
                            raise result
                        done, died = done + 1, 0
                        yield result
                finally:
                    # Begin nothing more and let end what is in hand, for joblib breaks what it ends early.
                    deque(left, maxlen=0)
                    deque(results, maxlen=0)
        except deaths as error:
            died += 1
            _log.warning("a worker died while number %d was in hand: %s", numbers[done], " ".join(str(error).split()))
            if died == _TRIES:
                raise CadsightError(
                    f"workers died {died} times while number {numbers[done]} was in hand "
                    f"({' '.join(str(error).split())[:200]}), expected memory enough for {workers} of them"
                ) from error


def threads_each(workers: int) -> int:
    """Threads for one of ``workers`` on this machine; 0, which means all of them, for one alone."""
    return 0 if workers <= 1 else max(1, (os.cpu_count() or 1) // workers)
