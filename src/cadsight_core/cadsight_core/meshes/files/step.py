"""STEP, turned into triangles by OpenCASCADE."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files.gltf import read_glb
from cadsight_core.meshes.files.step_assembly import joined
from cadsight_core.meshes.source import Source
from cadsight_core.meshes.triangles import Triangles

# Largest distance of triangles to the surface in millimetres, and their angle at a round one.
_DEFLECTION_MM, _DEFLECTION_RAD = 0.01, 0.5
_TIMEOUT_S = 600.0
# Our bracket, 124 kB, takes one second; a line of no length in 13 kB takes a minute.
_PROCESSOR_S, _PROCESSOR_S_A_MEGABYTE = 9, 60
# OpenCASCADE prints faults on the terminal, and dies of some: it has a process of its own.
_PROCESS = """
import resource, sys, cascadio
seconds = int(sys.argv[5])
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
data = cascadio.to_glb_bytes(open(sys.argv[1], "rb").read(), cascadio.FileType.STEP, tol_linear=float(sys.argv[3]),
                             tol_angular=float(sys.argv[4]))
open(sys.argv[2], "wb").write(data)
"""


def read_step(source: Source) -> Triangles:
    """All solids and surfaces of the file, and of those beside it that it names, in metres.

    Raises:
        CadsightError: for a file that is no STEP, is cut off, needs one that is missing, or that OpenCASCADE does not
            read.
    """
    return read_glb(Source(source.path, _triangulated(joined(source))))


def _triangulated(data: bytes) -> bytes:
    """A GLB of a STEP file."""
    with tempfile.TemporaryDirectory(prefix="cadsight_step_") as folder:
        there, made = Path(folder) / "part.step", Path(folder) / "part.glb"
        there.write_bytes(data)
        seconds = max(_PROCESSOR_S, round(_PROCESSOR_S_A_MEGABYTE * len(data) / 1e6))
        words = map(str, (there, made, _DEFLECTION_MM, _DEFLECTION_RAD, seconds))
        command = [sys.executable, "-c", _PROCESS, *words]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=_TIMEOUT_S,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CadsightError(f"OpenCASCADE was not done with it after {_TIMEOUT_S:g} s") from error
        if done.returncode == -signal.SIGXCPU:
            raise CadsightError(f"OpenCASCADE was not done with it after {seconds} s, expected a whole file")
        if done.returncode or not made.is_file() or not made.stat().st_size:
            errors = [
                line for line in (done.stdout + done.stderr).decode("utf-8", "replace").splitlines() if line.strip()
            ]
            raise CadsightError(
                f"OpenCASCADE does not read it: {errors[-1].strip() if errors else 'it gives no surface'}"
            )
        return made.read_bytes()
