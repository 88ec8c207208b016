"""Exports made by a process of their own: reported step by step, and ended with their parent."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.models import exports_of
from cadsight_learning.normals.torch_regressor import NormalRegressor
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.store import WEIGHTS, save_model
from cadsight_learning.runtime.export_process import export_in_child
from cadsight_learning.runtime.exports import Exports
from cadsight_learning.runtime.sessions import UnusableNetworkError

SHAPE = (64, 64)
PATIENCE_S = 120.0


@pytest.fixture
def exports(tmp_path) -> Exports:
    folder = tmp_path / "m"
    save_model(folder, ModelCard("normals", "compact", (), 64), NormalRegressor("compact", 64).module.state_dict())
    return exports_of(folder, load_card(folder))


def children(pid: int | str = "self") -> list[int]:
    """Processes that a process has started and that still run."""
    lists = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(word) for text in lists for word in text.split() if runs(int(word))]


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_each_step_is_reported_and_the_export_is_there_at_the_end(exports):
    steps: list[str] = []
    path = export_in_child(dataclasses.replace(exports, tell=steps.append), "onnx", SHAPE)
    assert path == exports.find("onnx", SHAPE)
    what = "exporting compact to onnx for 64 x 64 pixels"
    assert steps == [
        f"{what}: loading torch",
        f"{what}, step 1 of 3: writing it down",
        f"{what}, step 2 of 3: comparing it with torch's",
        f"{what}, step 3 of 3: keeping it",
    ]


def test_an_export_that_is_killed_is_one_sentence(exports):
    before = set(children())

    def kill() -> None:
        until(lambda: set(children()) - before)
        for pid in set(children()) - before:
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(UnusableNetworkError, match=r"^the export of compact was ended by SIGKILL$"):
        export_in_child(exports, "onnx", SHAPE)
    killer.join()
    assert exports.find("onnx", SHAPE) is None


def test_an_export_whose_libraries_fail_is_one_sentence_with_their_last_words(exports, tmp_path, monkeypatch):
    (tmp_path / "path" / "torch").mkdir(parents=True)
    (tmp_path / "path" / "torch" / "__init__.py").write_text("raise OSError('libc is too old')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'path'}:{os.environ.get('PYTHONPATH', '')}")
    words = r"^the export of compact ended with status 1; its last words: OSError: libc is too old$"
    with pytest.raises(UnusableNetworkError, match=words):
        export_in_child(exports, "onnx", SHAPE)


def test_the_callback_may_end_the_export(exports):
    before = set(children())

    def stop(sentence: str) -> None:
        if "step 1" in sentence:
            raise CadsightError("told to stop")

    with pytest.raises(CadsightError, match="told to stop"):
        export_in_child(dataclasses.replace(exports, tell=stop), "onnx", SHAPE)
    assert set(children()) <= before


def test_an_export_ends_with_the_process_that_wants_it(exports):
    script = (
        "import sys\nfrom pathlib import Path\nfrom cadsight_learning.runtime.export_process import export_in_child\n"
        "from cadsight_learning.models import exports_of\nfrom cadsight_learning.registry.card import load_card\n"
        "folder = Path(sys.argv[1])\n"
        "export_in_child(exports_of(folder, load_card(folder)), 'onnx', (64, 64))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(exports.model)], stderr=subprocess.PIPE)
    try:
        until(lambda: children(parent.pid) or parent.poll() is not None)
        (child,) = children(parent.pid)
    finally:
        parent.kill()
        parent.communicate()
    until(lambda: not runs(child))
    assert exports.find("onnx", SHAPE) is None


def test_weights_that_change_meanwhile_are_not_exported_under_the_old_ones_name(exports):
    changed = dataclasses.replace(exports, weights_sha256="of others")
    with pytest.raises(UnusableNetworkError, match=r"the weights of .* changed while they were exported"):
        export_in_child(changed, "onnx", SHAPE)


def test_weights_that_do_not_fit_are_reported_as_where_torch_loads_them(exports):
    torch.save({"a": torch.zeros(1)}, exports.model / WEIGHTS)
    with pytest.raises(UnusableNetworkError, match=r"the weights .*weights.pt lack 0.weight"):
        export_in_child(exports, "onnx", SHAPE)
