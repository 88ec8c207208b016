"""How setting up talks: one line a step, and one sentence when it cannot go on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class SetupError(RuntimeError):
    """One sentence for the user."""


def say(sentence: str) -> None:
    print(f"cadsight setup: {sentence}", flush=True)


def call(command: Sequence[str | Path], what: str, *, cwd: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command whose output the user sees; raise `SetupError` when it fails."""
    result = subprocess.run([str(word) for word in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        raise SetupError(f"{what} failed (exit {result.returncode}); its own words are above")


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
