"""`cadsight train normals` and `evaluate` on a data set of a symmetric part whose poses are known."""

import json
from pathlib import Path

import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.geometry import Pose
from cadsight_core.sample import Instance, Sample

CAMERA = Camera(ImageSize(64, 48), 60.0, 60.0, 31.5, 23.5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Eight images of a square, said to be a plate at a pose whose z looks at the camera."""
    folder = tmp_path_factory.mktemp("normals")
    rng = np.random.default_rng(0)
    dataset = Dataset.create(folder / "data", ("plate", "rod"))
    for number in range(8):
        image = np.full((48, 64, 3), 90, np.uint8)
        x, y = (int(v) for v in rng.integers(2, 24, 2))
        image[y : y + 20, x : x + 20] = 250
        pose = Pose.from_rotvec([np.pi - rng.uniform(0, 0.3), 0.0, 0.0], [0.0, 0.0, 0.4])
        instance = Instance(
            0, Box(x, y, x + 20, y + 20), camera_from_part=pose, normal=pose.rotation[:, 2], source="kinematic"
        )
        split = "valid" if number > 5 else "train"
        path = Path(f"images/{number}.png")
        dataset.append(Sample(str(number), path, CAMERA.size, CAMERA, (instance,), "real", split), image)
    (folder / "plate.yaml").write_text("{name: plate, mesh: p.stl, symmetry: [{axis: [1, 0, 0], order: 2}]}")
    (folder / "rod.yaml").write_text("{name: rod, mesh: r.stl, symmetry: [{axis: [0, 0, 1], order: 0}]}")
    return folder


def test_a_regressor_is_trained_and_evaluated_with_the_symmetry_of_several_parts(data, tmp_path, capsys):
    out, file = tmp_path / "normals", tmp_path / "figures.json"
    parts = ["--part", str(data / "rod.yaml"), str(data / "plate.yaml")]
    words = ["--data", str(data / "data"), "--out", str(out), "--epochs", "1", "--image-size", "32", "--device", "cpu"]
    assert main(["train", "normals", *words, *parts]) == 0
    assert "started as comillas from scratch" in capsys.readouterr().out
    card = json.loads((out / "model.json").read_text())
    assert card["data"]["symmetry"] == {
        "rod": [{"axis": [0.0, 0.0, 1.0], "order": 0}],
        "plate": [{"axis": [1.0, 0.0, 0.0], "order": 2}],
    }
    evaluated = ["evaluate", "--model", str(out), "--data", str(data / "data"), "--split", "valid", "--json", str(file)]
    assert main([*evaluated, *parts]) == 0
    printed = capsys.readouterr().out
    figures = json.loads(file.read_text())
    assert "\n2 crops, 2 up to their part's symmetry; degrees, and fractions under 5 and 10 degrees\n" in printed
    assert {"mean_deg", "median_deg", "p90_deg", "under_5_deg", "under_10_deg"} <= figures.keys()
    assert f"calibration error {figures['calibration']['error']:.3f}" in printed
    assert len(figures["calibration"]["observed"]) == len(figures["calibration"]["expected"]) == 19
    # The plate upside down looks the same: no error is more than a right angle.
    assert max(p["angle_deg"] for p in figures["per_image"]) <= 90


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--architecture", "comillas", "--weights", "hub"], "no hub has weights of comillas"),
        (["--device", "gpu"], "the device is 'gpu', expected auto, cpu, cuda or cuda:N"),
        (["--weights", "gone.pt"], "gone.pt do not exist"),
        (["--drawn", "3"], "3 views are to be drawn of no part"),
    ],
)
def test_what_a_regressor_cannot_start_with_is_one_sentence(words, sentence, data, tmp_path, capsys):
    given = ["train", "normals", "--data", str(data / "data"), "--out", str(tmp_path / "x"), "--image-size", "32"]
    assert main([*given, *words]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cadsight: ")]
    assert len(lines) == 1
    assert sentence in lines[0]
