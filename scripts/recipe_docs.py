"""Write the tables of keys in docs/synthesis.md from the dataclasses that recipes are read into.

`python scripts/recipe_docs.py` prints the page as it should be; with `--write` it brings the page up to date.
"""

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cadsight_synthesis.recipes.kinds import KINDS
from parameter_tables import class_of, default_of, markdown, row, run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "synthesis.md"

# Name in the page's markers and where the dataclass is, of what is no kind of recipe.
SOURCES = {
    "recipe": "cadsight_synthesis.recipes.base:SceneRecipe",
    "images": "cadsight_synthesis.assets.pools:ImageEntry",
    "meshes": "cadsight_synthesis.assets.pools:MeshEntry",
    "looks": "cadsight_synthesis.recipes.scenery.looks:Look",
    "augmentation": "cadsight_synthesis.image_ops.augmentation:AugmentationParameters",
}
_TABLE = re.compile(r"(<!-- keys (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """``text`` with every table between its markers made anew."""
    return _TABLE.sub(lambda m: f"{m[1]}\n{table(*classes(m[2]))}\n{m[3]}", text)


def classes(name: str) -> tuple[type, ...]:
    """The dataclass of a table; of a kind of recipe also its base class, whose keys are listed there."""
    if name in SOURCES:
        return (class_of(SOURCES[name]),)
    recipe = KINDS.named(name).recipe
    return recipe, recipe.__mro__[1]


def table(cls: type, base: type | None = None) -> str:
    """A Markdown table of the keys of ``cls``, without those that are as in ``base``."""
    known = {name: _formatted(default_of(field)) for name, field, _ in keys(base)} if base is not None else {}
    return markdown(
        "key",
        (
            row(name, field, hint, _formatted)
            for name, field, hint in keys(cls)
            if known.get(name) != _formatted(default_of(field)) and not (name == "kind" and base is not None)
        ),
    )


def keys(cls: type, prefix: str = "", default: Any = None) -> Iterator[tuple[str, Any, Any]]:
    """(key, field, type) of everything that a recipe may hold; a section's keys come after its name and a point.

    The field's default is the one that holds where the section stands.
    """
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint, value = hints[field.name], default_of(field) if default is None else getattr(default, field.name)
        section = isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint.__name__ != "Source"
        if section:
            yield from keys(hint, f"{prefix}{field.name}.", value)
        else:
            standing = dataclasses.field(default=value, metadata=field.metadata)
            yield prefix + field.name, standing, hint


def _formatted(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_formatted, value))}]"
    if type(value).__name__ == "Source":
        return value.name or "''"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        values = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        plain = {f.name: default_of(f) for f in dataclasses.fields(value)}
        return "{" + ", ".join(f"{k}: {_formatted(v)}" for k, v in values.items() if v != plain[k]) + "}"
    if value is None:
        return "none"
    return "''" if str(value) in ("", ".") else str(value)


if __name__ == "__main__":
    raise SystemExit(run(__doc__ or "", PAGE, page))
