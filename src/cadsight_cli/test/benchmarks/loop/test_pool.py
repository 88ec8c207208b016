import json

from cadsight_cli.main import main


def test_deciding_opening_and_kills_of_a_pool_are_measured(tmp_path):
    words = ["--entries", "12000", "--width", "32", "--decisions", "20", "--kills", "2"]
    assert main(["benchmark", "pool", *words, "--json", str(tmp_path / "speeds.json")]) == 0
    speeds = json.loads((tmp_path / "speeds.json").read_text())["speeds"]
    assert list(speeds) == ["few", "many", "growth", "kills"]
    assert (speeds["few"]["entries"], speeds["many"]["entries"]) == (10_000, 12_000)
    assert all(speeds[name]["p99_ms"] >= speeds[name]["p50_ms"] > 0 for name in ("few", "many"))
    assert all(speeds[name]["duplicates_found"] == 1 for name in ("few", "many"))
    assert speeds["kills"]["lost"] == 0
    assert speeds["kills"]["acknowledged"] >= 2
