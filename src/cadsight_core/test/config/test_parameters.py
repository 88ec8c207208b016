import math
from dataclasses import asdict, dataclass, field
from typing import Literal

import pytest
from cadsight_core.config.parameters import by_first_names, check, from_mapping, parameter
from cadsight_core.errors import CadsightError


@dataclass(frozen=True)
class Light:
    power: float = parameter(1.0, "brightness", minimum=0.0, maximum=10.0)
    count: int = parameter(2, "number of lamps", minimum=1)
    kind: Literal["spot", "sun"] = parameter("spot", "what shines")
    colour: tuple[float, float, float] = parameter((1.0, 1.0, 1.0), "red, green, blue", minimum=0.0)
    names: list[str] = parameter(["left", "right"], "one a lamp")
    on: bool = parameter(True, "whether it shines")
    mode: str = parameter("auto", "how it is set", choices=("auto", "manual"))

    def __post_init__(self):
        check(self)


def test_defaults_pass_and_are_not_shared():
    assert Light().names == ["left", "right"]
    assert Light().names is not Light().names


def test_integers_become_floats_and_lists_become_tuples():
    light = from_mapping(Light, {"power": 3, "colour": [1, 0, 0]}, "cell.yaml")
    assert light.power == 3.0
    assert isinstance(light.power, float)
    assert light.colour == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"power": -1}, "power is -1.0, expected at least 0 and at most 10"),
        ({"power": 11.0}, "power is 11.0"),
        ({"power": math.nan}, "power is nan"),
        ({"power": "bright"}, "power is 'bright', expected float"),
        ({"power": True}, "power is True"),
        ({"count": 1.5}, "count is 1.5, expected int"),
        ({"count": 0}, "count is 0, expected at least 1"),
        ({"kind": "moon"}, "kind is 'moon', expected one of spot, sun"),
        ({"colour": [1.0, 2.0]}, "colour is (1.0, 2.0), expected 3 numbers"),
        ({"colour": [1.0, 2.0, -3.0]}, "colour is -3.0, expected at least 0"),
        ({"names": "left"}, "names is 'left'"),
        ({"on": 1}, "on is 1, expected bool"),
        ({"mode": "off"}, "mode is 'off', expected one of auto, manual"),
        ({"pwoer": 1.0}, "unknown key 'pwoer', expected one of colour"),
    ],
)
def test_a_bad_value_is_refused_with_its_position_its_name_its_value_and_what_was_allowed(mapping, words):
    with pytest.raises(CadsightError) as caught:
        from_mapping(Light, mapping, "cell.yaml")
    assert words in str(caught.value)
    assert "cell.yaml" in str(caught.value)


def test_what_is_no_mapping_is_refused():
    with pytest.raises(CadsightError, match="expected a mapping of Light"):
        from_mapping(Light, ["power"], "cell.yaml")


@dataclass(frozen=True)
class Room:
    light: Light = field(default_factory=Light)
    doors: int = parameter(1, "number of doors", minimum=1)

    def __post_init__(self):
        check(self)


def test_a_section_becomes_the_dataclass_of_its_field():
    assert from_mapping(Room, {"light": {"power": 3}, "doors": 2}, "cell.yaml") == Room(Light(power=3.0), 2)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"light": {"power": -1}}, "cell.yaml: light: parameter power is -1.0"),
        ({"light": {"pwoer": 1}}, "cell.yaml: light has the unknown key 'pwoer'"),
        ({"light": 3}, "cell.yaml: parameter light is 3, expected Light"),
    ],
)
def test_a_bad_value_in_a_section_is_refused_with_the_sections_name(mapping, words):
    with pytest.raises(CadsightError) as caught:
        from_mapping(Room, mapping, "cell.yaml")
    assert str(caught.value).startswith(words)


@dataclass(frozen=True)
class Hall:
    lamp: Light = parameter(Light(), "what lights it", earlier="light")
    gates: int = parameter(1, "number of gates", earlier="doors")


def test_a_key_of_an_earlier_version_is_read_with_a_notice_and_never_beside_the_new_one(caplog):
    assert from_mapping(Hall, {"light": {"power": 3}, "gates": 2}, "cell.yaml") == Hall(Light(power=3.0), 2)
    assert [record.message for record in caplog.records] == [
        "cell.yaml has the key 'light', which is called 'lamp' now"
    ]
    with pytest.raises(CadsightError, match="has the unknown key 'doors', expected one of gates, lamp"):
        from_mapping(Hall, {"doors": 1, "gates": 2}, "cell.yaml")


def test_by_their_first_names_fields_are_written_as_before_they_were_renamed():
    light = Light(power=3.0)
    assert by_first_names(Hall(light, 2)) == {"light": asdict(light), "doors": 2}
