"""Starting checkpoints that come with CADsight, made by `cadsight train base` of drawn solids."""

from pathlib import Path

from cadsight_core.errors import CadsightError

_FOLDER = Path(__file__).parent / "shipped"


def start_of(weights: str, architecture: str) -> str:
    """The option ``weights``, its ``auto`` being ``base`` where that is shipped of the network, else ``scratch``."""
    if weights != "auto":
        return weights
    return "base" if (_FOLDER / f"{architecture}.pt").is_file() else "scratch"


def shipped(architecture: str) -> Path:
    """The file of the checkpoint that ``architecture`` may start from: a state_dict in half precision.

    Its card, with figures and options, lies beside it: the same name, ``.json``.

    Raises:
        CadsightError: for a network that comes without one.
    """
    path = _FOLDER / f"{architecture}.pt"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in _FOLDER.glob("*.pt")))
        raise CadsightError(f"no base checkpoint of {architecture} is shipped, expected {there}, or other weights")
    return path
