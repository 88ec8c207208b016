"""What a version of a driver understands and offers, as it was read from its public sources on a day."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DriverFacts:
    """One version of a driver.

    Attributes:
        version: of its package.xml.
        distributions: of ROS that it is released for, or the branch where it is developed.
        read_on: the day (ISO 8601) on which this was read.
        commit: of its public repository.
        arguments: of its launch files.
        topics, services: with the names that our launch files give to its nodes; those that CADsight uses.
        controllers: that its controller manager knows; empty for what has none.
    """

    version: str
    distributions: tuple[str, ...]
    read_on: str
    commit: str
    arguments: frozenset[str]
    topics: frozenset[str]
    services: frozenset[str] = frozenset()
    controllers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Driver:
    """A driver as its package installs it.

    Attributes:
        package: its name.
        used_for: what CADsight has it for.
        launch_files: below its share folder; the first one is what ours include, and it includes the others.
        controllers_file: parameters of its controller manager, below its share folder; empty for none.
        known: its versions, oldest first.
    """

    package: str
    used_for: str
    launch_files: tuple[str, ...]
    controllers_file: str
    known: tuple[DriverFacts, ...]
