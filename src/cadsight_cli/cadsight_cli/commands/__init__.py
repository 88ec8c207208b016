"""One module a subcommand: `add_parser(subparsers)` describes it and names the function that runs it.

A module lies here or in the room of its subject; a folder that is no room is a command with actions of its own.
"""

import pkgutil

# Rooms: what the arm and the live camera do, images that networks make, images and parts, models and what they learn.
ROOMS = ("cell", "generation", "images", "learning")


def modules() -> dict[str, str]:
    """The module of each subcommand."""
    found = {}
    for room in ("", *ROOMS):
        folders = [f"{path}/{room}" for path in __path__]
        for module in pkgutil.iter_modules(folders):
            if not module.name.startswith("_") and (room or module.name not in ROOMS):
                found[module.name] = ".".join((__name__, *([room] if room else []), module.name))
    return dict(sorted(found.items()))
