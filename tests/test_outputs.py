"""Whatever of others lies where a command writes is there afterwards, byte for byte."""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from cadsight_cli.main import build_parser, main
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Instance, Sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
SIZE = ImageSize(64, 48)
# Of names that outputs of ours have, and of others; in sub-folders too.
NAMES = (
    *("notes.txt", "a/b/c.bin", ".hidden", "images/a.png", "images/train/a.png", "labels/train/a.txt", "data.yaml"),
    *("dataset.json", "manifest.jsonl", ".lock", "annotations/instances_train.json", "labels.json"),
    *(".cadsight-output", "bag/bag_0.mcap", "live.json", "part.yaml", "bracket.yaml", "bracket.ply", "report.html"),
    *("model.json", "weights.pt", "training.pt", "curves.json", "exports/onnx-64x48/model.onnx", "demo.json"),
)
ANY = NAMES
DATASET = ("dataset.json", "manifest.jsonl", ".lock")
MODEL = ("model.json", "weights.pt", "learned_from.json", "pictures.npz", "curves.json", "curves.csv", "training.pt")
TRIALS = ("comparison.json", "comparison.md", "report.html", "real/0/trial.json", "real/1/detector/weights.pt")
ACTIVE = (
    *("active.json", "active.md", "report.html", "batches/0a.json", "trainings/0a/trial.json"),
    *("trainings/0a/detector/weights.pt", "base/0a/weights.pt"),
)
HAND_EYE = """
setup: eye_to_hand
board: {chessboard: {}}
cameras: [{name: cam, images: "{n}.png", intrinsics: {file: camera.yaml}}]
arm: {model: ur3e}
poses: {file: poses.json, name: n, joints: {keys: [q], unit: degrees}}
"""
LABELS = ("labelled/a.txt", "rejected/images/a.png", "labels.json")


@dataclass(frozen=True)
class Command:
    """One way to write; DATA, MODEL, GENERATOR, BATCH, HANDED, HAND, VIDEO, MASKS, MESH and OUT are put into the words.

    Attributes:
        taken: names in OUT under which it refuses files of others.
        ends: its status where nothing is under those names; none where that would take a cell, or minutes.
    """

    words: str
    taken: tuple[str, ...]
    ends: tuple[int, ...] = ()


BENCHMARKS = (
    "run",
    "synthesis",
    "evaluation",
    "labels",
    "training",
    "inference",
    "neighbours",
    "calibration",
    "start",
    "selection",
    "pool",
    "gate",
    "holding",
    "swaps",
    "motions",
    "approach",
    "shift",
    "sorting",
)
_PAPER = "--real DATA --synthetic DATA --test DATA --scale smoke --out OUT"
COMMANDS = {
    "yolo": Command("data convert DATA OUT --to yolo", ANY, (0,)),
    "coco": Command("data convert DATA OUT --to coco", ANY, (0,)),
    "via": Command("data convert DATA OUT --to via", ANY, (0,)),
    "regression": Command("data convert DATA OUT --to regression", ANY, (0,)),
    "cadsight": Command("data convert DATA OUT --to cadsight", ANY, (0,)),
    "check": Command("data check DATA --json OUT/labels.json", ("labels.json",), (0, 1)),
    "account": Command("data convert DATA OUT/set --to yolo --json OUT/a.json", ("a.json", "set/data.yaml"), (1,)),
    "show": Command("data show DATA --out OUT", ANY, (0,)),
    "frames": Command("data frames VIDEO --out OUT", ("film_000000.png", "film_000001.png"), (0,)),
    "backgrounds": Command("data frames VIDEO --background --out OUT", DATASET, (2,)),
    "augment": Command("data augment DATA --copies 1 --out OUT", (*DATASET, "images/a.png"), (2,)),
    "annotate": Command(
        "data annotate MASKS --images DATA/images --out OUT/labels.json", ("labels.json", "images/a.png"), (0,)
    ),
    "distance": Command("data distance DATA DATA --sheet OUT/a.png --json OUT/a.json", ("a.png", "a.json")),
    "part": Command(
        "part add MESH --name bracket --out OUT", ("bracket.yaml", "bracket/bracket.ply", "bracket/bracket.jpg")
    ),
    "part_check": Command(f"part check {ROOT}/config/parts/bracket.yaml --out OUT/a.jpg", ("a.jpg",), (0,)),
    "part_colour": Command("part colour DATA/images/a.png --at 8 8 30 30 --out OUT/a.png", ("a.png",), (2,)),
    "board": Command("calibrate board --out OUT/a.pdf", ("a.pdf",), (0,)),
    "intrinsics": Command(
        f"calibrate camera DATA/images --board {ROOT}/config/board.yaml --out OUT/a.yaml", ("a.yaml",), (2,)
    ),
    "hand_eye": Command("calibrate hand-eye --data HAND --out OUT", ("hand-eye-cam.json",), (2,)),
    "compose": Command("compose --from DATA --background DATA/images/a.png --count 1 --out OUT", DATASET),
    "synthesize": Command(
        f"synthesize make {ROOT}/config/recipes/views.yaml --count 1 --engine raster --out OUT", DATASET
    ),
    "preview": Command(f"synthesize preview {ROOT}/config/recipes/views.yaml --out OUT/a.html", ("a.html",)),
    "preview_in": Command(
        f"synthesize preview {ROOT}/config/recipes/views.yaml --out OUT/new", ("new/views-preview.html",)
    ),
    "synthesis": Command("synthesize check DATA --out OUT/a.html --json OUT/a.json", ("a.html", "a.json")),
    "in_set": Command("synthesize check OUT", ("check.html",)),
    "train_detector": Command("train detector --data DATA --out OUT", MODEL),
    "train_normals": Command("train normals --data DATA --out OUT", MODEL),
    "train_translator": Command("train translator --synthetic DATA --real DATA --scale smoke --out OUT", MODEL),
    "translate": Command("translate --model MODEL --data DATA --out OUT", (*DATASET, "images/a.png"), (2,)),
    "train_base": Command("train base --pictures 1 --out OUT", (*MODEL, "yolo11n-solids.pt", "solids/manifest.jsonl")),
    "train_generator": Command(
        "train generator DATA --scale smoke --out OUT", (*MODEL[:3], *MODEL[4:], "sheets/00001.png")
    ),
    "generate": Command("generate make --model GENERATOR --count 1 --out OUT", DATASET, (0,)),
    "sorted": Command(
        "generate sort DATA --trained-on DATA --held-out DATA --out OUT", ("sorted.json", "sorted.html")
    ),
    "generated_labels": Command("generate label DATA --detector MODEL --out OUT", ANY, (2,)),
    "export": Command("models export MODEL --out OUT", ("onnx-64x64/model.onnx", "onnx-64x64/notes.txt")),
    "evaluate": Command("evaluate --model MODEL --data DATA --json OUT/a.json", ("a.json",)),
    "gate": Command("gate --served MODEL --new MODEL --data DATA --json OUT/a.json", ("a.json",)),
    "sets": Command("experiment sets --set real=DATA --test DATA --out OUT", TRIALS),
    **{k: Command(f"experiment {k} {_PAPER}", TRIALS) for k in ("comillas", "morato", "transfer", "mixing")},
    "eversberg": Command("experiment eversberg --pool DATA --test DATA --scale smoke --out OUT", ACTIVE),
    "rudenko": Command("experiment rudenko --synthetic DATA --test DATA --out OUT", TRIALS),
    **{f"benchmark_{k}": Command(f"benchmark {k} --json OUT/a.json", ("a.json",)) for k in BENCHMARKS},
    "select": Command(
        "select make --pool DATA --strategy random --k 1 --out OUT", ("batch.json", "candidates.npz"), (0,)
    ),
    "explain": Command("select explain BATCH --out OUT/a.html", ("a.html",), (0,)),
    "to_people": Command("labels export DATA --to label-studio --out OUT", ANY, (0,)),
    "from_people": Command(
        "labels import HANDED --from label-studio --images DATA --out OUT/set --json OUT/a.json",
        ("a.json", "set/data.yaml", "set/dataset.json"),
        (0,),
    ),
    "loop": Command("loop run --out OUT", ("loop.html", "nodes.yaml")),
    "history": Command("loop history DATA --json OUT/a.json", ("a.json",)),
    "report": Command("report DATA --out OUT/report.html", ("report.html",)),
    "in_run": Command("report OUT", ("report.html", "report.json")),
    "label": Command("label DATA --out OUT", LABELS),
    "record": Command("record --out OUT --seconds 1", ANY),
    "live": Command("live --out OUT --seconds 1 --timeout 0.1", ("bag/bag_0.mcap", "live.json")),
    "replay": Command("replay DATA --out OUT/a.json", ("a.json",)),
    "demo": Command("demo --quick --out OUT --config OUT/none.yaml", ANY),
}
# What has an output and is not in the table, and why.
ELSEWHERE = {
    ("capture", "FOLDER"): "the capture node writes, in its own output_folder: cadsight_capture/test/test_session.py",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Inputs of the commands by the word that they are put in for."""
    from cadsight_learning.normals.torch_regressor import NormalRegressor
    from cadsight_learning.registry.card import ModelCard
    from cadsight_learning.registry.store import save_model

    folder = tmp_path_factory.mktemp("given")
    dataset = Dataset.create(folder / "set", ["part"])
    label = Instance(0, Box(8, 8, 30, 30), normal=np.array([0.0, 0.0, -1.0]), source="human")
    for name in "abcd":
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (48, 64, 3), np.uint8)
        dataset.append(Sample(name, Path(), SIZE, split="train", instances=(label,)), pixels)
    (folder / "masks").mkdir()
    mask = np.zeros((48, 64, 3), np.uint8)
    mask[8:30, 8:30] = 255
    write_image(folder / "masks" / "a.png", mask)
    video = cv2.VideoWriter(str(folder / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 2, (64, 48))
    for shade in (0, 128):
        video.write(np.full((48, 64, 3), shade, np.uint8))
    video.release()
    save_model(
        folder / "model",
        ModelCard("normals", "compact", ("part",), 64),
        NormalRegressor("compact", 64).module.state_dict(),
    )
    parts = ROOT / "config" / "parts"
    mesh = parts / yaml.safe_load((parts / "bracket.yaml").read_text())["mesh"]
    smoke = ["--scale", "smoke", "--images-seen", "4", "--width", "4", "--sheet-images", "2", "--track", "none"]
    assert main(["train", "generator", str(folder / "set"), *smoke, "--out", str(folder / "generator")]) == 0
    words = [
        "select",
        "--pool",
        str(folder / "set"),
        "--strategy",
        "random",
        "--k",
        "1",
        "--out",
        str(folder / "batch"),
    ]
    assert main(words) == 0
    value = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["part"]}
    label_studio = [
        {"data": {"image": "a.png"}, "annotations": [{"result": [{"type": "rectanglelabels", "value": value}]}]}
    ]
    (folder / "handed.json").write_text(json.dumps(label_studio))
    (folder / "hand").mkdir()
    (folder / "hand" / "hand-eye.yaml").write_text(HAND_EYE)
    names = {
        "DATA": "set",
        "HAND": "hand",
        "BATCH": "batch",
        "HANDED": "handed.json",
        "MASKS": "masks",
        "VIDEO": "film.avi",
        "MODEL": "model",
        "GENERATOR": "generator",
    }
    return {word: str(folder / name) for word, name in names.items()} | {"MESH": str(mesh)}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def foreign(command: Command) -> st.SearchStrategy[dict[str, bytes]]:
    """Files that others have in the output folder; one that is refused where the command cannot be run to its end."""
    anything = st.sampled_from(sorted({*NAMES, *command.taken}))
    files = st.dictionaries(anything, st.binary(max_size=40), min_size=1, max_size=4)
    if command.ends:
        return files
    one = st.tuples(st.sampled_from(command.taken), st.binary(max_size=40))
    return st.builds(lambda files, one: {**files, one[0]: one[1]}, files, one)


def put(files: dict[str, bytes], out: Path) -> dict[str, bytes]:
    """Write ``files``, without those whose folder another one is."""
    for path, data in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    return files


@pytest.mark.parametrize("name", COMMANDS)
def test_what_others_have_in_an_output_folder_stays(name, places, tmp_path_factory, capfd):
    command = COMMANDS[name]

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(foreign(command))
    def holds(files):
        out = tmp_path_factory.mktemp("out") / "out"
        put(files, out)
        words = re.sub(r"\b[A-Z]{3,}\b", lambda word: {**places, "OUT": str(out)}[word[0]], command.words)
        try:
            status = main(words.split())
        except SystemExit as error:
            status = error.code
        said = capfd.readouterr().err
        after = contents(out)
        assert {path: after.get(path) for path in files} == files, f"{words}: {status}"
        assert "Traceback" not in said
        if files.keys() & set(command.taken):
            assert status == 2, f"{words}: {said}"
            assert re.search(rf"^cadsight: .*{re.escape(str(out))}.*, expected ", said, re.MULTILINE), said
            assert after == files or command.ends, "it began before it refused"
        else:
            assert status in command.ends, f"{words}: {said}"

    holds()


def test_every_command_with_an_output_is_in_the_table():
    """A new command, or a new option that writes, needs a line above."""
    there = {(name, flag) for name, parser in leaves(build_parser([])) for flag in outputs(parser)}
    covered = set()
    for command in COMMANDS.values():
        covered |= {key for key in there if command.words.startswith(f"{key[0]} ") and is_given(key[1], command.words)}
    assert there - covered == set(ELSEWHERE)
    assert len(there) > 25


def leaves(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each parser that takes arguments, by the words that lead to it."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, one in action.choices.items():
                yield from leaves(one, f"{name} {word}".strip())


def outputs(parser: argparse.ArgumentParser) -> list[str]:
    """The options, and positionals by their metavar, that say where to write."""
    found = []
    for action in parser._actions:
        flag = action.option_strings[-1] if action.option_strings else str(action.metavar)
        is_path = action.metavar in ("DIR", "FILE", "JSON", "PNG", "HTML", "PATH", "FOLDER", "YAML", "CSV")
        writes = is_path and re.search(r"\bwrite\b|\bwritten\b", action.help or "")
        if action.nargs != 0 and (flag in ("--out", "--json", "--sheet", "DST", "FOLDER") or writes):
            found.append(flag)
    return found


def is_given(flag: str, words: str) -> bool:
    return "OUT" in words and (not flag.startswith("-") or f"{flag} " in f"{words} ")
