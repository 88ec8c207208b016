"""Starts a node's program: logs that at once, and ends quietly when it is stopped before its libraries are there.

Only the standard library is imported here, since what a node needs takes seconds, on a slow machine many.

    python -m cadsight_ros.node.entry cadsight_cell.motion_node --ros-args ...
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable


def program(module: str) -> Callable[[], int]:
    """The program of a node, for a console script: imports ``module`` and runs its ``main``.

    Stopped by SIGINT or SIGTERM before ``main`` listens, it ends with status 0, as it does later.
    """

    def begin() -> int:
        before = {number: signal.signal(number, _leave) for number in (signal.SIGINT, signal.SIGTERM)}
        # The launcher shows this beside the node's name.
        print(f"starts {module}, process {os.getpid()}", flush=True)
        main: Callable[[], int] = importlib.import_module(module).main
        for number, handler in before.items():
            signal.signal(number, handler)
        return main()

    return begin


def _leave(*_: object) -> None:
    """Nothing has begun that would have to be ended, and an exception would come out of the middle of an import."""
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(program(sys.argv.pop(1))())
