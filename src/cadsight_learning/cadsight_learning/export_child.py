"""Exports a network: the process that :mod:`cadsight_learning.runtime.export_process` starts, with the folder of the
model, the SHA-256 of its weights, the format, and the rows and columns of images."""

import sys
from dataclasses import replace
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.running.telling import Tell, child_main


def _export(words: list[str], tell: Tell) -> None:
    from cadsight_learning.models import exportable, exports_of
    from cadsight_learning.registry.card import load_card
    from cadsight_learning.runtime.exporting import export

    folder, weights, kind, rows, columns = Path(words[0]), *words[1:]
    network = exportable(folder)
    exports = replace(exports_of(folder, load_card(folder)), tell=tell)
    # They were asked for before they were loaded, and are checked again after it.
    if exports.weights_sha256 != weights:
        raise CadsightError(f"the weights of {folder} changed while they were exported, expected them to stay")
    export(exports, network, kind, (int(rows), int(columns)))


if __name__ == "__main__":
    raise SystemExit(child_main(sys.argv[1:], _export))
