"""What is said where nothing can be drawn: MuJoCo and PyOpenGL fail in many ways, some of them at their import."""

import contextlib
import os
from collections.abc import Iterator

from cadsight_core.errors import CadsightError


@contextlib.contextmanager
def needing_opengl() -> Iterator[None]:
    """Import MuJoCo or make its context in the body.

    Raises:
        CadsightError: naming what OpenGL was asked for, what it said, and what to install, whatever was raised.
    """
    try:
        yield
    # Without libEGL PyOpenGL looks for attributes of None; MuJoCo refuses a wrong MUJOCO_GL with a RuntimeError.
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        raise CadsightError(
            f"OpenGL cannot draw with MUJOCO_GL={os.environ.get('MUJOCO_GL', '')}: {' '.join(str(error).split())}; "
            "expected MUJOCO_GL=egl and its libraries: sudo apt-get install libegl1 libgl1-mesa-dri (cadsight doctor)"
        ) from error
