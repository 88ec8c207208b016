"""`make setup`, `make blender`, `make datumaro`: from a bare machine to a workspace that runs; a second when it is."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
from pathlib import Path

from workspace import blender, build, datumaro, environment, ros, system
from workspace.say import SetupError, python_version, say
from workspace.stamp import Stamps, fingerprint


def set_up(root: Path) -> None:
    """Every step that its stamp does not already vouch for."""
    start = time.monotonic()
    environment.check_python()
    installation = ros.find_installation(os.environ, root)
    if installation is None:
        environment.check_wheels_fit()
    else:
        say(f"Using the ROS 2 {installation.distribution} that this shell has sourced")
    system.install_missing()

    venv = root / ".venv"
    stamps = Stamps(venv / "stamps")
    source = installation.distribution if installation else "wheels"
    base = [python_version(), sys.base_prefix, source, environment.distribution_numpy(installation), str(root)]
    environment.create(venv, installation)

    pins = ("pyproject.toml", "constraints.txt", "overrides.txt", "ros-wheels.txt")
    packages = fingerprint(root, [root / name for name in pins], base)
    if not stamps.holds("packages", packages):
        environment.install(root, venv, installation)
        if installation is None:
            ros.mend_wheels(venv)
        stamps.set("packages", packages)

    files = [path for path in (root / "compat").rglob("*") if path.is_file()]
    compat = fingerprint(root, files, [packages])
    if not stamps.holds("compat", compat):
        ros.build_compat(root, venv, ros.environment_with(root), installation)
        stamps.set("compat", compat)

    workspace = fingerprint(root, build.inputs(root), [compat, *build.names(root)])
    if not stamps.holds("workspace", workspace) or not (root / "install/local_setup.bash").is_file():
        build.build(root, venv, ros.environment_with(root))
        stamps.set("workspace", workspace)
    say(f"Ready after {time.monotonic() - start:.1f} s; try bin/cadsight doctor")


def set_up_blender(root: Path) -> None:
    start = time.monotonic()
    if blender.set_up(root):
        say(f"Blender is ready after {time.monotonic() - start:.1f} s")


def set_up_datumaro(root: Path) -> None:
    start = time.monotonic()
    if datumaro.set_up(root):
        say(f"datumaro is ready after {time.monotonic() - start:.1f} s")


def set_up_test_shells(root: Path) -> None:
    system.install_wished(system.TEST_SHELLS)


STEPS = {"workspace": set_up, "blender": set_up_blender, "datumaro": set_up_datumaro, "test-shells": set_up_test_shells}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument("what", nargs="?", choices=STEPS, default="workspace", help="what to set up (%(default)s)")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1], help="the workspace")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    with (root / ".setup.lock").open("w") as lock:
        # Two at once would build into the same folders.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            STEPS[arguments.what](root)
        except SetupError as error:
            print(f"cadsight setup: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
