"""How long each strategy takes to choose images of a large pool, and how much memory."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from cadsight_active.candidates import Candidates
from cadsight_active.options import SelectionOptions
from cadsight_active.selection import select
from cadsight_active.strategies.registry import STRATEGIES
from cadsight_core.config.parameters import check, parameter

Show = Callable[[str, dict[str, Any]], None]

_CLASSES = 12


@dataclass(frozen=True)
class SelectionBenchmark:
    """Images of one detection each with random scores and features, in a process of its own for each strategy."""

    images: int = parameter(1_000_000, "images to choose from", minimum=1000, maximum=100_000_000)
    features: int = parameter(256, "features of each image, and of its object", minimum=1, maximum=4096)
    k: int = parameter(100, "images to choose", minimum=1, maximum=1000)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Seconds by the clock and of the processor, and the most memory that the process had, its input included."""
        context = multiprocessing.get_context("spawn")
        speeds = {}
        for name in (one.name for one in STRATEGIES.ours):
            # A worker that the system kills for its memory is told of, which a multiprocessing pool would wait for.
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                speeds[name] = pool.submit(_measured, name, self).result()
            show(name, speeds[name])
        return speeds


def _measured(name: str, size: SelectionBenchmark) -> dict[str, Any]:
    needs = STRATEGIES.named(name).needs
    candidates = _random(size, needs)
    began, cpu = time.monotonic(), time.process_time()
    select(candidates, SelectionOptions(name, k=size.k))
    return {
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - cpu,
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "images": size.images,
    }


def _random(size: SelectionBenchmark, needs: frozenset[str]) -> Candidates:
    rng = np.random.default_rng(0)

    def features(need: str) -> Any:
        return rng.standard_normal((size.images, size.features), np.float32) if need in needs else None

    objects = features("object_features")
    return Candidates(
        tuple(map(str, range(size.images))),
        np.zeros(size.images, bool),
        np.ones(size.images, np.int64),
        rng.uniform(0.05, 1, (size.images, _CLASSES)).astype(np.float32),
        np.zeros((size.images, 4), np.float32),
        np.zeros((size.images, 0), np.float32) if objects is None else objects,
        features("image_features"),
        features("common_features"),
        np.full(_CLASSES, 0.5),
    )
