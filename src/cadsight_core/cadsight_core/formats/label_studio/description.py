"""What Label Studio's full JSON holds, as far as it is read."""

from pathlib import Path
from typing import Any

import msgspec

from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import checked, head_of, json_bytes, parse_json

_MORE = "expected Label Studio's full JSON, a list of tasks with data and annotations (not JSON-MIN)"


class Value(msgspec.Struct):
    """Of a region: per cent of the image's sides, degrees about the top left corner."""

    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    rotation: float | None = None
    rectanglelabels: list[str] | None = None
    labels: list[str] | None = None


class Region(msgspec.Struct):
    type: str = ""
    id: str | int | None = None
    value: Value | None = None
    original_width: float | None = None
    original_height: float | None = None
    image_rotation: float | None = None
    origin: str | None = None
    score: float | None = None


class Annotation(msgspec.Struct):
    """What one person handed in, or what a model said."""

    id: int | str | None = None
    result: list[Any] | None = None
    was_cancelled: bool | None = None
    ground_truth: bool | None = None
    updated_at: str | None = None
    created_at: str | None = None
    completed_by: Any = None
    prediction: Any = None
    model_version: str | None = None


class Task(msgspec.Struct):
    data: dict[str, Any]
    id: int | str | None = None
    annotations: list[Annotation] | None = None
    predictions: list[Any] | None = None
    drafts: list[Any] | None = None
    file_upload: str | None = None


class _TaskHead(msgspec.Struct):
    data: dict[str, Any]
    annotations: list[msgspec.Raw] | None = None
    predictions: list[msgspec.Raw] | None = None


def head_names(path: Path) -> list[list[str]] | None:
    """The names of each task's image if ``path`` is a file of Label Studio's, None where it is none."""
    tasks = head_of(json_bytes(path), list[_TaskHead])
    if not tasks or any(t.annotations is None and t.predictions is None for t in tasks):
        return None
    names = [names_of(task.data) for task in tasks]
    return names if all(names) else None


def read_tasks(path: Path) -> list[Task]:
    """The tasks of a file.

    Raises:
        CadsightError: when it cannot be read, or is no export of Label Studio's.
    """
    found = parse_json(json_bytes(path), path)
    if not isinstance(found, list):
        raise CadsightError(f"{path} holds a {type(found).__name__}, {_MORE}")
    tasks = []
    for number, entry in enumerate(found):
        if not isinstance(entry, dict) or not isinstance(entry.get("data"), dict):
            raise CadsightError(f"{path}: the entry {number} has no data, {_MORE}")
        try:
            tasks.append(checked(entry, Task, f"[{number}]"))
        except CadsightError as error:
            raise CadsightError(f"{path}: {error}") from error
    return tasks


def names_of(data: dict[str, Any], upload: str | None = None) -> list[str]:
    """The names that a task's image may have, the most likely first; uploads are told from what they were before."""
    key = "image" if isinstance(data.get("image"), str) else None
    texts = [data[key]] if key else [v for v in data.values() if isinstance(v, str) and _ends_like_an_image(v)][:1]
    texts += [upload] if upload else []
    names = [n for n in (data.get("cadsight_name"),) if isinstance(n, str)]
    for text in texts:
        names += [text, _last(text)]
        if _is_renamed(_last(text)):
            names.append(_last(text)[9:])
    return list(dict.fromkeys(names))


def _last(address: str) -> str:
    return address.replace("\\", "/").replace("?d=", "/").rpartition("/")[2]


def _is_renamed(name: str) -> bool:
    """Whether eight hex digits of Label Studio's stand before a name."""
    return len(name) > 9 and name[8] == "-" and all(c in "0123456789abcdef" for c in name[:8])


def _ends_like_an_image(text: str) -> bool:
    return text.lower().endswith((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".avif"))
