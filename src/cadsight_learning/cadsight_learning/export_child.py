"""Exports a network: the process that :mod:`cadsight_learning.runtime.export_process` starts.

    python -m cadsight_learning.export_child MODEL WEIGHTS_SHA256 FORMAT ROWS COLUMNS PARENT

It writes a JSON object a line: ``tell`` with a step, and at its end ``error`` with a sentence where nothing was made.
"""

import os
import sys
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.running.child_process import end_with_parent
from cadsight_core.storage.json_text import json_text


def main(words: list[str]) -> int:
    model, weights, kind, rows, columns, parent = words
    end_with_parent()
    if os.getppid() != int(parent):  # it died before we could ask to end with it
        return 1
    # What libraries print is none of our answers.
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)

        def send(**words: Any) -> None:
            print(json_text(words), file=answers)

        try:
            _export(Path(model), weights, kind, (int(rows), int(columns)), send)
        except CadsightError as error:
            send(error=str(error))
        except KeyboardInterrupt:
            return 130
    return 0


def _export(folder: Path, weights: str, kind: str, shape: tuple[int, int], send: Any) -> None:
    from dataclasses import replace

    from cadsight_learning.models import exportable, exports_of
    from cadsight_learning.registry.card import load_card
    from cadsight_learning.runtime.exporting import export

    network = exportable(folder)
    exports = replace(exports_of(folder, load_card(folder)), tell=lambda step: send(tell=step))
    # They were asked for before they were loaded, and are checked again after it.
    if exports.weights_sha256 != weights:
        raise CadsightError(f"the weights of {folder} changed while they were exported, expected them to stay")
    export(exports, network, kind, shape)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
