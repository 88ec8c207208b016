import pytest
from cadsight_cli.arguments.parts import parts_of
from cadsight_core.errors import CadsightError


@pytest.fixture
def rod(tmp_path):
    file = tmp_path / "rod.yaml"
    file.write_text("{name: rod, class_id: 7, mesh: rod.stl, symmetry: [{axis: [0, 0, 1], order: 0}]}")
    return str(file)


def test_a_part_gets_the_class_of_its_name(rod):
    (part,) = parts_of([rod], ["plate", "rod"])
    assert (part.name, part.class_id, [s.order for s in part.symmetry]) == ("rod", 1, [0])
    assert parts_of([], ["plate"]) == []


def test_a_part_that_is_no_class_or_given_twice_is_refused(rod):
    with pytest.raises(CadsightError, match="the part rod is no class of the data, expected one of: plate"):
        parts_of([rod], ["plate"])
    with pytest.raises(CadsightError, match="the part rod is given twice, expected each once"):
        parts_of([rod, rod], ["rod"])
