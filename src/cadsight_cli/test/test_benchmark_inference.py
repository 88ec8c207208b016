import pytest
from cadsight_cli.benchmark_inference import InferenceBenchmark
from cadsight_core.errors import CadsightError


def test_every_runtime_is_measured_beside_torch():
    told = []
    found = InferenceBenchmark(image_size=64, runs=2, threads=1).run(lambda runtime, _: told.append(runtime))
    assert told == ["openvino", "onnxruntime", "torch"]
    assert (found["image_size"], found["runs"], found["threads"]) == (64, 2, 1)
    assert found["torch"]["times_torch"] == 1
    for runtime in told:
        assert found[runtime]["pictures_per_s"] == pytest.approx(1e3 / found[runtime]["median_ms"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"runs": 0}, "runs is 0, expected at least 1"),
        ({"threads": 0}, "threads is 0, expected at least 1"),
        ({"data": "somewhere"}, "there are data and no model, expected --model"),
    ],
)
def test_what_cannot_be_measured_is_refused(options, sentence):
    with pytest.raises(CadsightError, match=sentence):
        InferenceBenchmark(**options).run(lambda *_: None)
