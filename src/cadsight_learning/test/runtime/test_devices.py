import pytest
import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.runtime import machine
from cadsight_learning.runtime.devices import device_of, device_of_module, on_device, out_of_memory_explained
from torch import nn


@pytest.fixture
def gpus(monkeypatch):
    """A machine with the given number of GPUs, of which only the number is asked."""

    def there(count):
        monkeypatch.setattr(machine, "_has_driver", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return there


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_a_device_is_chosen_by_its_name_and_by_what_is_there(gpus, name, count, expected):
    gpus(count)
    assert device_of(name) == torch.device(expected)


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        ("gpu", 1, "the device is 'gpu', expected auto, cpu, cuda or cuda:N"),
        ("cuda:", 1, "the device is 'cuda:', expected"),
        ("cuda:-1", 1, "the device is 'cuda:-1', expected"),
        ("cuda:x", 1, "the device is 'cuda:x', expected"),
        ("", 1, "the device is '', expected"),
        ("cuda", 0, "the device is 'cuda' and this machine has no GPU that torch can use, expected auto or cpu"),
        ("cuda:1", 1, "the device is 'cuda:1' and this machine has 1 GPU, expected"),
    ],
)
def test_a_device_that_is_not_there_is_refused(gpus, name, count, words):
    gpus(count)
    with pytest.raises(CadsightError, match=words):
        device_of(name)


def test_every_tensor_of_a_batch_is_moved_however_it_is_nested():
    meta = torch.device("meta")
    batch = {"images": [torch.zeros(2), torch.zeros(3)], "more": (torch.zeros(1), {"boxes": torch.zeros(4)}), "n": 3}
    moved = on_device(batch, meta)
    assert [t.device for t in (*moved["images"], moved["more"][0], moved["more"][1]["boxes"])] == [meta] * 4
    assert (moved["n"], type(moved["more"])) == (3, tuple)
    assert batch["images"][0].device == torch.device("cpu")
    assert device_of_module(nn.Linear(1, 1, device="meta")) == meta


def test_a_device_without_memory_left_is_one_sentence_on_what_to_lower():
    words = "the memory does not suffice, expected lower settings: batch 16"
    with pytest.raises(CadsightError, match=words), out_of_memory_explained("batch 16"):
        torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(CadsightError, match="does not suffice"), out_of_memory_explained("batch 16"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
    with pytest.raises(RuntimeError, match="shape"), out_of_memory_explained("batch 16"):
        raise RuntimeError("shape mismatch")
