"""The commands of each page of docs: all of them are words that the program takes, and in the order of their page they
run in one folder, made small by a table.

Those that need a cell, Blender, a hub or other people's photographs are not run here; what runs for long is run where
somebody asks for it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from cadsight_cli.main import build_parser, main
from page_material import RECIPE, ROOT, drawn, session

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PARSER = build_parser([])


def commands(page: Path) -> Iterator[str]:
    """The commands of a page: indented lines that begin with cadsight, put together where a backslash divides them."""
    text = re.sub(r" \\\n\s+", " ", page.read_text())
    for line in text.splitlines():
        found = re.fullmatch(r"    (?:\$ )?cadsight (.+?)(?:\s+#.*)?", line)
        # What the program says begins so too.
        if found:
            yield found[1]


def words(command: str) -> list[str]:
    """The words of a command: options in brackets are given, of alternatives the first, N is a number."""
    given = [word.strip("[]") for word in shlex.split(command) if word != "..."]
    given = [word.split("|")[0] if re.fullmatch(r"[a-z|]+", word) else word for word in given]
    return ["3" if word == "N" else word for word in given]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.stem)
def test_every_command_of_a_page_is_one_that_the_program_takes(page: Path) -> None:
    for command in commands(page):
        if command.startswith("train normals ..."):
            continue
        try:
            PARSER.parse_args(words(command))
        except Exception as error:  # the command belongs to the sentence
            pytest.fail(f"{page.name}: cadsight {command}: {error}")


def test_the_commands_are_found() -> None:
    assert sum(1 for page in DOCS for _ in commands(page)) > 70


# A number that an option has on a page, and the one that it has here.
SMALLER = {
    "--count": "4", "--epochs": "1", "--pictures": "8", "--image-size": "64", "--batch": "2", "--engine": "raster",
    "--copies": "1", "--boxes": "200",
}  # fmt: skip
# What a command is given besides, by how it begins.
BESIDES = {
    "train detector": ["--epochs", "1", "--image-size", "64", "--batch", "2"],
    "train base": ["--image-size", "64", "--batch", "2"],
    "train normals": ["--epochs", "1", "--image-size", "32", "--batch", "2"],
    "experiment sets": ["--detector", "epochs=1", "--detector", "image_size=64"],
    "experiment sets (?!.*--no-normals)": ["--normals", "epochs=1", "--normals", "image_size=32"],
    "benchmark evaluation": ["--boxes", "200"],
    "benchmark inference": ["--runs", "1"],
    "benchmark selection": ["--images", "1000"],
    "benchmark gate": ["--trials", "1"],
    "benchmark shift": ["--windows", "1", "--deployments", "1", "--trials", "1", "--calibration", "40"],
    "benchmark swaps": ["--frames", "20", "--swaps", "1"],
    "benchmark motions": ["--count", "3"],
    "synthesize config": ["--engine", "raster"],
    "train generator": ["--scale", "smoke", "--images-seen", "8", "--width", "4", "--sheet-images", "4"],
    "train generator .*--pretrain": ["--pretrain-images-seen", "8"],
    "train generator .*--pretrain-part": ["--pretrain-images", "6"],
}
# Not without a cell, Blender, datumaro, a hub, or a machine of another size.
NOT_HERE = re.compile(
    r"launch |approach|benchmark approach|capture |label |live |record |replay |demo |loop |doctor|"
    r"train detector .*(yolo26|hub)|.*ADDRESS|"
    r"train normals (\.\.\.|.*plate.yaml)|part add|data convert .*--with"
)


@dataclass(frozen=True)
class Page:
    """How the commands of a page are run: which of them, and what stands for a name on it."""

    name: str
    names: Mapping[str, str]
    only: str = ".*"
    long: bool = False


ALL = "CADSIGHT_ALL_EXPERIMENTS"
PAGES = [
    Page("active-learning", {"detector": "runs/demo/models/detector"}),
    Page("data", {"VIDEO": "bench.avi", "SRC": "photos", "DST": "converted", "DIR": "photos"}),
    Page("evaluation", {"runs/demo/sessions/train/labelled:20": "runs/demo/sessions/train/labelled:8"}),
    Page(
        "generation",
        {"bracket.yaml": str(ROOT / "config/parts/bracket.yaml"), "bin.yaml": "config/recipes/views.yaml"}
        | {"CYLINDERS": "photos"},
    ),
    Page(
        "capture",
        {"runs/mine/bracket/train": "runs/demo/sessions/train"},
        "compose",
    ),
    Page(
        "synthesis",
        {
            "DIR": "photos",
            "MASKS": "masks",
            "RECIPE.yaml": "config/recipes/views.yaml",
            "PAGE.html": "page.html",
            "FILE": "found.json",
            "YAML": "more.yaml",
        },
        "(synthesize (preview|check|config)|data)",
    ),
    Page(
        "learning",
        {"SESSION:20": "photos:4", "SESSION:60": "photos:8", "SESSION": "photos", "TEST": "other-photos"}
        | {"DIR": "photos", "synthetic/twin": "third-photos"},
        long=True,
    ),
]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages' commands name: small sets, a run with its models, recipes, a video, masks."""
    folder = tmp_path_factory.mktemp("pages")
    for name, seed in (("photos", 1), ("other-photos", 2), ("third-photos", 3)):
        drawn(folder, name, seed)
    run = folder / "runs/demo"
    for split, name in (("train", "photos"), ("valid", "third-photos"), ("test", "other-photos")):
        session(folder / name, run / "sessions" / split)
    background = str(run / "sessions/train/background.png")
    composed = ["compose", "--from", str(folder / "photos"), "--background", background, "--count", "4"]
    assert main([*composed, "--out", str(run / "composed")]) == 0
    short = ["--data", str(run / "sessions/train/labelled"), "--batch", "4", "--epochs", "1", "--track", "none"]
    for kind, size in (("detector", "64"), ("normals", "32")):
        assert main(["train", kind, *short, "--image-size", size, "--out", str(run / "models" / kind)]) == 0
    (folder / "config" / "recipes").mkdir(parents=True)
    for recipe in ("views", "box"):
        text = RECIPE.format(kind="views", seed=4, root=ROOT)
        (folder / "config" / "recipes" / f"{recipe}.yaml").write_text(text)
    (folder / "masks").mkdir()
    for image in sorted((folder / "photos" / "images").iterdir()):
        mask = np.zeros((64, 96), np.uint8)
        cv2.rectangle(mask, (20, 10), (60, 50), 255, -1)
        cv2.imwrite(str(folder / "masks" / image.name), mask)
    cv2.imwrite(str(folder / "background.png"), np.full((64, 96, 3), 200, np.uint8))
    (folder / "more.yaml").write_text("rotation_deg: 5.0\n")
    video = cv2.VideoWriter(str(folder / "bench.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for shade in range(8):
        video.write(np.full((48, 64, 3), 30 * shade, np.uint8))
    video.release()
    return folder


def small(command: str, page: Page, number: int) -> list[str]:
    """The words of a command of a page, its names those of what is here and its numbers small."""
    for name, ours in page.names.items():
        # What is written goes to a place of its own.
        command = re.sub(rf"(?<=--out ){re.escape(name)}(?!\S)", f"written/{page.name}-{number}", command)
        command = re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", ours, command)
    given = words(command)
    given = [SMALLER.get(before, word) for before, word in zip(["", *given], given, strict=False)]
    beside = (more for beginning, more in BESIDES.items() if re.match(beginning, command))
    return [*given, *(word for more in beside for word in more)]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page,
            id=page.name,
            marks=pytest.mark.skipif(page.long and not os.environ.get(ALL), reason=f"{ALL} is not set"),
        )
        for page in PAGES
    ],
)
def test_the_commands_of_a_page_run_one_after_the_other(page: Page, material: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(material)
    run = [c for c in commands(ROOT / "docs" / f"{page.name}.md") if re.match(page.only, c) and not NOT_HERE.match(c)]
    assert run
    for number, command in enumerate(run):
        given = small(command, page, number)
        status = main(given)
        captured = capsys.readouterr()
        # A check that finds something ends with 1, a conversion that leaves something out, and a gate that keeps.
        may_end_with_1 = {"check", "convert", "gate"} & set(given)
        assert status == 0 or (status == 1 and may_end_with_1), f"cadsight {shlex.join(given)}: {captured}"
        assert "Traceback" not in captured.err
