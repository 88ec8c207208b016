"""Records out of JSON and CSV, and values in them by the path of their key."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import read_json
from cadsight_core.formats.files.text_files import read_text
from cadsight_core.geometry import Array

Record = Mapping[str, Any]
_PLACE = re.compile(r"\{([^{}:]+)(?::(0?\d+)d)?\}")


def read_records(path: Path, under: str = "", delimiter: str = ",", header: bool = True) -> list[Record]:
    """The records of a JSON or YAML file, or the rows of any other as a table.

    Args:
        under: path of the key that holds the list in JSON; empty where the file is the list.
        header: whether a table's first row names its columns; else they are called ``0``, ``1`` and so on.

    Raises:
        CadsightError: when the file cannot be read, or holds no list of records.
    """
    if path.suffix.lower() not in (".json", ".yaml", ".yml"):
        return _table(path, delimiter, header)
    found = value_at(read_document_of(path), under, str(path)) if under else read_document_of(path)
    if isinstance(found, Mapping):
        found = [{"key": key, **value} if isinstance(value, Mapping) else {"key": key} for key, value in found.items()]
    if not isinstance(found, list) or not all(isinstance(r, Mapping | list) for r in found):
        raise CadsightError(f"{path} holds no list of records{f' under {under!r}' if under else ''}, expected one")
    return [r if isinstance(r, Mapping) else {str(i): v for i, v in enumerate(r)} for r in found]


def read_document_of(path: Path) -> Any:
    """What a JSON or YAML file holds.

    Raises:
        CadsightError: when it cannot be read.
    """
    return read_json(path) if path.suffix.lower() == ".json" else read_yaml(path)


def value_at(record: Any, key: str, where: str) -> Any:
    """The value under a path such as ``joint_angles_deg.joint_1`` or ``T.0.3``.

    Raises:
        CadsightError: naming the key that is missing, and those that are there.
    """
    if isinstance(record, Mapping) and key in record:  # a column's name may have a dot in it
        return record[key]
    at = record
    for word in key.split("."):
        if isinstance(at, Mapping) and word in at:
            at = at[word]
        elif isinstance(at, list) and word.isdigit() and int(word) < len(at):
            at = at[int(word)]
        else:
            there = ", ".join(map(str, list(at)[:8])) if isinstance(at, Mapping) else f"a {type(at).__name__}"
            raise CadsightError(f"{where} has no key {key!r}, expected one of its keys: {there}")
    return at


def numbers_at(record: Any, keys: Sequence[str], where: str) -> Array:
    """The numbers under some keys, one after the other; a key may hold a list of them, also a nested one.

    Raises:
        CadsightError: for a key that is missing or holds something else than finite numbers.
    """
    found = [np.ravel(_numbers(value_at(record, key, where), key, where)) for key in keys]
    return np.concatenate(found) if found else np.zeros(0)


def placed(pattern: str, record: Any, where: str) -> str:
    """``pattern`` with each ``{key}`` or ``{key:02d}`` replaced by the record's value.

    Raises:
        CadsightError: for a key that is missing, or no whole number where digits are wanted.
    """

    def value(match: "re.Match[str]") -> str:
        found = value_at(record, match[1], where)
        if match[2] is None:
            return str(found)
        try:
            return format(int(found), f"{match[2]}d")
        except (TypeError, ValueError) as error:
            raise CadsightError(f"{where}: {match[1]} is {found!r}, expected a whole number for {match[0]}") from error

    return _PLACE.sub(value, pattern)


def _numbers(value: Any, key: str, where: str) -> Array:
    try:
        numbers = np.array(value, float)
    except (TypeError, ValueError) as error:
        raise CadsightError(f"{where}: {key} is {value!r}, expected a number, or a list of numbers") from error
    if not np.isfinite(numbers).all():
        raise CadsightError(f"{where}: {key} is {value!r}, expected finite numbers")
    return numbers


def _table(path: Path, delimiter: str, header: bool) -> list[Record]:
    text = read_text(path)
    space = delimiter.isspace() and delimiter != "\t"
    reader = csv.reader(io.StringIO(text), delimiter=" " if space else delimiter, skipinitialspace=True)
    rows = [[cell.strip() for cell in row if cell or not space] for row in reader]
    rows = [row for row in rows if any(row) and not row[0].startswith("#")]
    if not rows:
        raise CadsightError(f"{path} has no rows, expected a table of poses")
    names = rows[0] if header else [str(i) for i in range(len(rows[0]))]
    found: list[Record] = []
    for number, row in enumerate(rows[1:] if header else rows, 2 if header else 1):
        if len(row) != len(names):
            raise CadsightError(f"{path}: row {number} has {len(row)} columns, expected {len(names)}")
        found.append(dict(zip(names, row, strict=True)))
    return found
