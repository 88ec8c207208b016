"""Faults of a file are reported with its file, line and key."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from cadsight_core.config.parameters import check, parameter
from cadsight_core.config.strict_yaml import Document
from cadsight_core.errors import CadsightError


@dataclass(frozen=True)
class Wall:
    height: float = parameter(1.0, "metres", minimum=0.0, maximum=3.0)
    colour: tuple[float, float, float] | None = parameter(None, "red, green, blue")

    def __post_init__(self) -> None:
        check(self)
        if self.height == 2.5:
            raise CadsightError("the wall is in the way")


@dataclass(frozen=True)
class Room:
    name: str
    walls: tuple[Wall, ...] = parameter((), "around it")
    door: Wall = parameter(Wall(height=2.0), "a low wall")
    sizes: tuple[int, ...] = parameter((1,), "numbers")


READERS = {Path: lambda value, folder: folder / value}


def build(tmp_path, text):
    path = tmp_path / "room.yaml"
    path.write_text(text)
    return Document(path).build(Room, READERS)


def test_a_file_becomes_the_dataclass_with_lists_of_sections(tmp_path):
    room = build(tmp_path, "name: hall\nwalls:\n  - height: 2\n  - colour: [1, 0, 0.5]\nsizes: [3, 4]\n")
    assert room == Room("hall", (Wall(2.0), Wall(1.0, (1.0, 0.0, 0.5))), Wall(2.0), (3, 4))
    assert isinstance(room.walls[0].height, float)


def test_a_section_that_names_some_keys_keeps_what_it_is_by_default_where_it_stands(tmp_path):
    assert build(tmp_path, "name: hall\ndoor: {colour: [0, 0, 0]}\n").door == Wall(2.0, (0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: hall\nheigth: 3\n", "line 2 has the unknown key 'heigth', expected one of door, name, sizes, walls"),
        ("name: hall\ndoor:\n  colour: [0, 0, 0]\n  high: 3\n", "line 4, door has the unknown key 'high'"),
        (
            "name: hall\nwalls:\n  - height: 1\n  - height: high\n",
            "line 4, walls[1].height: parameter height is 'high'",
        ),
        ("name: hall\ndoor:\n  height: 3.5\n", "line 3, door.height: parameter height is 3.5, expected at least 0"),
        ("name: hall\ndoor:\n\n  height: 2.5\n", "line 4, door: the wall is in the way"),
        ("name: hall\nname: room\n", "has the key 'name' in line 1 and in line 2, expected it once"),
        ("sizes: [1]\n", "line 1 lacks the key 'name'"),
        ("name: hall\nwalls: 3\n", "line 2, walls is 3, expected a list"),
        ("name: hall\ndoor: low\n", "line 2, door is 'low', expected keys and values of Wall"),
        ("name: hall\nsizes: [1, two]\n", "line 2, sizes: parameter sizes is (1, 'two')"),
        ("- name\n", "holds no keys and values"),
        ("name: [\n", "is not YAML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line_and_key(tmp_path, text, words):
    with pytest.raises(CadsightError) as caught:
        build(tmp_path, text)
    assert words in str(caught.value)
    assert "room.yaml" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CadsightError, match=r"none\.yaml could not be read"):
        Document(tmp_path / "none.yaml")


def test_the_line_of_a_value_is_that_of_its_holder_where_it_is_absent(tmp_path):
    path = tmp_path / "room.yaml"
    path.write_text("name: hall\nwalls:\n  - height: 1\n")
    document = Document(path)
    assert document.where(["walls", 0, "height"]) == f"{path} line 3, walls[0].height"
    assert document.where(["walls", 0, "colour"]) == f"{path} line 3, walls[0].colour"
    assert document.value("name") == "hall"
    assert document.value("door") is None
