"""A set of images is the same bytes however it was made, and whoever was killed while it was made."""

import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.lens import is_possible
from cadsight_core.parts.part import load_part_mesh, load_parts
from cadsight_synthesis.recipes.base import ImageParameters, SceneRecipe
from cadsight_synthesis.recipes.reader import read_recipe
from hand_made import bracket, rendered_set

RECIPE = """kind: views
seed: 5
parts: [{part}]
views_per_scene: 3
image: {{width: 96, height: 72}}
"""
WRITER = """
import sys
from cadsight_synthesis.datasets.rendered import images_of, write_set
from cadsight_synthesis.recipes.reader import read_recipe
if __name__ == "__main__":
    recipe, count, out, workers = read_recipe(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    write_set(images_of(recipe, "raster", workers), count, out, workers=workers)
"""


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "sweep.yaml"
    path.write_text(RECIPE.format(part=Path(__file__).parents[4] / "config/parts/bracket.yaml"))
    return path


@pytest.fixture(scope="module")
def recipe(recipe_file: Path) -> SceneRecipe:
    read = read_recipe(recipe_file)
    assert isinstance(read, SceneRecipe)
    return read


@pytest.fixture(scope="module")
def whole(recipe: SceneRecipe, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Ten images, made by this process at once."""
    return rendered_set(recipe, "raster", 10, tmp_path_factory.mktemp("whole") / "set")


def started(recipe_file: Path, count: int, out: Path, workers: int) -> "subprocess.Popen[bytes]":
    script = out.parent / "writer.py"
    script.write_text(WRITER)
    return subprocess.Popen([sys.executable, str(script), str(recipe_file), str(count), str(out), str(workers)])


def wait_for(condition, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.01)


def lines(folder: Path) -> int:
    manifest = folder / "manifest.jsonl"
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_set_has_its_names_splits_records_and_parts(whole: Dataset, recipe: SceneRecipe) -> None:
    assert whole.names[0] == "sweep-5-000000"
    assert whole.names[9] == "sweep-5-000009"
    sample = whole["sweep-5-000004"]
    assert sample.split == "train"
    assert sample.origin == "synthetic"
    assert sample.record["scene"] == 1
    assert sample.record["view"] == 1
    assert sample.record["engine"] == "raster"
    assert whole.image(sample).shape == (72, 96, 3)
    (part,) = load_parts(whole.folder / "parts")
    given = bracket()
    assert (part.name, part.point_of_interest, part.colour) == (given.name, given.point_of_interest, given.colour)
    np.testing.assert_allclose(load_part_mesh(part).extents, load_part_mesh(given).extents, atol=1e-7)


def test_a_set_that_is_continued_is_the_set_made_at_once(whole: Dataset, recipe: SceneRecipe, tmp_path: Path) -> None:
    # Four images end in the middle of a scene of three.
    rendered_set(recipe, "raster", 4, tmp_path / "set")
    again = rendered_set(recipe, "raster", 10, tmp_path / "set")
    assert again.fingerprint() == whole.fingerprint()
    before = (tmp_path / "set/manifest.jsonl").stat().st_mtime_ns
    assert len(rendered_set(recipe, "raster", 7, tmp_path / "set")) == 10
    assert (tmp_path / "set/manifest.jsonl").stat().st_mtime_ns == before


def test_two_processes_make_the_same_bytes_as_one(whole: Dataset, recipe: SceneRecipe, tmp_path: Path) -> None:
    calls = []
    made = rendered_set(
        recipe, "raster", 10, tmp_path / "set", workers=2,
        progress=lambda items, total, what: (calls.append((total, what, p.sample["name"])) or p for p in items),
    )  # fmt: skip
    assert made.fingerprint() == whole.fingerprint()
    assert [s[:2] for s in calls] == [(10, "images")] * 10


def test_killed_again_and_again_it_ends_with_the_bytes_of_one_run(
    whole: Dataset, recipe_file: Path, recipe: SceneRecipe, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    for workers, until in ((1, 2), (2, 5)):
        process = started(recipe_file, 10, out, workers)
        try:
            wait_for(lambda until=until: lines(out) >= until)
            inner = children(process.pid)
        finally:
            process.kill()
            process.wait()
        assert lines(out) < 10
        # Nobody goes on drawing for a process that is gone.
        wait_for(lambda inner=inner: not any(Path(f"/proc/{pid}/exe").exists() for pid in inner), 20)
    assert rendered_set(recipe, "raster", 10, out).fingerprint() == whole.fingerprint()


def test_a_killed_worker_costs_no_image(recipe_file: Path, recipe: SceneRecipe, tmp_path: Path) -> None:
    out, count = tmp_path / "set", 60
    process = started(recipe_file, count, out, 2)
    try:
        for until in (3, 20):
            wait_for(lambda until=until: lines(out) >= until)
            workers = [p for p in children(process.pid) if b"loky" in Path(f"/proc/{p}/cmdline").read_bytes()]
            os.kill(workers[-1], signal.SIGKILL)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()
    expected = rendered_set(recipe, "raster", count, tmp_path / "alone")
    assert Dataset.open(out).fingerprint() == expected.fingerprint()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 6}, "with seed 5, not 6"),
        ({"views_per_scene": 2}, "by another version of the recipe"),
    ],
)
def test_another_recipe_in_the_same_folder_is_refused(
    whole: Dataset, recipe: SceneRecipe, change: dict, words: str
) -> None:
    with pytest.raises(CadsightError, match=f"was made {words}, expected a new folder"):
        rendered_set(replace(recipe, **change), "raster", 12, whole.folder)
    assert len(whole) == 10


def test_a_set_that_no_recipe_made_and_bad_counts_are_refused(recipe: SceneRecipe, tmp_path: Path) -> None:
    Dataset.create(tmp_path / "other", recipe.classes)
    with pytest.raises(CadsightError, match="was made by something else than a recipe"):
        rendered_set(recipe, "raster", 1, tmp_path / "other")
    with pytest.raises(CadsightError, match="0 images were asked for"):
        rendered_set(recipe, "raster", 0, tmp_path / "set")
    with pytest.raises(CadsightError, match="0 workers were asked for"):
        rendered_set(recipe, "raster", 1, tmp_path / "set", workers=0)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_sentence_and_the_set_goes_on_later(
    whole: Dataset, recipe: SceneRecipe, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "set"
    rendered_set(recipe, "raster", 2, out)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The manifest is two lines long; a third does not fit.
        resource.setrlimit(resource.RLIMIT_FSIZE, ((out / "manifest.jsonl").stat().st_size + 20, limits[1]))
        with pytest.raises(CadsightError, match=r"(manifest.jsonl|png) could not be (extended|written)"):
            rendered_set(recipe, "raster", 10, out, workers=workers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(Dataset.open(out)) == 2
    assert rendered_set(recipe, "raster", 10, out).fingerprint() == whole.fingerprint()


def test_an_error_in_a_worker_is_the_users_sentence(recipe: SceneRecipe, tmp_path: Path) -> None:
    broken = replace(recipe, parts=(replace(recipe.parts[0], mesh=str(tmp_path / "gone.stl")),))
    (tmp_path / "set").mkdir()
    with pytest.raises(CadsightError, match=r"gone.stl does not exist"):
        rendered_set(broken, "raster", 4, tmp_path / "set", workers=2)
    assert list((tmp_path / "set").iterdir()) == []  # so that the recipe, once it is right, may be used there
    assert len(rendered_set(recipe, "raster", 1, tmp_path / "set")) == 1


def test_every_lens_that_a_recipe_draws_is_possible() -> None:
    wide = ImageParameters(160, 120, field_of_view_deg=(70.0, 120.0), distortion=0.3, off_centre=0.1)
    cameras = [wide.camera(np.random.default_rng(seed)) for seed in range(200)]
    assert all(is_possible(camera) for camera in cameras)
    assert all(camera.distortion for camera in cameras)
