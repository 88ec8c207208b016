"""Rendering on the workers of a Dask scheduler, each a process that was started apart."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_synthesis.recipes.base import SceneRecipe
from cadsight_synthesis.recipes.reader import read_recipe
from hand_made import rendered_set

PART = Path(__file__).parents[4] / "config/parts/bracket.yaml"
RECIPE = f"""kind: views
parts: [{PART}]
views_per_scene: 2
image: {{width: 96, height: 72}}
"""
COUNT = 40


class Machines:
    """A scheduler and its workers, as `dask scheduler` and `dask worker` start them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        file = folder / "scheduler.json"
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        self._all = [self._start(words, "scheduler")]
        wait_for(lambda: file.exists() and file.read_text().strip())
        self.address = str(json.loads(file.read_text())["address"])

    def worker(self, name: str) -> "subprocess.Popen[bytes]":
        """One without a nanny: nobody starts it again."""
        words = ["worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name]
        started = self._start([*words, "--local-directory", str(self._folder)], name)
        log = self._folder / f"{name}.log"
        wait_for(lambda: "Registered to" in log.read_text())
        return started

    def end(self) -> None:
        for process in reversed(self._all):
            process.kill()
            process.wait()

    def _start(self, words: list[str], name: str) -> "subprocess.Popen[bytes]":
        with open(self._folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log, stderr=log)
        if name != "scheduler":
            self._all.append(process)
        return process


def wait_for(condition, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    started = Machines(tmp_path)
    yield started
    started.end()


@pytest.fixture
def recipe(tmp_path: Path) -> SceneRecipe:
    (tmp_path / "sweep.yaml").write_text(RECIPE)
    read = read_recipe(tmp_path / "sweep.yaml")
    assert isinstance(read, SceneRecipe)
    return read


def test_a_lost_worker_loses_no_image(machines: Machines, recipe: SceneRecipe, tmp_path: Path) -> None:
    workers = [machines.worker("first"), machines.worker("second")]
    found: list[Dataset] = []

    def make() -> None:
        found.append(rendered_set(recipe, "raster", COUNT, tmp_path / "cluster", cluster=machines.address))

    def lines() -> int:
        manifest = tmp_path / "cluster/manifest.jsonl"
        return manifest.read_bytes().count(b"\n") if manifest.exists() else 0

    making = threading.Thread(target=make)
    making.start()
    wait_for(lambda: lines() >= 3)
    workers[0].send_signal(signal.SIGKILL)
    workers[0].wait()
    assert lines() < COUNT
    making.join(180)
    assert not making.is_alive()
    alone = rendered_set(recipe, "raster", COUNT, tmp_path / "alone")
    assert found[0].fingerprint() == alone.fingerprint()
    assert "Lost all workers" not in (tmp_path / "scheduler.log").read_text()


def test_a_scheduler_without_workers_is_told_and_a_set_goes_on_elsewhere(
    machines: Machines, recipe: SceneRecipe, tmp_path: Path
) -> None:
    with pytest.raises(CadsightError, match=f"the Dask scheduler at {machines.address} has no worker"):
        rendered_set(recipe, "raster", 4, tmp_path / "set", cluster=machines.address)
    machines.worker("only")
    rendered_set(recipe, "raster", 3, tmp_path / "set", cluster=machines.address)
    both = rendered_set(recipe, "raster", 6, tmp_path / "set")
    assert both.fingerprint() == rendered_set(recipe, "raster", 6, tmp_path / "alone").fingerprint()
