"""A package that is installed beside CADsight brings a strategy: it is offered and asked as ours."""

import json
import os
import subprocess
import sys

from installed_package import install
from squares import write_squares

THEIRS = """
import numpy as np
from cadsight_active.strategies.strategy import Choice, Strategy


def choose(candidates, options, rng):
    images = candidates.unlabelled[: options.k]
    return Choice(images, np.arange(len(candidates), dtype=float), ("it comes early",) * options.k)


FIRST = Strategy("first", "those that come first", choose, frozenset())
"""


def test_a_strategy_of_another_package_chooses(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    install(site, "their-strategy", "cadsight.strategies", "first = their_strategy:FIRST", {"their_strategy": THEIRS})
    write_squares(tmp_path / "pool", {"train": 2, "val": 1}, shades=(60, 90))
    paths = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    words = [
        "select",
        "--pool",
        str(tmp_path / "pool"),
        "--strategy",
        "first",
        "--k",
        "2",
        "--out",
        str(tmp_path / "b"),
    ]
    command = [sys.executable, "-m", "cadsight_cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stderr
    batch = json.loads((tmp_path / "b" / "batch.json").read_text())
    assert [(one["reason"], one["value"]) for one in batch["images"]] == [("it comes early", 0), ("it comes early", 1)]
