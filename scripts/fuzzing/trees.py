"""Changes of JSON, YAML, XML and tables that know their structure: what comes out parses, mostly."""

import base64
import contextlib
import copy
import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from random import Random
from typing import Any

import yaml

from fuzzing import octets, pngs
from fuzzing.values import STRINGS, odd_number, odd_value
from fuzzing.words import encoded

Change = Callable[[bytes, Random], bytes | None]

_BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def json_changed(data: bytes, rng: Random) -> bytes | None:
    """JSON with one node changed; None for what is no JSON."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if rng.random() < 0.01:
        deep = rng.choice((100, 5000, 100000))
        opened, closed = rng.choice((("[", "]"), ('{"a":', "}")))
        return opened.encode() * deep + data + closed.encode() * deep
    try:
        return encoded(json.dumps(changed(tree, rng), ensure_ascii=rng.random() < 0.7, allow_nan=True))
    except ValueError:  # whole numbers of very many digits
        return None


def lines_of_json_changed(data: bytes, rng: Random) -> bytes | None:
    """A line of JSON of several with one node changed."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    line = json_changed(lines[at], rng)
    return None if line is None else b"\n".join([*lines[:at], line, *lines[at + 1 :]])


def yaml_changed(data: bytes, rng: Random) -> bytes | None:
    """YAML with one node changed, or with an anchor that grows tenfold a line."""
    if rng.random() < 0.01:
        bomb = "x0: &x0 [a]\n" + "".join(f"x{i + 1}: &x{i + 1} [{', '.join([f'*x{i}'] * 10)}]\n" for i in range(9))
        return bomb.encode() + data
    try:
        tree = yaml.safe_load(data)
        return encoded(yaml.safe_dump(changed(tree, rng), sort_keys=False, allow_unicode=rng.random() < 0.5))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def changed(tree: Any, rng: Random) -> Any:
    """A tree of lists and dicts with one node replaced, taken away, doubled, renamed or wrapped."""
    tree = copy.deepcopy(tree)
    nodes = list(_nodes(tree))
    if not nodes or rng.random() < 0.02:
        return odd_value(rng)
    holder, key = rng.choice(nodes)
    kind = rng.randrange(10)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        other, there = rng.choice(nodes)
        holder[key] = copy.deepcopy(other[there])
    elif kind == 2:
        old = holder[key]
        text = "a" if isinstance(old, list | dict) else str(old)  # which may stand for a billion of the same
        holder[key] = rng.choice(([old], {"a": old}, text, [old] * 3))
    elif kind == 3:
        _add(holder, key, rng)
    elif kind == 5 and isinstance(holder[key], str) and len(holder[key]) > 60:
        holder[key] = _base64_changed(holder[key], rng)
    elif kind == 4 and isinstance(holder[key], int | float):
        old = holder[key]
        with contextlib.suppress(OverflowError):  # whole numbers of very many digits
            holder[key] = rng.choice((-old, old * 1000, float(old), old + 1, old / 3))
    else:
        holder[key] = odd_value(rng)
    return tree


def _base64_changed(text: str, rng: Random) -> str:
    """An image in base64 with one chunk changed; other text as it is."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return text
    return base64.b64encode(pngs.png_changed(data, rng) or octets.changed(data, (), rng)).decode()


def _nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Every holder with a key or index in it."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    seen = set()  # YAML's anchors may stand for a billion of the same
    while waiting:
        holder = waiting.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _add(holder: Any, key: Any, rng: Random) -> None:
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]) if rng.random() < 0.6 else odd_value(rng))
    elif rng.random() < 0.5:
        holder[rng.choice(STRINGS)] = holder.pop(key)
    else:
        holder[rng.choice((*STRINGS, *map(str, holder)))] = odd_value(rng)


def xml_changed(data: bytes, rng: Random) -> bytes | None:
    """XML with one element changed, nested deeply, or with entities that grow tenfold each."""
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, RecursionError):
        return None
    if rng.random() < 0.01:
        return rng.choice((_BOMB + "]><annotation>&i;</annotation>", "<a>" * 100000 + "</a>" * 100000)).encode()
    elements = list(root.iter())
    chosen, other = rng.choice(elements), rng.choice(elements)
    parent = next((e for e in elements if chosen in list(e)), None)
    kind = rng.randrange(7)
    text = rng.choice((odd_number(rng), rng.choice(STRINGS)))
    if kind == 0 and parent is not None:
        parent.remove(chosen)
    elif kind == 1:
        try:
            other.append(copy.deepcopy(chosen))
        except RecursionError:  # an element may hold hundreds, one within the other
            return None
    elif kind == 2:
        chosen.tag = other.tag
    elif kind == 3 and chosen.attrib:
        name = rng.choice(sorted(chosen.attrib))
        if rng.random() < 0.3:
            del chosen.attrib[name]
        else:
            chosen.attrib[name] = text
    elif kind == 4:
        chosen.attrib[rng.choice(sorted({a for e in elements for a in e.attrib} | {"a"}))] = text
    else:
        chosen.text = text
    try:
        return encoded(ElementTree.tostring(root, "unicode"))
    except RecursionError:
        return None


def table_changed(data: bytes, rng: Random) -> bytes | None:
    """A table with one cell or row changed; JSON in a cell is changed as JSON."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode())))
    except (ValueError, csv.Error):
        return None
    filled = [row for row in rows if row]
    if not filled:
        return None
    row = rng.choice(filled)
    at = rng.randrange(len(row))
    kind = rng.randrange(6)
    if kind == 0:
        del row[at]
    elif kind == 1:
        row.insert(at, rng.choice(row))
    elif kind == 2:
        rows.insert(rng.randrange(len(rows)), rng.choice((row, row[:at], [""] * len(row))))
    else:
        inner = json_changed(row[at].encode("utf-8", "replace"), rng) if row[at].startswith(("{", "[")) else None
        row[at] = inner.decode("utf-8", "replace") if inner else rng.choice((odd_number(rng), rng.choice(STRINGS)))
    out = io.StringIO()
    try:
        csv.writer(out, lineterminator="\n").writerows(rows)
    except csv.Error:
        return None
    return encoded(out.getvalue())
