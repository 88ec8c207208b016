import json

from cadsight_cli.main import main


def test_the_time_of_an_evaluation_is_printed_with_what_was_evaluated(tmp_path, capsys):
    file = tmp_path / "speeds.json"
    assert main(["benchmark", "evaluation", "--boxes", "200", "--classes", "2", "--json", str(file)]) == 0
    evaluation = json.loads(file.read_text())["speeds"]["evaluation"]
    assert (evaluation["boxes"], evaluation["pictures"], evaluation["classes"]) == (200, 20, 2)
    assert 0 < evaluation["cpu_seconds"] < 5
    assert "evaluation: cpu_seconds" in capsys.readouterr().out
