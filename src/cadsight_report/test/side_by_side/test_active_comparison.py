import re

import pytest
from cadsight_core.errors import CadsightError
from cadsight_report.side_by_side.active_comparison import write_active_page
from made_active import active_comparison, result, results

LINE = {10: [0.1, 0.1], 25: [0.25, 0.25], 50: [0.5, 0.5]}
TWICE = {k: [2 * v for v in values] for k, values in LINE.items()}
FOUND = [
    result("random", 10, 0, 0.01, has_base=False),
    *results("random", LINE),
    *results("entropy", TWICE),
    *results("dbal", TWICE),
]


def rows(page: str, section: str) -> dict[str, list[str]]:
    """The words of each row of a section's table by its first."""
    text = page[page.index(f'<section id="{section}">') :]
    text = text[: text.index("</section>")]
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", text)]
    return {cells[0]: cells[1:] for cells in found if cells}


def test_the_page_has_both_charts_and_both_tables_and_needs_nothing_else(tmp_path):
    goes_on = results("dbal", {25: [0.5], 50: [0.9]}, cycle=True)
    page = write_active_page(tmp_path / "a.html", active_comparison([*FOUND, *goes_on])).read_text()
    assert page.count("<svg") == 2
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert rows(page, "savings")["S+R entropy"][1].startswith("25 (")
    assert rows(page, "table")["S+R entropy"] == [
        "50",
        "150",
        "1.000",
        "1.000",
        "1.000 (1.000 to 1.000)",
        "+0.500 (+0.500 to +0.500)",
    ]
    assert "R random" in rows(page, "table")


def test_without_further_cycles_there_is_one_chart(tmp_path):
    page = write_active_page(tmp_path / "a.html", active_comparison(FOUND)).read_text()
    assert page.count("<svg") == 1
    assert 'id="cycles"' not in page


def test_a_base_without_the_parts_classes_has_no_figure_and_the_page_says_why(tmp_path):
    sentence = "The base's classes are not the parts', so that it has no figure of its own."
    without = write_active_page(tmp_path / "a.html", active_comparison(FOUND)).read_text()
    there = write_active_page(tmp_path / "b.html", active_comparison(FOUND, base=0.05)).read_text()
    assert sentence in without
    assert sentence not in there
    assert rows(there, "table")["S"][1:3] == ["", "0.050"]


def test_what_never_reaches_random_says_never(tmp_path):
    low = [*results("random", TWICE), *results("entropy", LINE)]
    page = write_active_page(tmp_path / "a.html", active_comparison(low)).read_text()
    assert rows(page, "savings")["S+R entropy"][1] == "never (never to never)"


def test_a_page_of_others_is_not_written_over(tmp_path):
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(CadsightError, match="expected another name"):
        write_active_page(tmp_path / "a.html", active_comparison(FOUND))
    assert (tmp_path / "a.html").read_text() == "mine"
