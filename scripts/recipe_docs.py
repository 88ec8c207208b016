"""Write the tables of keys in docs/synthesis.md from the dataclasses that recipes are read into.

`python scripts/recipe_docs.py` prints the page as it should be; with `--write` it brings the page up to date.
"""

import argparse
import dataclasses
import importlib
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "synthesis.md"

_SAMPLING = "cadsight_synthesis.sampling"
# Name in the page's markers: where the dataclass is, and that whose keys are told elsewhere.
SOURCES = {
    "recipe": (f"{_SAMPLING}.base:SceneRecipe", ""),
    "box": (f"{_SAMPLING}.box:BoxRecipe", f"{_SAMPLING}.base:SceneRecipe"),
    "randomised": (f"{_SAMPLING}.randomised:RandomisedRecipe", f"{_SAMPLING}.base:SceneRecipe"),
    "weather": (f"{_SAMPLING}.weather:WeatherRecipe", f"{_SAMPLING}.randomised:RandomisedRecipe"),
    "views": (f"{_SAMPLING}.views:ViewsRecipe", f"{_SAMPLING}.base:SceneRecipe"),
    "composed": ("cadsight_synthesis.composed_set:ComposedRecipe", f"{_SAMPLING}.base:Recipe"),
    "pictures": ("cadsight_synthesis.pools:PictureEntry", ""),
    "meshes": ("cadsight_synthesis.pools:MeshEntry", ""),
    "looks": ("cadsight_synthesis.looks:Look", ""),
    "augmentation": ("cadsight_synthesis.augmentation:AugmentationParameters", ""),
}
_TABLE = re.compile(r"(<!-- keys (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """``text`` with every table between its markers made anew."""
    return _TABLE.sub(lambda m: f"{m[1]}\n{table(*(_class(name) for name in SOURCES[m[2]]))}\n{m[3]}", text)


def table(cls: type, told: type | None = None) -> str:
    """A Markdown table of the keys of ``cls``, without those that are as in ``told``."""
    known = {name: _shown(_default(field)) for name, field, _ in keys(told)} if told is not None else {}
    lines = ["| key | default | allowed | what |", "|---|---|---|---|"]
    for name, field, hint in keys(cls):
        default = _shown(_default(field))
        if known.get(name) == default or (name == "kind" and told is not None):
            continue
        cells = (f"`{name}`", f"`{default}`", _allowed(field, hint), field.metadata.get("description", ""))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def keys(cls: type | None, prefix: str = "", default: Any = None) -> Iterator[tuple[str, Any, Any]]:
    """(key, field, type) of everything that a recipe may say; a section's keys come after its name and a point.

    The field's default is the one that holds where the section stands.
    """
    assert cls is not None
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint, value = hints[field.name], _default(field) if default is None else getattr(default, field.name)
        section = isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint.__name__ != "Source"
        if section:
            yield from keys(hint, f"{prefix}{field.name}.", value)
        else:
            standing = dataclasses.field(default=value, metadata=field.metadata)
            yield prefix + field.name, standing, hint


def _class(name: str) -> Any:
    module, _, cls = name.partition(":")
    return getattr(importlib.import_module(module), cls) if name else None


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if type(value).__name__ == "Source":
        return value.name or "''"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        plain = {f.name: _default(f) for f in dataclasses.fields(value)}
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in said.items() if v != plain[k]) + "}"
    if value is None:
        return "none"
    return "''" if str(value) in ("", ".") else str(value)


def _allowed(field: "dataclasses.Field[Any]", hint: Any) -> str:
    low, high, choices = (field.metadata.get(key) for key in ("minimum", "maximum", "choices"))
    if choices or typing.get_origin(hint) is typing.Literal:
        return ", ".join(f"`{_shown(choice)}`" for choice in choices or typing.get_args(hint))
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"at least {low:g}"
    return f"at most {high:g}" if high is not None else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/synthesis.md instead of printing it")
    args = parser.parse_args()
    made = page(PAGE.read_text(encoding="utf-8"))
    if args.write:
        PAGE.write_text(made, encoding="utf-8")
    else:
        print(made, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
