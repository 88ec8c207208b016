import pickle

from cadsight_core.errors import CadsightError, ParameterError


class LostError(CadsightError):
    """A kind with arguments of its own."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def test_an_error_with_its_position_is_of_the_same_kind():
    found = ParameterError("count", "is 0, expected at least 1")
    placed = found.at("box.yaml line 3")
    assert (type(placed), placed.parameter) == (ParameterError, "count")
    assert str(placed) == "box.yaml line 3: parameter count is 0, expected at least 1"
    assert str(found) == "parameter count is 0, expected at least 1"
    assert str(placed.at("a")) == "a: box.yaml line 3: parameter count is 0, expected at least 1"


def test_an_error_keeps_its_kind_on_its_way_out_of_another_process():
    came = pickle.loads(pickle.dumps(LostError("unreachable", "no path, expected one").at("pose 3")))
    assert (type(came), came.reason, str(came)) == (LostError, "unreachable", "pose 3: no path, expected one")
