"""Whether waiting threads sleep, asked of the libraries themselves in processes of their own."""

import os
import subprocess
import sys

import pytest
from cadsight_core.running.threads import sleep_while_waiting

OURS = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "OPENCV_")
# A call that takes two threads, then 60 ms in which nothing is to be done: the processor time spent there, in ms.
IDLE = """
import time
def idle():
    call()
    before = time.process_time()
    time.sleep(0.06)
    return (time.process_time() - before) * 1e3
print(sorted(idle() for _ in range(9))[4])
"""
CALLS = {
    "numpy": "import numpy\nmatrix = numpy.ones((600, 600))\ncall = lambda: matrix @ matrix\n",
    "scipy": "import numpy, scipy.linalg as la\nmatrix = numpy.random.rand(600, 600)\ncall = lambda: la.lu(matrix)\n",
    "torch": (
        "import torch\ntorch.set_num_threads(2)\nlayer = torch.nn.Conv2d(32, 32, 3)\n"
        "call = lambda: layer(torch.rand(8, 32, 64, 64))\n"
    ),
}


def printed(script: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("library", CALLS)
def test_threads_use_no_processor_between_two_calls(library):
    assert float(printed("import cadsight_core\n" + CALLS[library] + IDLE)) < 2


def test_who_sets_one_of_a_group_has_chosen_the_group():
    environment = {"GOMP_SPINCOUNT": "1000", "OPENBLAS_THREAD_TIMEOUT": "20"}
    sleep_while_waiting(environment)
    assert environment == {
        "GOMP_SPINCOUNT": "1000",
        "OPENBLAS_THREAD_TIMEOUT": "20",
        "OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER": "0",
        "OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN": "0",
    }
