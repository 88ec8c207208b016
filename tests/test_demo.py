"""The main job as a user starts it: broken off, gone on with, and reported."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.formats.anything import load
from cadsight_ros.domains import own_domain

ROOT = Path(__file__).resolve().parent.parent
SPLITS = {"train": 16, "valid": 14, "test": 14}
STEPS = (
    "capture_train", "capture_valid", "capture_test", "label", "data", "train_detector", "train_normals", "live",
    "replay", "report",
)  # fmt: skip


def demo(out):
    environment = {**os.environ, "ROS_DOMAIN_ID": str(own_domain()), "OMP_NUM_THREADS": "2"}
    words = [sys.executable, "-m", "cadsight_cli", "demo", "--quick", "--out", str(out)]
    return subprocess.Popen(
        words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def wait_for(condition, process, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1][-3000:]
        assert time.monotonic() < end
        time.sleep(0.1)


def nodes_of(out):
    """Processes that were started for this run, by the folder in their command lines or logs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(out) in words:
                found.append(words)
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was interrupted in its first session and gone on with; its output and the images taken by then."""
    out = tmp_path_factory.mktemp("runs") / "demo"
    manifest = out / "sessions" / "train" / "raw" / "manifest.jsonl"
    first = demo(out)
    try:
        wait_for(lambda: manifest.exists() and manifest.read_text().count("\n") >= 4, first)
        first.send_signal(signal.SIGINT)
        _, errors = first.communicate(timeout=60)
        assert first.returncode == 130, errors[-3000:]
        assert nodes_of(out) == []
        before = manifest.read_text()
        second = demo(out)
        output, errors = second.communicate(timeout=600)
        assert second.returncode == 0, errors[-3000:]
    finally:
        for process in (first, *([second] if "second" in locals() else [])):
            if process.poll() is None:
                process.kill()
    return out, output, before


@pytest.fixture(scope="module")
def figures(run):
    return json.loads((run[0] / "report.json").read_text())


def test_a_run_that_was_interrupted_keeps_what_it_had(run):
    out, _, before = run
    kept = (out / "sessions" / "train" / "raw" / "manifest.jsonl").read_text()
    assert kept.startswith(before)
    assert before.count("\n") >= 4


def test_the_last_line_is_the_path_of_the_page(run):
    out, output, _ = run
    page = Path(output.splitlines()[-1])
    assert page == out / "report.html"
    assert page.stat().st_size > 100_000


def test_the_terminal_says_which_targets_were_met_and_that_a_quick_run_means_nothing(run, figures):
    *_, targets, means, _ = run[1].splitlines()
    met = [target["met"] for target in figures["targets"]]
    assert targets.startswith(f"{met.count(True)} of {len(met) - met.count(None)} targets met")
    assert means == "--quick shows that all of it runs: these figures mean nothing"
    assert all(target["what"] in run[1] for target in figures["targets"])


def test_every_step_is_done_and_timed(run, figures):
    steps = json.loads((run[0] / "steps.json").read_text())["steps"]
    assert tuple(steps) == STEPS
    assert all(step["done"] for step in steps.values())
    assert set(figures["seconds"]) == set(STEPS)
    assert all(seconds > 0 for seconds in figures["seconds"].values())


@pytest.mark.parametrize("split", SPLITS)
def test_every_image_is_labelled_or_rejected(run, figures, split):
    session = run[0] / "sessions" / split
    raw = [s for s in Dataset.open(session / "raw").samples() if not s.record["background"]]
    assert len(raw) == SPLITS[split]
    kept, rejected = (len(Dataset.open(session / name)) for name in ("labelled", "rejected"))
    assert kept + rejected == SPLITS[split]
    assert figures["labels"]["sessions"][split]["rejected"] == rejected


def test_labels_are_right_against_the_truth(figures):
    labels = figures["labels"]
    assert labels["iou_kinematic_vs_truth"] >= 0.97
    assert labels["iou_colour_vs_truth"] >= 0.95
    assert labels["normal_error_deg"] <= 0.5
    assert labels["wrong_kept"] == 0
    assert labels["accepted"] >= 0.8 * sum(SPLITS.values())


@pytest.mark.parametrize("kind", ["yolo", "coco", "regression/train", "regression/test"])
def test_the_files_for_other_tools_hold_what_was_labelled(run, kind):
    out = run[0]
    labelled = {split: len(Dataset.open(out / "sessions" / split / "labelled")) for split in SPLITS}
    samples, classes = load(out / kind)
    composed = len(Dataset.open(out / "composed"))
    expected = sum(labelled.values()) + composed if "/" not in kind else labelled[kind.split("/")[1]]
    assert len(samples) == expected
    assert len(classes) == 1


def test_live_and_replay_say_the_same(figures):
    assert figures["live"]["frames"] >= 3
    assert figures["live"]["wrong_stamps"] == 0
    assert figures["live"]["unknown_stamps"] == 0
    assert figures["replay"]["equal"] is True
    assert figures["replay"]["compared"] > 5


def test_the_figures_that_were_promised_are_there(figures):
    promised = {
        "labels": ("iou_colour_vs_truth", "iou_kinematic_vs_truth", "normal_error_deg", "rejected"),
        "detector": ("precision", "recall", "map50", "map50_95", "box_loss", "object_loss"),
        "normals": ("mean_deg", "median_deg", "p90_deg"),
        "live": ("frames", "dropped", "latency_ms_p50", "latency_ms_p99", "overhead_ms_p50"),
        "replay": ("equal",),
    }
    for section, keys in promised.items():
        for key in keys:
            assert isinstance(figures[section][key], int | float), f"{section}.{key}"
    assert figures["missing"] == []
    unmeasured = {target["key"].split(".")[0] for target in figures["targets"] if target["met"] is None}
    assert unmeasured <= (set() if figures["live"]["detected"] else {"live", "replay"})


def test_the_page_needs_no_network(run):
    page = (run[0] / "report.html").read_text()
    assert "http" not in page
    assert page.count("data:image/jpeg;base64,") == 14 + 8
    links = re.findall(r"""\b(?:src|href)\s*=\s*["']?([^"'\s>]+)""", page)
    assert [link for link in links if not link.startswith(("#", "data:"))] == []


def test_a_finished_run_only_reports_again(run):
    out = run[0]
    before = json.loads((out / "steps.json").read_text())["steps"]
    again = demo(out)
    output, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors[-3000:]
    assert output.count("done before") == len(STEPS) - 1
    after = json.loads((out / "steps.json").read_text())["steps"]
    assert {k: v for k, v in after.items() if k != "report"} == {k: v for k, v in before.items() if k != "report"}


def test_sessions_that_were_captured_otherwise_are_not_replaced_unasked(run):
    words = [sys.executable, "-m", "cadsight_cli", "demo", "--quick", "--seed", "5", "--out", str(run[0])]
    refused = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)
    assert refused.returncode == 2
    assert refused.stderr.startswith("cadsight: the run ")
    assert "(capture_train: seed was 0 and is now 5)" in refused.stderr
    assert "--recapture" in refused.stderr


def test_a_node_that_dies_is_named_with_its_last_words(tmp_path):
    config = yaml.safe_load((ROOT / "config" / "workcell.yaml").read_text())
    config["simulated_cell"]["ros__parameters"]["fps"] = -1.0
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(config))
    out = tmp_path / "run"
    words = [sys.executable, "-m", "cadsight_cli", "demo", "--quick", "--out", str(out)]
    died = subprocess.run(
        [*words, "--config", str(tmp_path / "bad.yaml")],
        cwd=ROOT,
        env={**os.environ, "ROS_DOMAIN_ID": str(own_domain())},
        text=True,
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert died.returncode == 2
    assert "cadsight: cadsight launch cell ended with status 2; its last lines in " in died.stderr
    assert "parameter fps is -1.0, expected at least 0.5" in died.stderr
    assert nodes_of(out) == []
