"""A package of somebody else, as an installer leaves it in a folder of packages."""

from pathlib import Path


def install(site: Path, name: str, group: str, entry_point: str, modules: dict[str, str] | None = None) -> None:
    """Write its entry point in ``group``, and ``modules`` by their names."""
    for module, source in (modules or {}).items():
        (site / f"{module}.py").write_text(source)
    about = site / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{entry_point}\n")
