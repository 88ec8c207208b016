"""Where Blender, BlenderProc and their assets are, installed on first use."""

import os
import subprocess
import sys
from pathlib import Path

from cadsight_core.errors import CadsightError


def workspace() -> Path:
    """The workspace that this code is part of."""
    return Path(os.environ.get("CADSIGHT_ROOT") or Path(__file__).resolve().parents[4])


def set_up(root: Path) -> Path:
    """The Python of Blender's environment, which is made where it is not there or not by the pins.

    Raises:
        CadsightError: with what setting up says, where it cannot be made.
    """
    script = root / "scripts" / "set_up.py"
    if not script.is_file():
        raise CadsightError(f"{script} is missing, expected CADSIGHT_ROOT to name the workspace")
    # Its progress is for the user's eyes, and stdout is for results.
    words = [sys.executable, "-B", str(script), "blender", "--root", str(root)]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=2, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        *more, last = result.stderr.strip().splitlines() or [f"setting Blender up ended with {result.returncode}"]
        print("\n".join(more), file=sys.stderr)
        raise CadsightError(f"the cycles engine cannot be used: {last.removeprefix('cadsight setup: ')}")
    return root / ".venv-blender" / "bin" / "python"
