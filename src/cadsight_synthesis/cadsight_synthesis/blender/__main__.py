"""Draws the scenes that come on stdin until it closes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

_kept: list["subprocess.Popen[bytes]"] = []


def main() -> None:
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    _remove_at_the_end(folder)
    # Blender talks on stdout; the answers keep it for themselves, its chatter joins stderr.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import bpy
    import numpy as np

    from cadsight_synthesis.blender import shim
    from cadsight_synthesis.blender.errors import SceneError
    from cadsight_synthesis.blender.image import Photographer
    from cadsight_synthesis.blender.stage import Stage

    # An interrupt ends us in the middle of an image too, where Python would wait for Blender.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    shim.init(folder)
    stage, photographer = Stage(), Photographer(folder, threads)

    def draw(scene: dict[str, Any]) -> None:
        stage.set(scene)
        photographer.set_quality(scene["quality"])
        for number, view in enumerate(scene["views"]):
            file = folder / f"view_{number:05d}.npy"
            np.save(file, photographer.take(view, scene["seed"] + number))
            _answer(answers, {"view": str(file)})

    _answer(answers, {"ready": bpy.app.version_string})
    for line in sys.stdin:
        try:
            draw(json.loads(line))
        except (SceneError, OSError) as error:
            _answer(answers, {"error": " ".join(str(error).split())})
    # Blender's own end, in a process that is not its own, crashes now and then.
    os._exit(0)


def _remove_at_the_end(folder: Path) -> None:
    """Have ``folder`` removed however we end: when our end of the pipe closes, the shell's does."""
    words = ["sh", "-c", 'read -r _; rm -rf -- "$0"', str(folder)]
    quiet = subprocess.DEVNULL
    _kept.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True))


def _answer(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what, allow_nan=False) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
