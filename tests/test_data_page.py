"""docs/data.md has a row for each format, and says of each whether it is written."""

import re
from pathlib import Path

from cadsight_core.formats.known import READERS
from cadsight_core.formats.writers import TARGETS

PAGE = Path(__file__).parents[1] / "docs" / "data.md"


def test_the_table_of_formats_has_each_that_is_read_and_written():
    rows = dict(re.findall(r"^\| (\w+) \| .+? \| (`--to \w+`|no) \|.*\|$", PAGE.read_text(), re.MULTILINE))
    assert rows == {r.name: f"`--to {r.name}`" if r.name in TARGETS else "no" for r in READERS}
    assert set(TARGETS) <= set(rows)
