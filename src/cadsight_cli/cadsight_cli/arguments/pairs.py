"""Options that are given as KEY=VALUE."""

from collections.abc import Sequence
from typing import Any

from cadsight_core.errors import CadsightError


def pairs_of(words: Sequence[str], where: str) -> dict[str, Any]:
    """What each of ``words`` says, the values read as YAML.

    Args:
        where: the option that they were given with.

    Raises:
        CadsightError: for a word of another form.
    """
    from cadsight_core.config.yaml_file import parse_yaml

    pairs = [word.partition("=") for word in words]
    wrong = next((word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign), None)
    if wrong is not None:
        raise CadsightError(f"{where} is {wrong!r}, expected KEY=VALUE such as epochs=40")
    return {key.replace("-", "_"): parse_yaml(value, f"{where} {key}") for key, _, value in pairs}
