"""Has a network exported by a process of its own: torch is loaded there, and its memory is given back at the end."""

from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.running.telling import run_telling

from cadsight_learning.runtime.exports import Exports
from cadsight_learning.runtime.sessions import UnusableNetworkError


def export_in_child(exports: Exports, kind: str, shape: tuple[int, int]) -> Path:
    """Make the export of the model for images of ``shape`` (rows, columns) and return its file.

    ``exports.tell`` is called with the steps; what it raises ends the process and is passed on.

    Raises:
        UnusableNetworkError: when it cannot be made, or the process dies.
    """
    name = exports.about["architecture"]
    exports.tell(f"exporting {name} to {kind} for {shape[1]} x {shape[0]} pixels: loading torch")
    words = (exports.model, exports.weights_sha256, kind, *shape)
    stopped: list[BaseException] = []

    def tell(sentence: str) -> None:
        try:
            exports.tell(sentence)
        except BaseException as error:
            stopped.append(error)
            raise

    try:
        run_telling("cadsight_learning.export_child", words, f"the export of {name}", tell)
    except CadsightError as error:
        if stopped:
            raise
        raise UnusableNetworkError(str(error)) from error
    path = exports.find(kind, shape)
    if path is None:
        raise UnusableNetworkError(f"the export of {name} is gone already, expected nobody to remove it")
    return path
