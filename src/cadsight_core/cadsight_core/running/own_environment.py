"""Programs in virtual environments beside ours, whose packages do not go with ours: made on their first use."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cadsight_core.errors import CadsightError

# Paths of our environment; another has a Python and libraries of its own.
_OURS = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def workspace() -> Path:
    """The workspace that this code is part of."""
    return Path(os.environ.get("CADSIGHT_ROOT") or Path(__file__).resolve().parents[4])


def is_there(what: str, root: Path | None = None) -> bool:
    """Whether the environment ``what`` has been made; setting it up writes the stamp last."""
    return ((root or workspace()) / f".venv-{what}" / "stamps" / "packages").is_file()


def set_up(what: str, tool: str, root: Path | None = None) -> Path:
    """The Python of the environment ``what`` (blender, datumaro), which is made where it is missing or of other pins.

    Args:
        tool: what is not to be had without it, as errors begin.

    Raises:
        CadsightError: with what setting up says, where it cannot be made.
    """
    root = root or workspace()
    script = root / "scripts" / "set_up.py"
    if not script.is_file():
        raise CadsightError(f"{script} is missing, expected CADSIGHT_ROOT to name the workspace")
    # Its progress is for the user's eyes, and stdout is for results.
    words = [sys.executable, "-B", str(script), what, "--root", str(root)]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=2, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        *more, last = result.stderr.strip().splitlines() or [f"setting {what} up ended with {result.returncode}"]
        print("\n".join(more), file=sys.stderr)
        raise CadsightError(f"{tool} cannot be used: {last.removeprefix('cadsight setup: ')}")
    return root / f".venv-{what}" / "bin" / "python"


def variables(ours: Mapping[str, str]) -> dict[str, str]:
    """``ours`` without what belongs to our Python."""
    return {name: value for name, value in ours.items() if name not in _OURS}
