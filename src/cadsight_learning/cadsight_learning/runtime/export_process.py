"""Has a network exported by a process of its own: torch is loaded there, and its memory is given back at the end."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from cadsight_learning.runtime.exports import Exports
from cadsight_learning.runtime.sessions import UnusableNetworkError

_LAST_WORDS = 300


def export_in_child(exports: Exports, kind: str, shape: tuple[int, int]) -> Path:
    """Make the export of the model for images of ``shape`` (rows, columns) and return its file.

    ``exports.tell`` is called with the steps; what it raises ends the process and is passed on.

    Raises:
        UnusableNetworkError: when it cannot be made, or the process dies.
    """
    name = exports.about["architecture"]
    exports.tell(f"exporting {name} to {kind} for {shape[1]} x {shape[0]} pixels: loading torch")
    given = (exports.model, exports.weights_sha256, kind, *shape, os.getpid())
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cadsight_learning.export_child", *map(str, given)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # A Ctrl-C in the terminal is for us.
            start_new_session=True,
        )
        try:
            error = _pass_on(process, exports)
        finally:
            process.kill()
            process.communicate()
        if error is None and process.returncode:
            log.seek(0)
            error = f"the export of {name} {_how(process.returncode)}{_last_words(log)}"
    if error is not None:
        raise UnusableNetworkError(error)
    path = exports.find(kind, shape)
    if path is None:
        raise UnusableNetworkError(f"the export of {name} is gone already, expected nobody to remove it")
    return path


def _pass_on(process: "subprocess.Popen[str]", exports: Exports) -> str | None:
    """Pass on the steps of the process until its end; returns its error, None without one."""
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if "error" in message:
            return str(message["error"])
        exports.tell(message["tell"])
    process.wait()
    return None


def _how(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _last_words(log: IO[bytes]) -> str:
    lines = log.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"; its last words: {last[-_LAST_WORDS:]}" if last else ""
