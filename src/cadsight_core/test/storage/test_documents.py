import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import document_in, read_document, taken_from

FORM = "cadsight-thing-1"


def test_a_document_is_read_without_its_format(tmp_path):
    path = tmp_path / "thing.json"
    path.write_text('{"format": "cadsight-thing-1", "a": 1}')
    assert read_document(path, FORM, "thing") == {"a": 1}
    assert document_in(path.read_bytes(), FORM) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"holds no thing: thing\.json could not be read \(No such file or directory\), expected one"),
        (b"{", r"thing\.json is not JSON \(Expecting property name.*\), expected a thing"),
        (b"\xff{}", r"thing\.json is not JSON \('utf-8' codec can't decode.*\), expected a thing"),
        (b"[]", r"thing\.json holds a list, expected the object of a thing"),
        (b"{}", r"thing\.json has the format None, expected 'cadsight-thing-1'"),
        (b'{"format": "cadsight-thing-2"}', r"thing\.json has the format 'cadsight-thing-2', expected 'cadsight-thi"),
        (b'{"format": ["cadsight-thing-1"]}', r"thing\.json has the format \['cadsight-thing-1'\], expected"),
    ],
)
def test_each_fault_is_a_sentence(tmp_path, content, words):
    path = tmp_path / "thing.json"
    if content is not None:
        path.write_bytes(content)
        assert document_in(content, FORM) is None
    with pytest.raises(CadsightError, match=words):
        read_document(path, FORM, "thing")


def test_what_is_not_usable_is_named_by_the_innermost_that_is_made():
    words = r"^a wheel has no usable 'spokes', expected what a wright makes$"
    outer, inner = taken_from("a cart", "what a cartwright makes"), taken_from("a wheel", "what a wright makes")
    with pytest.raises(CadsightError, match=words), outer, inner:
        _ = {}["spokes"]
