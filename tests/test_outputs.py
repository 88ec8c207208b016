"""Whatever of others lies where a command writes is there afterwards, byte for byte."""

from pathlib import Path

import numpy as np
import pytest
from cadsight_cli.main import main
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.dataset import Dataset
from cadsight_core.sample import Instance, Sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SIZE = ImageSize(64, 48)
# Of names that outputs of ours have, and of others; in sub-folders too.
NAMES = st.sampled_from(
    [
        *("notes.txt", "a/b/c.bin", ".hidden", "images/a.png", "images/train/a.png", "labels/train/a.txt", "data.yaml"),
        *("dataset.json", "manifest.jsonl", ".lock", "annotations/instances_train.json", "labels.json"),
        *(".cadsight-output", "bag/bag_0.mcap", "live.json", "part.yaml", "bracket.yaml", "bracket.ply", "report.html"),
    ]
)
FILES = st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=4)
# Each command with an output folder that needs neither a running cell nor minutes; DATA, PART and OUT are put in.
COMMANDS = {
    "yolo": "data convert DATA OUT --to yolo",
    "coco": "data convert DATA OUT --to coco",
    "via": "data convert DATA OUT --to via",
    "cadsight": "data convert DATA OUT --to cadsight",
    "show": "data show DATA --out OUT",
    "part": "part add PART --class-id 0 --colour 200,40,40 --out OUT",
    "record": "record --out OUT --seconds 1",
    "live": "live --out OUT --seconds 1 --timeout 0.1",
    "demo": "demo --quick --out OUT --config OUT/none.yaml",
}


@pytest.fixture(scope="module")
def given_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given") / "set"
    dataset = Dataset.create(folder, ["part"])
    for name in "abcd":
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (48, 64, 3), np.uint8)
        dataset.append(Sample(name, Path(), SIZE, split="train", instances=(Instance(0, Box(8, 8, 30, 30)),)), pixels)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_others_have_in_an_output_folder_stays(name, given_data, tmp_path_factory, capfd):
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(FILES)
    def holds(files):
        out = tmp_path_factory.mktemp("out") / "out"
        for path, data in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(data)
        words = COMMANDS[name].replace("OUT", str(out)).replace("DATA", str(given_data))
        try:
            status = main(words.replace("PART", str(given_data / "none.stl")).split())
        except SystemExit as error:
            status = error.code
        after = contents(out)
        assert {path: after.get(path) for path in files} == files, f"{words}: {status}"
        assert status in (0, 2), status
        assert "Traceback" not in capfd.readouterr().err

    holds()
