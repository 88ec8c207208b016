"""Files that parameters name, wherever the workspace was installed."""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cadsight_core.errors import CadsightError

_SCHEME = "package://"


def resolve(name: str) -> Path:
    """The path of a file parameter: ``package://PACKAGE/FILE`` in a package's share folder, else as it is.

    Raises:
        CadsightError: for a package that is not installed.
    """
    if not name.startswith(_SCHEME):
        return Path(name).expanduser()
    package, _, file = name[len(_SCHEME) :].partition("/")
    try:
        return Path(get_package_share_directory(package)) / file
    except (PackageNotFoundError, ValueError) as error:
        raise CadsightError(f"{name} names the package {package!r}, which is not installed") from error
