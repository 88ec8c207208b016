"""What in the folder of a run is ours: nothing else is written over or removed."""

from collections.abc import Callable
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import halves_of
from cadsight_core.storage.folders.run_folder import RunFolder, is_figures
from cadsight_core.storage.folders.session_folder import SessionFolder
from cadsight_core.storage.output_file import is_ours, is_page, json_with, refuse_foreign_file
from cadsight_core.storage.output_folder import own_entries, with_parents

_is_settings = json_with("train", "valid", "test", "seed")
_is_steps = json_with("steps")


def refuse_foreign_run(folder: str | Path) -> None:
    """Refuse a folder that is neither new, empty nor an earlier run.

    Raises:
        CadsightError: naming what is in it, or the file that others have under a name of ours.
    """
    run = RunFolder(Path(folder))
    if is_ours(run.settings, _is_settings) or is_ours(run.steps, _is_steps):
        files = ((run.settings, _is_settings), (run.steps, _is_steps), (run.figures, is_figures), (run.page, is_page))
        for path, ours in files:
            refuse_foreign_file(path, ours)
        return
    try:
        there = sorted(run.folder.iterdir()) if run.folder.is_dir() else []
    except OSError as error:
        raise CadsightError(f"the folder {folder} could not be looked at: {error.strerror}") from error
    begun = [*halves_of(run.settings), *halves_of(run.steps)]
    foreign = next((path.name for path in there if path not in begun), None)
    if foreign is not None:
        raise CadsightError(
            f"{folder} is no run of cadsight demo and holds {foreign}, expected a new, an empty or such a folder"
        )


def entries_of_ours(run: RunFolder, piece: Path) -> set[str]:
    """The entries of a piece of ``run`` that we wrote, by their paths in it."""
    return _PIECES[piece.relative_to(run.folder).parts[0]](piece)


def _session(folder: Path) -> set[str]:
    from cadsight_capture.labels.labelling import is_label_report
    from cadsight_capture.session import is_session
    from cadsight_cell.simulation.truth import truth_files
    from cadsight_core.datasets.dataset import files_of

    session_folder = SessionFolder(folder)
    sets = (
        (session_folder.raw, files_of),
        (session_folder.labelled, files_of),
        (session_folder.rejected, files_of),
        (session_folder.truth, truth_files),
    )
    found = _below({piece.name: own_entries(piece, earlier) for piece, earlier in sets})
    if is_ours(session_folder.state, is_session):
        files = (session_folder.state, session_folder.background)
        found |= {file.name for file in files} | {half.name for file in files for half in halves_of(file)}
    return found | ({session_folder.labels.name} if is_ours(session_folder.labels, is_label_report) else set())


def _composed(folder: Path) -> set[str]:
    from cadsight_core.datasets.dataset import files_of

    return own_entries(folder, files_of)


def _export(folder: Path) -> set[str]:
    from cadsight_core.formats.reading.folders import earlier_export

    return own_entries(folder, earlier_export)


def _exports(folder: Path) -> set[str]:
    return _below({path.name: _export(path) for path in folder.iterdir() if path.is_dir()})


def _models(folder: Path) -> set[str]:
    from cadsight_learning.registry.model_folder import files_of_model

    return with_parents(files_of_model(folder))


def _below(own: dict[str, set[str]]) -> set[str]:
    return with_parents({f"{name}/{entry}" for name, entries in own.items() for entry in entries})


_PIECES: dict[str, Callable[[Path], set[str]]] = {
    "sessions": _session,
    "composed": _composed,
    "yolo": _export,
    "coco": _export,
    "regression": _exports,
    "models": _models,
}
