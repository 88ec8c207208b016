"""A package that is installed beside CADsight brings a family of detectors: it is trained, kept and loaded as ours."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from installed_package import install
from squares import write_squares

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images of a white square in YOLO's layout."""
    folder = tmp_path_factory.mktemp("squares")
    write_squares(folder, {"train": 4, "val": 2}, shades=(60, 90))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `cadsight` where a package ``their-detectors`` is installed."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(Path(__file__).with_name("their_detector.py"), site)
    install(site, "their-detectors", "cadsight.detectors", "theirs = their_detector:THEIRS")
    paths = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))

    def cadsight(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cadsight_cli", *words]
        environment = {**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"}
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    return cadsight


def test_a_family_of_another_package_is_trained_kept_and_loaded(run, data, tmp_path):
    words = ["train", "detector", "--family", "theirs", "--data", str(data), "--out", str(tmp_path / "model")]
    done = run(*words, "--epochs", "2", "--cells", "5")
    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    assert (card["architecture"], card["started_from"]) == ("theirs-5", "random weights of theirs")
    assert card["options"]["cells"] == 5
    assert (card["epochs"], card["image_size"]) == (2, 50)
    figures = tmp_path / "figures.json"
    evaluated = run(
        "evaluate", "--model", str(tmp_path / "model"), "--data", str(data), "--split", "valid", "--json", str(figures)
    )
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(figures.read_text())["pictures"] == 2


def test_its_options_stand_in_the_help_and_go_with_it_alone(run, data, tmp_path):
    output = run("train", "detector", "--help").stdout
    assert "theirs (one part an image)" in output
    assert "cells a side that the image is averaged over (4)" in output
    words = ["train", "detector", "--data", str(data), "--out", str(tmp_path / "model")]
    assert run(*words, "--cells", "5").stderr.splitlines() == [
        "cadsight: --cells was given and does nothing with --family yolo11, expected it left out"
    ]
    assert run(*words, "--family", "theirs", "--mosaic", "0.5").stderr.splitlines() == [
        "cadsight: --mosaic was given and does nothing with --family theirs, expected it left out"
    ]
