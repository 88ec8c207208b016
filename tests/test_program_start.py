"""Each program of ours says at once that it starts, and ends quietly when it is told to before it is there."""

import signal
import subprocess
import sys

import pytest
from cell_nodes import ROOT

PACKAGES = ("cadsight_camera", "cadsight_cell", "cadsight_capture", "cadsight_perception", "cadsight_loop")
PROGRAMS = sorted(path for package in PACKAGES for path in ROOT.glob(f"install/*/lib/{package}/*"))


def test_every_program_is_tried():
    assert len(PROGRAMS) == 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_a_program_that_is_told_to_end_while_it_imports_says_that_it_starts_and_nothing_more(path, number):
    process = subprocess.Popen([path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(number)
    rest, _ = process.communicate()
    assert first.startswith(f"starts {path.parent.name}.{path.name}")
    assert (process.returncode, rest) == (0, "")


@pytest.mark.parametrize("package", PACKAGES)
def test_what_takes_long_to_import_comes_after_the_first_line(package):
    words = f"import sys, {package}.programs; print(sorted({{'numpy', 'rclpy', 'torch'}} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"
