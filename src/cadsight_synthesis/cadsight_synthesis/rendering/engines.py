"""The engines by name, one of each for a thread."""

import os
import threading
from typing import Literal, TypeAlias, get_args

from cadsight_core.errors import CadsightError

from cadsight_synthesis.rendering.scene import Engine

EngineName: TypeAlias = Literal["cycles", "raster"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

_kept = threading.local()


def make_engine(name: str, threads: int = 0) -> Engine:
    """A new engine; ``threads`` draw one image, 0 for as many as the machine has cores.

    Raises:
        CadsightError: for an unknown name.
    """
    if name == "raster":
        if threads:
            # Mesa reads it when it draws for the first time.
            os.environ.setdefault("LP_NUM_THREADS", str(threads))
        from cadsight_synthesis.rendering.raster.engine import RasterEngine

        return RasterEngine()
    if name == "cycles":
        from cadsight_synthesis.rendering.cycles.engine import CyclesEngine

        return CyclesEngine(threads)
    raise CadsightError(f"the engine is {name!r}, expected one of {', '.join(ENGINES)}")


def kept_engine(name: str, threads: int = 0) -> Engine:
    """This thread's engine of that name, made when it is first asked for and kept until :func:`close_kept`."""
    engines: dict[str, Engine] = _kept.__dict__.setdefault("engines", {})
    if name not in engines:
        engines[name] = make_engine(name, threads)
    return engines[name]


def close_kept() -> None:
    """Close this thread's engines."""
    for engine in _kept.__dict__.pop("engines", {}).values():
        engine.close()
