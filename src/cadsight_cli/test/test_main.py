from __future__ import annotations

import subprocess
import sys

import pytest
from cadsight_cli.commands.cell import launch
from cadsight_core.errors import CadsightError

from cadsight_cli import commands
from cadsight_cli import main as command


def test_every_module_of_commands_is_a_subcommand_with_a_description():
    for name in commands.modules():
        parser = command.build_parser([name])
        with pytest.raises(SystemExit) as end:
            parser.parse_args([name, "--help"])
        assert end.value.code == 0


def test_a_module_beside_the_commands_or_in_a_room_is_a_command_and_a_room_is_none(tmp_path, monkeypatch):
    for file in ("first.py", "cell/second.py", "third/__init__.py", "third/action.py", "_none.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "cell" / "__init__.py").touch()
    monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
    name = "cadsight_cli.commands"
    assert commands.modules() == {"first": f"{name}.first", "second": f"{name}.cell.second", "third": f"{name}.third"}


def test_help_lists_every_subcommand(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    printed = capsys.readouterr().out
    assert [name for name in commands.modules() if name not in printed] == []


def test_asking_for_help_imports_neither_torch_nor_rclpy():
    code = (
        "import sys; from cadsight_cli.main import build_parser; build_parser([]);"
        "print([name for name in ('torch', 'rclpy', 'mujoco') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("raised", "status", "printed"),
    [
        (CadsightError("the thing is not there"), 2, "cadsight: the thing is not there\n"),
        (KeyboardInterrupt(), 130, "cadsight: interrupted\n"),
    ],
)
def test_an_error_for_the_user_is_one_line(monkeypatch, capsys, raised, status, printed):
    def fail(name):
        raise raised

    monkeypatch.setattr(launch, "find", fail)
    assert command.main(["launch", "x"]) == status
    assert capsys.readouterr().err == printed


@pytest.mark.parametrize("word", ["a", "a=1", ":=1"])
def test_a_word_that_is_no_launch_argument_is_refused(word):
    with pytest.raises(CadsightError, match="NAME:=VALUE"):
        launch.parse_given([word])


def test_launch_arguments_may_hold_the_separator_and_nothing():
    assert launch.parse_given(["a:=b:=c", "d:="]) == {"a": "b:=c", "d": ""}
