"""Work in a process of its own that tells its steps: it may crash, and its memory is given back at the end.

The child writes a JSON object a line: ``tell`` with a step, and at its end ``error`` with a sentence where it failed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Any

from cadsight_core.errors import CadsightError
from cadsight_core.running.child_process import end_with_parent
from cadsight_core.storage.json_text import json_text

Tell = Callable[[str], None]
_LAST_WORDS = 300
_LEAST_PRIORITY = 19


class DiedError(CadsightError):
    """The process ended without an answer."""


def run_telling(
    module: str,
    words: Sequence[object],
    what: str,
    tell: Tell,
    aside: bool = False,
    began: "Callable[[subprocess.Popen[str]], None]" = lambda process: None,
) -> None:
    """Run ``python -m module``, whose ``main`` is :func:`child_main`, until its end.

    Args:
        what: the work, for the sentence on a process that died: "the export of yolo11n".
        tell: is called with each step; what it raises ends the process and is passed on.
        aside: only with what other processes leave of the processor.
        began: is given the process, so that another thread can end it.

    Raises:
        CadsightError: with the sentence of the work that failed; as :class:`DiedError` when the process died.
    """
    given = [*map(str, words), str(os.getpid()), str(_LEAST_PRIORITY if aside else 0)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # A Ctrl-C in the terminal is for us.
            start_new_session=True,
        )
        try:
            began(process)
            error = _pass_on(process, tell)
        finally:
            process.kill()
            process.communicate()
        if error is None and process.returncode:
            log.seek(0)
            raise DiedError(f"{what} {_how(process.returncode)}{_last_words(log)}")
    if error is not None:
        raise CadsightError(error)


def child_main(given: Sequence[str], work: Callable[[list[str], Tell], None]) -> int:
    """The child's side: do ``work`` with the words that :func:`run_telling` was given, and a function to tell steps by.

    Returns the status to end with.
    """
    *words, parent, niceness = given
    end_with_parent()
    if os.getppid() != int(parent):  # it died before we could ask to end with it
        return 1
    os.nice(int(niceness))
    # What libraries print is none of our answers.
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)

        def send(**message: Any) -> None:
            print(json_text(message), file=answers)

        try:
            work(words, lambda step: send(tell=step))
        except CadsightError as error:
            send(error=str(error))
        except KeyboardInterrupt:
            return 130
    return 0


def _pass_on(process: "subprocess.Popen[str]", tell: Tell) -> str | None:
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if "error" in message:
            return str(message["error"])
        tell(message["tell"])
    process.wait()
    return None


def _how(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _last_words(log: IO[bytes]) -> str:
    lines = log.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"; its last words: {last[-_LAST_WORDS:]}" if last else ""
