"""Bags in MCAP: serialised messages in, the same bytes out, our own types included."""

import contextlib
import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cadsight_core.config.yaml_file import read_yaml
from cadsight_core.errors import CadsightError
from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Reader, StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

_METADATA = "metadata.yaml"
_NEVER = QosTime(sec=9223372036, nsec=854775807)
# `ros2 bag play` offers what was recorded; who comes later needs these, which were sent once.
_SENT_ONCE = ("/tf_static", "/robot_description")
_LATCHED = Qos(
    history=QosHistory.KEEP_LAST,
    depth=100,
    reliability=QosReliability.RELIABLE,
    durability=QosDurability.TRANSIENT_LOCAL,
    deadline=_NEVER,
    lifespan=_NEVER,
    liveliness=QosLiveliness.AUTOMATIC,
    liveliness_lease_duration=_NEVER,
    avoid_ros_namespace_conventions=False,
)


@dataclass(frozen=True)
class BagMessage:
    """One recorded message.

    Attributes:
        type_name: such as ``sensor_msgs/msg/Image``.
        nanoseconds: when it was received by the recorder.
        data: serialised (CDR), as :func:`rclpy.serialization.deserialize_message` and ``publish`` take it.
    """

    topic: str
    type_name: str
    nanoseconds: int
    data: bytes


class BagWriter:
    """Writes a bag, a folder of an MCAP file and its metadata; whole once closed.

    Raises:
        CadsightError: when the folder is there already or cannot be made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self._writer = Writer(self.folder, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except WriterError as error:
            raise CadsightError(f"the bag {self.folder} is there already, expected a new folder") from error
        except OSError as error:
            raise CadsightError(f"the bag {self.folder} could not be made: {error.strerror}") from error
        self._connections: dict[str, Connection] = {}

    def write(self, topic: str, type_name: str, nanoseconds: int, data: bytes) -> None:
        """Append a serialised message.

        Raises:
            CadsightError: when its type is not installed, or the disk refuses the bytes.
        """
        try:
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(
                    topic,
                    type_name,
                    typestore=typestore_with(type_name),
                    offered_qos_profiles=[_LATCHED] if topic in _SENT_ONCE else [],
                )
            self._writer.write(self._connections[topic], nanoseconds, data)
        except OSError as error:
            raise CadsightError(f"the bag {self.folder} could not be extended: {error.strerror}") from error

    def close(self) -> None:
        """Write the index and the metadata.

        Raises:
            CadsightError: when the disk refuses the bytes.
        """
        try:
            self._writer.close()
        except OSError as error:
            raise CadsightError(f"the bag {self.folder} could not be finished: {error.strerror}") from error

    def __enter__(self) -> "BagWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class BagTopic:
    """What a bag holds on one topic: the type, and how many messages."""

    type_name: str
    count: int


def bag_topics(folder: str | Path) -> dict[str, BagTopic]:
    """What a bag holds, by topic.

    Raises:
        CadsightError: when the folder holds no whole bag.
    """
    folder = Path(folder)
    with _reading(folder), Reader(folder) as reader:
        return {name: BagTopic(one.msgtype or "", one.msgcount) for name, one in reader.topics.items()}


def read_bag(folder: str | Path, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
    """The messages of a bag (MCAP or SQLite) in the order of their recording, of ``topics`` or of all.

    Raises:
        CadsightError: when the folder holds no whole bag.
    """
    folder = Path(folder)
    with _reading(folder), Reader(folder) as reader:
        connections = [c for c in reader.connections if topics is None or c.topic in topics]
        if not connections:  # no connection would mean all of them
            return
        for connection, nanoseconds, data in reader.messages(connections):
            yield BagMessage(connection.topic, connection.msgtype, nanoseconds, data)


@contextlib.contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever broken bytes make of its readers: a struct.error, a MemoryError, apsw's, ...
        reason = str(error) or type(error).__name__
        raise CadsightError(f"{folder} is no whole bag: {reason}, expected a folder of rosbag2") from error


def earlier_bag(folder: Path, topics: Collection[str], types: Collection[str] = ()) -> list[str] | None:
    """The files of a bag that :class:`BagWriter` wrote of some of ``topics`` and of any topics of ``types``.

    None where ``folder`` is none.

    One that another recorder wrote, such as ``ros2 bag record``, has that in its metadata.
    """
    try:
        metadata = read_yaml(folder / _METADATA)["rosbag2_bagfile_information"]
        known = [topic["topic_metadata"] for topic in metadata["topics_with_message_count"]]
        recorded = {topic["name"] for topic in known if topic["type"] not in types}
        ours = metadata["ros_distro"] == "rosbags" and recorded <= set(topics)
        return [_METADATA, *map(str, metadata["relative_file_paths"])] if ours else None
    except (CadsightError, TypeError, KeyError):  # whatever else lies there is no such bag
        return None


@functools.cache
def _typestore() -> Typestore:
    return get_typestore(Stores.LATEST)


def typestore_with(type_name: str) -> Typestore:
    """The types known to ``rosbags`` and ``type_name`` with all that it is made of, read from its installed package.

    Raises:
        CadsightError: when the type is neither known nor installed.
    """
    store = _typestore()
    waiting = [type_name]
    while waiting:
        name = waiting.pop()
        if name in store.types:
            continue
        package, kind, short = name.split("/")
        try:
            path = Path(get_package_share_directory(package)) / kind / f"{short}.msg"
            types = get_types_from_msg(path.read_text(), name)
        except (PackageNotFoundError, OSError) as error:
            raise CadsightError(f"the message type {name} is not installed, expected its package {package}") from error
        needed = sorted(_named_types(types[name][1]) - set(store.types) - {name})
        if needed:  # what it is made of goes first
            waiting += [name, *needed]
        else:
            store.register(types)
    return store


def _named_types(fields: object) -> set[str]:
    """The names such as ``geometry_msgs/msg/Vector3`` anywhere in the fields of a parsed message."""
    if isinstance(fields, str):
        return {fields} if fields.count("/") == 2 else set()
    if isinstance(fields, list | tuple):
        return set().union(*map(_named_types, fields)) if fields else set()
    return set()
