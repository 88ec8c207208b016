import contextlib
import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load
from cadsight_core.formats.anything import Reading, find, read
from cadsight_core.formats.convert import convert
from cadsight_core.formats.reading.notes import Notes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from set_parts import set_parts
from written import via_of

HEADER = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
RECT = {"name": "rect", "x": 4, "y": 3, "width": 10, "height": 8}
POLYGON = {"name": "polygon", "all_points_x": [1, 9, 5], "all_points_y": [2, 2, 8]}


def region(shape, **attributes):
    return {"shape_attributes": shape, "region_attributes": attributes}


def table(entries):
    """As VIA 2 exports it: quotes doubled in JSON, a row of empty objects for an image without regions."""

    def cell(value):
        return '"' + json.dumps(value, separators=(",", ":")).replace('"', '""') + '"'

    rows = [HEADER]
    for name, size, attributes, regions in entries:
        start = f"{name},{size},{cell(attributes)}"
        for number, one in enumerate(regions):
            cells = cell(one["shape_attributes"]), cell(one["region_attributes"])
            rows.append(f"{start},{len(regions)},{number},{','.join(cells)}")
        if not regions:
            rows.append(f'{start},0,0,"{{}}","{{}}"')
    return "\n".join(rows) + "\n"


@pytest.fixture
def folder(tmp_path, image_file):
    image_file("set/a.png")
    image_file("set/b.png")
    return tmp_path / "set"


def test_a_table_is_read_with_images_that_have_no_region(folder):
    regions = [region(RECT, **{"class": "bolt"}), region(POLYGON, **{"class": "nut", "state": 'worn, "old"'})]
    file = folder / "via_region_data.csv"
    file.write_text(table([("a.png", 7, {"light": "lamp"}, regions), ("b.png", 8, {}, [])]))
    found = find(folder)
    assert (found.claim.format, found.claim.labels, found.labels, found.images) == ("via", (file,), (), ())
    loaded = read(folder)
    assert loaded.classes == ("bolt", "nut")
    first, second = loaded.samples
    assert [i.box.as_tuple() for i in first.instances] == [(4, 3, 14, 11), (1, 2, 9, 8)]
    assert first.instances[1].attributes["segmentation"] == [[1, 2, 9, 2, 5, 8]]
    assert first.instances[1].attributes["region_attributes"] == {"state": 'worn, "old"'}
    assert first.record["via"]["file_attributes"] == {"light": "lamp"}
    assert second.instances == ()
    account = convert(folder, folder.parent / "out", "yolo").account
    assert (account.written.images, account.written.labels) == (2, 2)
    assert [(one.what, one.count) for one in account.left_out] == [("outlines", 1), ("attributes", 1)]


@pytest.mark.parametrize(
    ("encoding", "header", "separator"),
    [("utf-8-sig", HEADER, ","), ("utf-16", HEADER, ","), ("utf-8", "#" + HEADER, ","), ("utf-8", HEADER, ";")],
    ids=["mark", "utf-16", "first version", "spreadsheet"],
)
def test_what_other_versions_and_spreadsheets_write_is_read(folder, encoding, header, separator):
    row = ["a.png", "7", '"{}"', "1", "0", '"{""name"":""point"",""cx"":3,""cy"":5}"', '"{""class"":""bolt""}"']
    text = header.replace(",", separator) + "\n" + separator.join(row) + "\n"
    (folder / "via_export_csv.csv").write_bytes(text.encode(encoding))
    assert [[i.box.as_tuple() for i in s.instances] for s in load(folder, Reading(allow_loss=True))[0]] == [
        [(3, 5, 3, 5)]
    ]


def test_a_table_beside_the_json_of_the_same_regions_is_one_set(folder):
    regions = [region(RECT, **{"class": "bolt"})]
    entry = {"filename": "a.png", "size": 7, "regions": regions, "file_attributes": {}}
    (folder / "via.json").write_text(json.dumps({"a.png7": entry}))
    (folder / "via.csv").write_text(table([("a.png", 7, {}, regions), ("b.png", 8, {}, regions)]))
    assert [len(s.instances) for s in load(folder)[0]] == [1, 1]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            'a.png,7,"{}",1,0,"{""name"":""rect""","{}"',
            r"line 2: region_shape_attributes is '\{\"name\":\"rect\"', exp",
        ),
        ('a.png,7,"{}",1,0,"{""x"":NaN}","{}"', r"line 2: region_shape_attributes is '\{\"x\":NaN\}', .*finite"),
        ('a.png,7,"{}",1,0,"{}","[1]"', r"line 2: region_attributes is '\[1\]', expected an object"),
        ('a.png,7,"{}",2,0,"{""name"":""point"",""cx"":3,""cy"":5}","{""class"":""b""}"', "2 regions and has 1 rows"),
        (',7,"{}",1,0,"{}","{}"', "line 2: the row names no image"),
        ('c.png,7,"{}",0,0,"{}","{}"', r"the image 'c\.png' does not exist"),
        ('a.png,7,"{}",1,0,"{""name"":""blob""}","{""class"":""b""}"', "region 0 of 'a.png': the shape is 'blob'"),
        ("a,1.png,7,{},1,0,{},{}", "line 2: the row has 8 columns, expected 7"),
        ('a.png,7,"{}",1,0,"{""name', r"line 2: it is no table \(unexpected end of data\), expected whole rows"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_position(folder, row, words):
    (folder / "via.csv").write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(CadsightError, match=words):
        load(folder)


def test_a_table_in_another_encoding_is_refused_by_its_name(folder):
    (folder / "via.csv").write_bytes(table([("groß.png", 7, {}, [])]).encode("latin-1"))
    with pytest.raises(CadsightError, match=r"via\.csv is not in UTF-8 \(byte 0xdf in line 2\); it looks like Latin-1"):
        load(folder)


def test_a_table_of_other_columns_is_not_vias(folder):
    (folder / "boxes.csv").write_text("filename,xmin,ymin,xmax,ymax\na.png,1,2,3,4\n")
    with pytest.raises(
        CadsightError, match=r"look like labels and are not read, the first is .*boxes\.csv \(a table\)"
    ):
        load(folder)
    with pytest.raises(CadsightError, match=r"boxes\.csv is in no known format"):
        load(folder / "boxes.csv")


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
numbers = st.integers(0, 30) | st.floats(0, 30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.tuples(numbers, numbers, numbers, numbers, st.dictionaries(texts, texts, max_size=2), texts), max_size=4
    )
)
def test_a_table_is_read_as_the_json_of_the_same_regions(folder, data):
    regions = [
        region({"name": "rect", "x": x, "y": y, "width": w, "height": h}, **{**more, "class": f"c{name}"})
        for x, y, w, h, more, name in data
    ]
    (folder / "a.csv").write_text(table([("a.png", 7, {}, regions)]))
    entry = {"filename": "a.png", "size": 7, "regions": regions, "file_attributes": {}}
    (folder / "a.json").write_text(json.dumps({"a.png7": entry}))
    first, second = (via_of(*set_parts(folder / name)[:2], folder / name[2:]) for name in ("a.csv", "a.json"))
    assert first == second
    assert len(next(iter(first.values()))["regions"]) == len(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.text('a.png,";{}0:[]\n', max_size=60))
def test_any_text_below_the_header_is_read_or_refused_in_a_sentence(folder, text):
    (folder / "a.csv").write_bytes(f"{HEADER}\n{text}".encode(errors="surrogatepass"))
    with contextlib.suppress(CadsightError):
        assert len(read(folder / "a.csv", Notes()).samples) <= 2
