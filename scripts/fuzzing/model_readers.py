"""Readers of models and bags."""

from pathlib import Path

import torch
from cadsight_core.storage.json_text import json_text
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.store import list_models
from cadsight_learning.weights.checkpoint import load_state, save_checkpoint
from cadsight_ros.bags import BagWriter, read_bag, typestore_with
from cadsight_ros.convert.messages import serialized_stamp_ns
from rosbags.rosbag2 import StoragePlugin, Writer

from fuzzing.reader import Reader

_TYPES = ("std_msgs/msg/String", "std_msgs/msg/Header")


def model_readers() -> tuple[Reader, ...]:
    return (
        Reader("card", (".json",), _models, _read_card),
        Reader("weights", (".pt",), _models, _read_weights),
        Reader("bag", (".yaml", ".mcap", ".db3"), _bags, _read_bag),
    )


def _models(folder: Path) -> None:
    card = {
        "format": "cadsight-model-1",
        "kind": "detector",
        "architecture": "yolo11n",
        "classes": ["bolt", "nut"],
        "image_size": 640,
        "started_from": "drawn solids",
        "data": {"train": {"pictures": 8, "fingerprint": "ab"}},
        "options": {"epochs": 3},
        "figures": {"map50": 0.5, "loss": None},
        "epochs": 3,
        "best_epoch": 2,
        "seconds": 1.5,
        "extra": {"temperature": 1.0},
    }
    home = folder / "models" / "detector"
    home.mkdir(parents=True)
    (home / "model.json").write_text(json_text(card))
    state = {
        "a.weight": torch.arange(12.0).reshape(3, 4),
        "a.bias": torch.zeros(3, dtype=torch.float16),
        "n": torch.tensor(3),
    }
    save_checkpoint(home / "weights.pt", state)


def _read_card(folder: Path) -> None:
    list_models(folder)
    load_card(folder / "detector")


def _read_weights(folder: Path) -> None:
    load_state(folder / "detector" / "weights.pt")


def _bags(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stores = {name: typestore_with(name) for name in _TYPES}
    string = stores[_TYPES[0]].types[_TYPES[0]](data="a")
    time = stores[_TYPES[1]].types["builtin_interfaces/msg/Time"](sec=3, nanosec=5)
    header = stores[_TYPES[1]].types[_TYPES[1]](stamp=time, frame_id="optical")
    messages = [
        (name, bytes(stores[name].serialize_cdr(m, name))) for name, m in zip(_TYPES, (string, header), strict=True)
    ]
    (folder / "mcap").mkdir()
    with BagWriter(folder / "mcap" / "bag") as bag:
        for number, (name, data) in enumerate(messages * 2):
            bag.write(f"/{name[-6:]}", name, number * 10, data)
    (folder / "sqlite").mkdir()
    with Writer(folder / "sqlite" / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections = {name: writer.add_connection(f"/{name[-6:]}", name, typestore=stores[name]) for name in _TYPES}
        for number, (name, data) in enumerate(messages * 2):
            writer.write(connections[name], number * 10, data)


def _read_bag(folder: Path) -> None:
    for message in read_bag(folder / "bag"):
        if message.type_name != _TYPES[0]:
            serialized_stamp_ns(message.data)
