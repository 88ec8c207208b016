import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from cadsight_cli.benchmarks.learning.inference import InferenceBenchmark, _plain
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample
from cadsight_learning.detection.ultralytics.yolo import YoloDetector
from cadsight_learning.models import load_detector
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.provenance import LearnedFrom
from cadsight_learning.registry.store import save_model
from cadsight_learning.runtime.machine import has_bfloat16


def test_every_runtime_is_measured_beside_torch_as_we_run_it_and_beside_plain_torch():
    reported = []
    found = InferenceBenchmark(image_size=64, runs=2, threads=1).run(lambda runtime, _: reported.append(runtime))
    fastest = ["openvino-bf16"] if has_bfloat16() else []
    assert reported == [*fastest, "openvino", "onnxruntime", "torch", "plain torch"]
    assert (found["image_size"], found["runs"], found["threads"]) == (64, 2, 1)
    assert found["torch"]["times_torch"] == found["plain torch"]["times_plain_torch"] == 1
    for runtime in reported:
        beside = found["plain torch"]["median_ms"] / found[runtime]["median_ms"]
        assert found[runtime]["times_plain_torch"] == pytest.approx(beside)
        assert found[runtime]["pictures_per_s"] == pytest.approx(1e3 / found[runtime]["median_ms"])


def test_plain_torch_is_the_network_as_it_was_built_and_finds_what_ours_finds(tmp_path):
    torch.manual_seed(0)
    module = YoloDetector("yolo11n", ("part",), 64).module
    save_model(tmp_path, ModelCard("detector", "yolo11n", ("part",), 64), module.state_dict())
    plain, ours = _plain(tmp_path), load_detector(tmp_path, device="cpu")
    images = [np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)]
    (found,), (expected,) = (d.predict(images, confidence=0.0) for d in (plain, ours))
    assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-5)
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in plain.module.modules())
    assert all(w.is_contiguous() for w in plain.module.parameters())
    fed = []
    plain.module.register_forward_pre_hook(lambda _, given: fed.append(given[0].is_contiguous()))
    plain.predict(images)
    assert fed == [True]


def test_each_runtime_is_evaluated_by_a_split_that_the_model_did_not_learn_from(tmp_path):
    data = Dataset.create(tmp_path / "data", ("part",))
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        label = Instance(0, Box(8, 8, 40, 40), source="colour")
        sample = Sample(split, Path(f"images/{split}.png"), ImageSize(64, 64), None, (label,), "synthetic", split)
        data.append(sample, rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    module = YoloDetector("yolo11n", ("part",), 64).module
    learned = LearnedFrom.of(data.samples("train"), (), "scratch")
    save_model(tmp_path / "m", ModelCard("detector", "yolo11n", ("part",), 64), module.state_dict(), learned)
    benchmark = InferenceBenchmark(model=str(tmp_path / "m"), runs=1, threads=1, data=str(data.folder))
    with pytest.raises(CadsightError, match="learned from 1 of the 2 images to evaluate it on, the first is train"):
        benchmark.run(lambda *_: None)
    found = dataclasses.replace(benchmark, split="test").run(lambda *_: None)
    assert 0 <= found["torch"]["map50_95"] <= 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"runs": 0}, "runs is 0, expected at least 1"),
        ({"threads": 0}, "threads is 0, expected at least 1"),
        ({"data": "somewhere"}, "there are data and no model, expected --model"),
        ({"model": "m", "split": "test"}, "the split is 'test' and there are no data, expected --data"),
    ],
)
def test_what_cannot_be_measured_is_refused(options, sentence):
    with pytest.raises(CadsightError, match=sentence):
        InferenceBenchmark(**options).run(lambda *_: None)
