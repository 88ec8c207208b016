"""How the threads of the libraries that compute wait for each other: asleep, not spinning."""

import os
from collections.abc import MutableMapping

# A library reads its settings when it is loaded. By default OpenMP's threads (torch) spin for milliseconds after each
# loop, OpenBLAS's (NumPy, SciPy) for 20 to 40 ms and OpenCV's for half of one; where another process wants the same
# processor, that one waits for the spinning and the spinning for that one. Groups: who sets one of a group has chosen.
_ASLEEP: tuple[dict[str, str], ...] = (
    # GNU's (torch's wheels), then Intel's; GNU's count alone wins over the policy, hence one group.
    {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"},
    # Two to the power of this, in processor cycles; 4 is the least that it takes.
    {"OPENBLAS_THREAD_TIMEOUT": "4"},
    {"OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER": "0", "OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN": "0"},
)


def sleep_while_waiting(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads sleep while they wait, in this process and those that it starts; what the user has set stays.

    Has to come before torch, NumPy and OpenCV are loaded. ONNX Runtime is configured where its sessions are made, and
    OpenVINO's threads (TBB) sleep by themselves.
    """
    for group in _ASLEEP:
        if not any(name in environment for name in group):
            environment.update(group)
