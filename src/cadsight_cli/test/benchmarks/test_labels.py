import json

from cadsight_cli.main import main


def test_reading_and_checking_are_timed_beside_pycocotools(tmp_path, capsys):
    assert main(["benchmark", "labels", "--pictures", "20", "--json", str(tmp_path / "speeds.json")]) == 0
    speeds = json.loads((tmp_path / "speeds.json").read_text())["speeds"]
    assert list(speeds) == ["pycocotools", "read", "headers", "check_labels", "check"]
    assert all(speed["boxes"] == 200 and speed["cpu_seconds"] > 0 for speed in speeds.values())
    assert "check" in capsys.readouterr().out
