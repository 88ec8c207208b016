"""Write the tables of parameters in docs/nodes.md from the dataclasses that the nodes read.

`python scripts/node_docs.py` prints the page as it should be; with `--write` it brings the page up to date.
"""

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parameter_tables import class_of, markdown, row, run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "nodes.md"

# Before each table the page names the node (or what else has keys) and its dataclass.
_TABLE = re.compile(r"(<!-- (?:parameters|keys) \w+ ([\w.:]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NODE = re.compile(r"<!-- parameters (\w+) ([\w.:]+) -->")


def page(text: str) -> str:
    """``text`` with every table between its markers made anew."""
    return _TABLE.sub(lambda m: f"{m[1]}\n{table(class_of(m[2]))}\n{m[3]}", text)


def nodes() -> dict[str, str]:
    """Where the parameters of each node of the page are, by its name."""
    return dict(_NODE.findall(PAGE.read_text(encoding="utf-8")))


def source(name: str) -> type:
    """The dataclass of a node, imported only now."""
    return class_of(nodes()[name])


def table(cls: type) -> str:
    """A Markdown table of the fields of a parameter dataclass."""
    return markdown("name", (row(name, field, hint, _formatted) for name, field, hint in fields(cls)))


def fields(cls: type, prefix: str = "") -> Iterator[tuple[str, "dataclasses.Field[Any]", Any]]:
    """(name as ROS has it, field, type) of every parameter; those of a section come after its name and a point."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from fields(hint, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, field, hint


def _formatted(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_formatted, value))}]"
    return "''" if value == "" else str(value)


if __name__ == "__main__":
    raise SystemExit(run(__doc__ or "", PAGE, page))
