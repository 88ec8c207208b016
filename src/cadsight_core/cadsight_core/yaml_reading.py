"""YAML files as plain values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cadsight_core.errors import CadsightError


def read_yaml(path: str | Path, what: str = "the file ", parse: Callable[[str], Any] = yaml.safe_load) -> Any:
    """What ``parse`` makes of the text in the file.

    Args:
        what: the file's kind, as errors begin.

    Raises:
        CadsightError: when it cannot be read or is not YAML.
    """
    try:
        return parse(Path(path).read_text())
    except OSError as error:
        raise CadsightError(f"{what}{path} could not be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CadsightError(f"{what}{path} is not YAML: {' '.join(str(error).split())}") from error
