"""`cadsight loop` with real nodes, real trainings and a simulated table; killed on its way, it goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cadsight_active.loop.history import BatchChosen, Gated, History, Labelled, Learned, Triggered
from cadsight_active.loop.shown import read_shown

# Small enough for seconds; what the models are worth is not asked here.
SMALL = ["--cycles", "2", "--drawn", "40", "--shown", "60", "--quiet", "0", "--k", "8"]
SMALL += ["--updates", "2", "--first-updates", "4"]
PATIENCE_S = 600.0


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "cadsight_cli", "loop", *words]


def wait_for(state, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_S
    while not state():
        assert process.poll() is None, "the loop ended by itself"
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """The folder of a run that was killed in its first cycle and then called again."""
    folder = tmp_path_factory.mktemp("loop")
    with open(folder / "first.log", "wb") as log:
        process = subprocess.Popen(
            command("--out", str(folder / "out"), *SMALL), stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(lambda: History(folder / "out" / "loop").every(BatchChosen), process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    shown = len(read_shown(folder / "out" / "shown.jsonl"))
    done = subprocess.run(
        command("--out", str(folder / "out"), *SMALL), capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(read_shown(folder / "out" / "shown.jsonl")) > shown
    return folder / "out"


def test_a_run_that_was_killed_goes_through_its_cycles(out):
    history = History(out / "loop")
    # A second one comes only if the models are unsure of enough.
    assert history.cycle >= 1
    for kind in (Triggered, BatchChosen, Labelled, Learned, Gated):
        assert history.of_cycle(kind, 1) is not None
    shown = read_shown(out / "shown.jsonl")
    assert [one.number for one in shown] == list(range(1, len(shown) + 1))
    assert {one.phase for one in shown} == {"before", "after"}
    generations = [one.generation for one in shown]
    assert generations == sorted(generations)
    page = (out / "loop.html").read_text()
    assert "Cycle 1" in page
    assert "the lamp is changed" in page


def test_its_history_chooses_the_same_batches_again(out, tmp_path):
    words = command("history", str(out / "loop"), "--replay", "--json", str(tmp_path / "history.json"))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cycles = History(out / "loop").cycle
    assert done.stdout.count("the same images are chosen again") == cycles
    found = json.loads((tmp_path / "history.json").read_text())
    assert found["replayed"] == {f"batches/{n:03d}": True for n in range(1, cycles + 1)}


def test_a_folder_without_a_loop_is_one_sentence(tmp_path):
    done = subprocess.run(command("history", str(tmp_path)), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"cadsight: {tmp_path} has no history.jsonl, expected the folder of a loop\n"
