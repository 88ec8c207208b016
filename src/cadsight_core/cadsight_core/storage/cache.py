"""Where files are that can be made again."""

import os
from pathlib import Path

import platformdirs

from cadsight_core.errors import CadsightError


def cache_path(*names: str) -> Path:
    """``$CADSIGHT_CACHE``, else ``cadsight`` in the user's cache (``$XDG_CACHE_HOME``), or a folder in it."""
    home = os.environ.get("CADSIGHT_CACHE") or platformdirs.user_cache_path("cadsight")
    return Path(home).joinpath(*names).absolute()


def cache_folder(*names: str) -> Path:
    """The same, made when it is not there.

    Raises:
        CadsightError: when it cannot be made.
    """
    folder = cache_path(*names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CadsightError(f"the cache {folder} cannot be used: {error.strerror}, set CADSIGHT_CACHE") from error
    return folder
