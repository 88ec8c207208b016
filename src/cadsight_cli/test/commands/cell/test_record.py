"""`record` and `live` replace bags of ours alone, and an empty one is not written."""

import time

import pytest
from cadsight_cli.main import main
from cadsight_core.errors import CadsightError
from cadsight_perception.recording.live import refuse_foreign_bag
from cadsight_ros.bags import BagWriter
from rclpy.serialization import serialize_message
from std_msgs.msg import String


def bag(folder, topic="/tf"):
    with BagWriter(folder) as writer:
        writer.write(topic, "std_msgs/msg/String", time.time_ns(), serialize_message(String(data="x")))


def test_recording_into_a_folder_of_others_is_refused_and_nothing_is_lost(tmp_path, capsys):
    mine = tmp_path / "mine" / "deep" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    assert main(["record", "--out", str(tmp_path / "mine"), "--seconds", "0.1"]) == 2
    (tmp_path / "mine").rename(tmp_path / "bag")
    assert main(["live", "--out", str(tmp_path), "--seconds", "1", "--timeout", "0.1"]) == 2
    output = capsys.readouterr().err
    assert output.count("holds files that are no earlier result of ours") == 2
    assert (tmp_path / "bag" / "deep" / "thesis.txt").read_text() == "years of work"


def test_recording_into_the_working_folder_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["record", "--out", ".", "--seconds", "0.1"]) == 2
    assert "is the working folder" in capsys.readouterr().err


def test_a_recording_of_nothing_ends_with_a_sentence_and_leaves_the_bag_that_was_there(tmp_path, capsys):
    bag(tmp_path / "bag")
    before = {path.name: path.read_bytes() for path in (tmp_path / "bag").iterdir()}
    assert main(["record", "--out", str(tmp_path / "bag"), "--seconds", "0.3"]) == 2
    assert "nothing came on /camera/camera/color/image_raw" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "bag").iterdir()} == before


def test_a_bag_of_an_earlier_version_is_ours_and_one_of_other_topics_is_not(tmp_path):
    bag(tmp_path / "ours")
    refuse_foreign_bag(tmp_path / "ours")
    bag(tmp_path / "other", "/chatter")
    with pytest.raises(CadsightError, match="holds files that are no earlier result of ours"):
        refuse_foreign_bag(tmp_path / "other")
