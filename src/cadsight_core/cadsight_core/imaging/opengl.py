"""Drawing beside torch, and one error where nothing can be drawn: MuJoCo and PyOpenGL fail in many ways."""

import contextlib
import os
import sys
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


def keep_triton_out() -> None:
    """Make the import of triton fail in this process, unless it is loaded; to be called before a context is made.

    Mesa draws by an LLVM whose symbols everything that is loaded later takes, and triton, with an LLVM of its own, then
    crashes the process at its import. Torch imports it from its optimisers, on processors too, and does without where
    it is missing; it only serves compiled networks on a GPU, which nothing here makes. Loaded before, each has its own.
    """
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
