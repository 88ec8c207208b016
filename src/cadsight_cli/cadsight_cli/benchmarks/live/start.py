"""How long the perception node takes from its start to its first result, and the most memory that it holds."""

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cadsight_core.config.parameters import check, parameter

from cadsight_cli.benchmarks.live.perception import FPS, Camera, perception, random_models, wait

Show = Callable[[str, dict[str, Any]], None]
# The node looks for so long after its first result, until its memory is what it stays.
_INFERENCE_S = 30 / FPS


@dataclass(frozen=True)
class StartBenchmark:
    """Starts the node with YOLO11 nano and a regressor of normals beside a camera that runs already.

    The first start makes the exports and finds no file in memory; it is reported separately.
    """

    runs: int = parameter(5, "starts that are measured, after a first one", minimum=1)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Of the first start and of the others the seconds from the process's start to the first result, and the peak
        memory of the process in MB (10^6 bytes, pages that it shares with others included)."""
        with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as scratch:
            folder = Path(scratch)
            models = random_models(folder / "models")
            first = _start(models, folder / "log")
            found = {"first start": {"seconds": first[0], "peak_mb": first[1]}}
            show("first start", found["first start"])
            starts = [_start(models, folder / "log") for _ in range(self.runs)]
        seconds, peaks = zip(*starts, strict=True)
        found["start"] = {
            "seconds": median(seconds),
            "slowest_s": max(seconds),
            "peak_mb": median(peaks),
            "largest_peak_mb": max(peaks),
        }
        show("start", found["start"])
        return found


def _start(models: Path, log: Path) -> tuple[float, float]:
    from cadsight_ros.domains import claimed_domain

    with claimed_domain() as domain:
        camera = Camera(domain)
        try:
            wait(camera.films.is_set, "the camera", lambda: camera.status)
            began = time.monotonic()
            with perception(domain, models, log) as node:
                wait(camera.inferred.is_set, "the perception node", node.poll)
                took = time.monotonic() - began
                time.sleep(_INFERENCE_S)
                return took, _peak_mb(node.pid)
        finally:
            camera.close()


def _peak_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6
