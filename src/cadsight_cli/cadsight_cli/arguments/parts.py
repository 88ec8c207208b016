"""Parts on the command line."""

from collections.abc import Sequence

from cadsight_core.parts.part import Part, load_part
from cadsight_learning.data.loading import parts_in


def parts_of(paths: Sequence[str], names: Sequence[str]) -> list[Part]:
    """The parts of YAML files, each with its index in the class ``names`` as its class id.

    Raises:
        CadsightError: for a file that cannot be used, and as :func:`cadsight_learning.data.loading.parts_in`.
    """
    return parts_in([load_part(path) for path in paths], names)
