"""The commands of docs/experiments.md as the page has them, each in a process of its own, on small images."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from page_material import RECIPE, ROOT, drawn, session

PAGE = (ROOT / "docs" / "experiments.md").read_text()
# The first indented block, a command a line.
COMMANDS = re.search(r"(?:^    cadsight experiment .+\n)+", PAGE, re.MULTILINE).group().splitlines()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the page's commands name."""
    folder = tmp_path_factory.mktemp("page")
    for name, seed in (("photos", 1), ("other-photos", 2), ("photos-with-masks", 3)):
        drawn(folder, name, seed)
    for split, name in (("train", "photos"), ("test", "other-photos")):
        session(folder / name, folder / "runs/demo/sessions" / split)
    # In the places of those that the page names, and smaller.
    (folder / "config" / "recipes").mkdir(parents=True)
    for kind in ("views", "weather"):
        (folder / "config" / "recipes" / f"{kind}.yaml").write_text(RECIPE.format(kind=kind, seed=4, root=ROOT))
    return folder


# Half a minute of a processor each, Mask R-CNN more: the first one always, all of them where somebody asks for it.
ALL = "CADSIGHT_ALL_EXPERIMENTS"
CASES = [
    pytest.param(
        line,
        id=line.split()[2],
        marks=pytest.mark.skipif(number > 0 and not os.environ.get(ALL), reason=f"{ALL} is not set"),
    )
    for number, line in enumerate(COMMANDS)
]


@pytest.mark.parametrize("command", CASES)
def test_a_command_of_the_page_ends_well_in_a_fresh_process(material: Path, command: str) -> None:
    words = [sys.executable, "-X", "faulthandler", "-m", "cadsight_cli", *command.split()[1:], "--scale", "smoke"]
    done = subprocess.run(words, cwd=material, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (material / words[words.index("--out") + 1] / "report.html").is_file()
