import contextlib
import io
import pickle
from pathlib import Path

import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.weights.checkpoint import fill, fill_matching, load_checkpoint, load_state, save_checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn


class Malicious:
    """Touches a file when it is unpickled."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self):
        return Path.touch, (self.touched,)


def test_tensors_and_plain_values_come_back(tmp_path):
    save_checkpoint(tmp_path / "a.pt", {"weights": {"w": torch.arange(3.0)}, "epoch": 4, "names": ["a"]})
    data = load_checkpoint(tmp_path / "a.pt")
    assert data["weights"]["w"].tolist() == [0, 1, 2]
    assert (data["epoch"], data["names"]) == (4, ["a"])


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_checkpoint_that_holds_code_is_refused_before_it_runs(tmp_path, writer):
    touched, path = tmp_path / "touched", tmp_path / "bad.pt"
    if writer == "torch":
        torch.save({"w": Malicious(touched)}, path)
    else:
        path.write_bytes(pickle.dumps({"w": Malicious(touched)}))
    with pytest.raises(CadsightError, match=r"bad\.pt"):
        load_state(path)
    assert not touched.exists()
    # The same file does run its code where nobody forbids it, so the test could fail.
    torch.load(path, weights_only=False) if writer == "torch" else pickle.loads(path.read_bytes())
    assert touched.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"abc", None])
def test_a_cut_or_foreign_file_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "cut.pt"
    if content is None:
        save_checkpoint(path, {"w": torch.zeros(1000)})
        content = path.read_bytes()[:2000]
    path.write_bytes(content)
    with pytest.raises(CadsightError, match=r"cut\.pt") as raised:
        load_state(path)
    assert "\n" not in str(raised.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoilt=st.dictionaries(st.integers(0, 2000), st.integers(0, 255), min_size=1, max_size=5), old=st.booleans())
def test_a_file_with_spoilt_bytes_is_read_or_refused_in_one_sentence(tmp_path, spoilt, old):
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, buffer, _use_new_zipfile_serialization=not old)
    data = bytearray(buffer.getvalue())
    for position, value in spoilt.items():
        data[position % len(data)] = value
    (tmp_path / "spoilt.pt").write_bytes(data)
    with contextlib.suppress(CadsightError):
        load_state(tmp_path / "spoilt.pt")


def test_a_missing_file_and_one_that_is_no_state_dict_are_told_apart(tmp_path):
    with pytest.raises(CadsightError, match="do not exist"):
        load_state(tmp_path / "none.pt")
    save_checkpoint(tmp_path / "text.pt", {"w": "text"})
    with pytest.raises(CadsightError, match="hold w"):
        load_state(tmp_path / "text.pt")


def test_half_precision_comes_back_as_float32(tmp_path):
    save_checkpoint(tmp_path / "h.pt", {"w": torch.ones(2).half(), "n": torch.tensor(3)})
    state = load_state(tmp_path / "h.pt")
    assert (state["w"].dtype, state["n"].dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"weight": torch.zeros(2, 3)}, "lack bias"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2), "other": torch.zeros(1)}, "unknown other"),
        ({"weight": torch.zeros(3, 2), "bias": torch.zeros(2)}, r"weight of \(3, 2\), expected \(2, 3\)"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(state, words):
    with pytest.raises(CadsightError, match=words):
        fill(nn.Linear(3, 2), state, "w.pt")


def test_only_the_tensors_that_fit_are_taken():
    layer = nn.Linear(3, 2)
    assert fill_matching(layer, {"weight": torch.ones(2, 3), "bias": torch.ones(5)}) == 1
    assert layer.weight.eq(1).all()
