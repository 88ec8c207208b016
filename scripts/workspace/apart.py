"""Virtual environments beside ours, for programs whose packages do not go with ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from workspace import environment, system
from workspace.say import SetupError, call, say
from workspace.stamp import Stamps, fingerprint


def make(
    root: Path,
    folder: str,
    pins: str,
    *,
    what: str,
    size: str,
    interpreter: Callable[[], str],
    depends_on: Sequence[str] = (),
    needs: tuple[system.Need, ...] = (),
    module: str,
) -> bool:
    """Make the environment ``folder`` where it is not there or not by ``pins``; False when there was nothing to do.

    Args:
        what: whose it is, in words.
        size: what is to be fetched and kept, in words.
        depends_on: versions and such; another one has it made anew.
        module: is loaded once: what it misses of the system shows here and not in the middle of work.

    Raises:
        SetupError: without a Python that fits, the system's libraries or a package registry.
    """
    venv = root / folder
    stamps = Stamps(venv / "stamps")
    mark = fingerprint(root, [root / pins], [str(venv), *depends_on])
    if stamps.holds("packages", mark):
        return False
    python = interpreter()
    system.install_missing(needs)
    uv = root / ".venv/bin/uv"
    if not uv.exists():
        raise SetupError(f"{uv} is missing: run `make setup` first")
    say(f"Making the environment for {what} (once; {size})")
    # uv brings certificates of its own; those of a company's proxy are known to the machine alone.
    variables = {"UV_SYSTEM_CERTS": "1", **environment.with_byte_code(os.environ)}
    making: list[str | Path] = [uv, "venv", "--quiet", "--allow-existing", "--python", python, venv]
    call(making, f"making {what}'s environment", cwd=root, env=variables)
    # `sync` also takes away what the pins no longer name.
    filling: list[str | Path] = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", venv / "bin/python"]
    call([*filling, root / pins], f"installing {what}'s packages", cwd=root, env=variables)
    _load(venv, module, what)
    stamps.set("packages", mark)
    return True


def _load(venv: Path, module: str, what: str) -> None:
    words = [str(venv / "bin/python"), "-c", f"import {module}"]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
        raise SetupError(f"{what} was installed, but does not load: {reason}")
