"""Programs that run beside the command, are watched, and end with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.running.child_process import end_with_parent

from cadsight_cli.launching.ends import first_bad_end

_LAST_LINES = 12
# A program that is waited for and says nothing for so long is taken to be stuck. On a slow and busy machine an import
# or an export of a network keeps it quiet for minutes.
SILENCE_S = 300.0
_LOOK_S = 0.05


class ChildDiedError(CadsightError):
    """A program ended that was still needed."""


class Child:
    """A running program whose output goes to a file."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name, self._process, self._log = name, process, log

    def check(self) -> None:
        """See that it still runs.

        Raises:
            ChildDiedError: naming the program, how it ended and its last lines.
        """
        status = self._process.poll()
        if status is not None:
            raise self._died(status)

    @property
    def output_bytes(self) -> int:
        """How many bytes it has printed until now."""
        return self._log.stat().st_size

    @property
    def last_line(self) -> str:
        """The last line that it printed, or ''."""
        lines = self._log.read_text(errors="replace").splitlines()
        return lines[-1].strip() if lines else ""

    @property
    def log(self) -> Path:
        return self._log

    def wait(self) -> None:
        """Wait for its end, for as long as it has work: it gives up by itself when that does not go on.

        Raises:
            ChildDiedError: when it ends badly.
        """
        status = self._process.wait()
        if status != 0:
            raise self._died(status)

    def stop(self, patience_s: float = 12.0) -> None:
        """Interrupt it, and kill it and what it started when it does not end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _died(self, status: int) -> ChildDiedError:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        lines = _until_first_end(self._log.read_text(errors="replace").splitlines())[-_LAST_LINES:]
        return ChildDiedError(f"{self.name} {how}; its last lines in {self._log}:\n  " + "\n  ".join(lines))


def wait_until(
    condition: Callable[[], bool],
    what: Callable[[], str],
    children: Sequence[Child],
    show: Callable[[str], None] = lambda _: None,
    silence_s: float = SILENCE_S,
) -> None:
    """Wait for a state that programs bring about, for as long as they run and print something now and then.

    Args:
        what: names what is missing; a change of it counts as output.
        show: is called with what is waited for, and the last lines of the programs.

    Raises:
        ChildDiedError: when one of them ends.
        CadsightError: when they printed nothing for ``silence_s``, naming what is missing and their last lines.
    """
    last, since = ([-1], ""), time.monotonic()
    while not condition():
        for child in children:
            child.check()
        now = ([child.output_bytes for child in children], what())
        if now != last:
            last, since = now, time.monotonic()
            show(f"waiting for {now[1]}: {', '.join(c.last_line for c in children if c.last_line)}".rstrip(": "))
        if time.monotonic() - since > silence_s:
            logs = ", ".join(str(child.log) for child in children)
            raise CadsightError(
                f"{last[1]} did not come, and {', '.join(c.name for c in children)} said nothing for "
                f"{silence_s:.0f} s, expected the programs to go on; the last words are in {logs}"
            )
        time.sleep(_LOOK_S)


@contextlib.contextmanager
def running(
    name: str, words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a program while the body runs; its output goes to ``log``, and it ends with the body and with us."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**(os.environ if environment is None else environment), "PYTHONUNBUFFERED": "1"},
            # A Ctrl-C in the terminal is for us; we hand it on when we have put things down.
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    child = Child(name, process, log)
    try:
        yield child
    finally:
        child.stop()


def launched(name: str, arguments: Mapping[str, object], log: Path) -> "contextlib.AbstractContextManager[Child]":
    """Run one of our launch files while the body runs (see ``cadsight launch``)."""
    given = [f"{key}:={_text(value)}" for key, value in arguments.items()]
    return running(f"cadsight launch {name}", [sys.executable, "-m", "cadsight_cli", "launch", name, *given], log)


def _until_first_end(lines: list[str]) -> list[str]:
    """Lines up to where `cadsight launch` says that a process ended badly: the others' ends are its consequence."""
    end = first_bad_end(lines)
    return lines if end is None else lines[: end + 1]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
