"""The Blender program as a child of this process: set up, started, asked, stopped."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.running import own_environment
from cadsight_core.running.child_process import end_with_parent
from cadsight_core.storage.json_text import json_text

_PACKAGE = Path(__file__).resolve().parents[3]
_LAST_WORDS = 400
_PATIENCE_S = 5.0


class BlenderDiedError(RuntimeError):
    """The program has ended in the middle of its work; says how, with its last words."""


def environment_for_blender(ours: Mapping[str, str]) -> dict[str, str]:
    """``ours`` without what belongs to our Python, and with our package alone on the path."""
    return {**own_environment.variables(ours), "PYTHONPATH": str(_PACKAGE)}


class BlenderProcess:
    """One running program; it ends with us.

    Attributes:
        version: of Blender.
    """

    def __init__(self, python: Path, threads: int) -> None:
        """Start it and wait until it can draw (2 to 3 seconds).

        Args:
            threads: that one image is drawn with; 0 for as many as the machine has cores.

        Raises:
            BlenderDiedError: when it does not come up.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="cadsight_cycles_", ignore_cleanup_errors=True)
        # It writes as long as the process lives; no name is left of it.
        self._log = tempfile.TemporaryFile("a+b")  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(python), "-s", "-B", "-m", "cadsight_synthesis.blender", self._folder.name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            # Blender makes a folder of its own and, killed, leaves it.
            env={**environment_for_blender(os.environ), "TMPDIR": self._folder.name},
            text=True,
            # A Ctrl-C in the terminal is for us.
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self.version = str(self._answer()["ready"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def draw(self, scene: dict[str, Any]) -> Iterator[Path]:
        """The file of each view as soon as it is drawn; it is gone when the next one is asked for.

        Raises:
            CadsightError: for what the program cannot draw.
            BlenderDiedError: when it ends instead.
        """
        self._log.truncate(0)
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json_text(scene) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        for _ in scene["views"]:
            answer = self._answer()
            if "error" in answer:
                raise CadsightError(answer["error"])
            file = Path(answer["view"])
            yield file
            file.unlink(missing_ok=True)

    def stop(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_PATIENCE_S)
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        self._folder.cleanup()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> BlenderDiedError:
        status = self._process.wait()
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._log.seek(0)
        words = " ".join(self._log.read().decode(errors="replace").replace("\0", "").split())[-_LAST_WORDS:]
        return BlenderDiedError(f"Blender {how}" + (f"; its last words: {words}" if words else ""))
