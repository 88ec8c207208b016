import hashlib

from cadsight_experiments.active.start import weights_sha256
from cadsight_learning.weights.shipped import shipped


def test_weights_are_known_by_the_content_of_their_file(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"numbers")
    assert weights_sha256(str(tmp_path / "weights.pt"), "yolo11n") == hashlib.sha256(b"numbers").hexdigest()


def test_what_the_shipped_network_starts_from_of_itself_is_the_shipped_base():
    content = hashlib.sha256(shipped("yolo11n").read_bytes()).hexdigest()
    assert weights_sha256("auto", "yolo11n") == weights_sha256("base", "yolo11n") == content


def test_weights_without_a_file_of_ours_are_known_by_their_word():
    # For a lite0 network auto is what a package brings, which random weights must not be taken for.
    assert [weights_sha256(word, "fasterrcnn_lite0_fpn") for word in ("auto", "scratch")] == ["auto", "scratch"]
