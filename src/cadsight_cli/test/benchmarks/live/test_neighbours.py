import pytest
from cadsight_cli.benchmarks.live import neighbours as benchmark_neighbours
from cadsight_cli.benchmarks.live import perception as benchmark_node
from cadsight_cli.benchmarks.live.neighbours import NEIGHBOURS, NeighboursBenchmark
from cadsight_core.errors import CadsightError

SMALL = NeighboursBenchmark(images=16, image_size=64, batch=4, epochs=1, runs=3)


def test_steps_epochs_and_inference_are_measured_beside_a_neighbour(monkeypatch):
    # Alone: a busy loop would take a core from the other tests.
    monkeypatch.setattr(benchmark_neighbours, "NEIGHBOURS", {"alone": NEIGHBOURS["alone"]})
    printed = {}
    found = SMALL.run(printed.__setitem__)
    assert found == printed
    measured = found["alone"]
    assert 0 < measured["step_s"] < measured["epoch_s"]
    assert 0 < measured["look_ms_p50"] <= measured["look_ms_p99"]
    assert "thread" in measured["computed"]


def test_the_live_node_has_inferred_before_anything_is_measured_beside_it(tmp_path):
    with NEIGHBOURS["live node"](SMALL, tmp_path / "neighbour"):
        log = (tmp_path / "neighbour" / "log").read_text()
    assert "starts cadsight_perception.perception_node" in log


def test_a_neighbour_that_ends_is_told(tmp_path):
    with (
        pytest.raises(CadsightError, match="a neighbour ended with status 3"),
        benchmark_node.running(["sh", "-c", "exit 3"], tmp_path / "log") as process,
    ):
        process.wait()
