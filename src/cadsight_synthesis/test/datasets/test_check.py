"""The check passes labels that are right and tells those that are a little wrong."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_synthesis.datasets.augmented import write_augmented_set
from cadsight_synthesis.datasets.check import check
from cadsight_synthesis.datasets.export import export
from cadsight_synthesis.datasets.page import write_page
from cadsight_synthesis.image_ops.augmentation import AugmentationParameters
from cadsight_synthesis.recipes.reader import read_recipe
from hand_made import rendered_set

RECIPE = """kind: randomised
seed: 3
parts: [{part}]
image: {{width: 320, height: 240, distortion: 0.1, off_centre: 0.02}}
placement: {{count: [1, 2]}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("check")
    (folder / "lot.yaml").write_text(RECIPE.format(part=Path(__file__).parents[4] / "config/parts/bracket.yaml"))
    dataset = rendered_set(read_recipe(folder / "lot.yaml"), "raster", 12, folder / "set")  # type: ignore[arg-type]
    export(dataset, ["regression"])
    return dataset


def changed(made: Dataset, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the set in which every label was changed."""
    folder.mkdir()
    shutil.copytree(made.folder / "images", folder / "images")
    shutil.copytree(made.folder / "parts", folder / "parts")
    shutil.copyfile(made.folder / "dataset.json", folder / "dataset.json")
    lines = []
    for line in (made.folder / "manifest.jsonl").read_text().splitlines():
        sample = json.loads(line)
        for label in sample["instances"]:
            change(label)
        lines.append(json.dumps(sample))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_what_was_drawn_agrees_with_the_meshes_and_the_files(made: Dataset, tmp_path: Path) -> None:
    calls = []
    report = check(
        made.folder, 30, progress=lambda items, total, what: (calls.append((i, total, what)) or i for i in items)
    )
    assert report.problems == ()
    assert len(report.figures) == 12
    assert len(calls) == 12
    assert len(report.findings) >= 12
    assert sum(f.free for f in report.findings) >= 5
    assert all(f.mask_px <= 1 and f.box_px <= 1 and f.normal_deg < 0.01 for f in report.findings)
    assert report.facts["Verdict"] == "labels and meshes agree"
    assert report.to_json()["problems"] == []
    page = write_page(tmp_path / "page.html", "A <check>", report.facts, report.figures).read_text()
    assert page.count("data:image/jpeg;base64,") == 12
    assert "A &lt;check&gt;" in page
    assert "http" not in page


def test_the_choice_is_the_seeds(made: Dataset) -> None:
    chosen = [tuple(f.sample for f in check(made.folder, 4, seed).findings) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def _box(label: dict[str, Any]) -> None:
    label["attributes"]["full_box"][2] += 2.6


def _turn(label: dict[str, Any]) -> None:
    label["normal"] = (Pose.from_rotvec([0.0, 0.02, 0.0]).rotation @ label["normal"]).tolist()


def _pose(label: dict[str, Any]) -> None:
    label["camera_from_part"]["translation_m"][0] += 0.02 * label["camera_from_part"]["translation_m"][2]


def _mask(label: dict[str, Any]) -> None:
    # Runs go down the columns: the whole mask moves down by three pixels.
    label["mask"]["counts"][0] += 3
    label["mask"]["counts"][-1] -= 3


@pytest.mark.parametrize(
    ("change", "words"),
    [(_box, "the box is"), (_turn, "the normal is"), (_pose, "the mask is"), (_mask, "the mask is")],
    ids=["box of 2.6 px", "normal of 1.1 degrees", "pose of 2 %", "mask of 3 px"],
)
def test_a_small_error_of_each_kind_is_told(
    made: Dataset, tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    report = check(changed(made, tmp_path / "set", change), 30)
    assert report.problems
    assert words in report.problems[0]
    assert any(figure.wrong for figure in report.figures)


def test_a_normal_that_the_regression_file_tells_otherwise_is_told(made: Dataset, tmp_path: Path) -> None:
    folder = changed(made, tmp_path / "set", lambda label: None)
    (folder / "regression").mkdir()
    where = next(p for p in (made.folder / "regression").rglob("labels.txt"))
    for image in where.parent.glob("*.png"):
        shutil.copyfile(image, folder / "regression" / image.name)
    lines = where.read_text().splitlines()
    turned = []
    for line in lines[1:]:
        *head, u, v, w = line.split()
        turned.append(" ".join([*head, u, str(-float(v)), w]))
    (folder / "regression/labels.txt").write_text("\n".join([lines[0], *turned]) + "\n")
    assert any("the normal is" in p for p in check(folder, 30).problems)


def test_what_cannot_be_checked_is_told(made: Dataset, tmp_path: Path) -> None:
    with pytest.raises(CadsightError, match="holds no data set"):
        check(tmp_path)
    Dataset.create(tmp_path / "bare", ["bracket"])
    with pytest.raises(CadsightError, match="has no parts/"):
        check(tmp_path / "bare")
    with pytest.raises(CadsightError, match="0 of 12 images"):
        check(made.folder, 0)
    blind = changed(made, tmp_path / "set", lambda label: label.pop("mask"))
    with pytest.raises(CadsightError, match="has a label with mask and pose"):
        check(blind)


def test_findings_that_are_no_number_are_problems(made: Dataset) -> None:
    finding = check(made.folder, 1).findings[0]
    assert finding.problem is None
    assert dataclasses.replace(finding, box_px=np.nan).problem is not None


def test_turned_and_shifted_copies_agree_with_the_meshes_too(made: Dataset, tmp_path: Path) -> None:
    # Not enlarged: the pixel by which a mask may be off would be enlarged too.
    wild = AugmentationParameters(rotation_deg=180.0, flip_vertical=0.5, zoom=1.0, crop=0.0, shift=0.3)
    copies = write_augmented_set(made.folder, tmp_path / "copies", 3, wild, originals=False)
    report = check(copies.folder, 36)
    assert report.problems == ()
    assert len(report.findings) >= 8  # mirror images have no pose to compare with
