from __future__ import annotations

from pathlib import Path

import pytest
from cadsight_cli.launching import plan
from cadsight_core.errors import CadsightError


def write(folder: Path, body: str, name: str = "a.launch.xml") -> Path:
    file = folder / name
    file.write_text(f"<launch>{body}</launch>")
    return file


def read(folder: Path, body: str, given=None, environment=None) -> list[plan.Node]:
    return plan.read(write(folder, body), given or {}, environment or {})


def test_a_node_keeps_everything_that_its_tag_says(tmp_path):
    (tmp_path / "p.yaml").write_text("{}")
    (node,) = read(
        tmp_path,
        """
        <arg name="topic" default="image"/>
        <node pkg="p" exec="e" name="n" namespace="ns" args="--a '$(var topic) b'" output="screen" on_exit="shutdown">
          <param from="$(dirname)/p.yaml"/>
          <param name="rate" value="10"/>
          <param name="label" value="10" type="str"/>
          <remap from="in" to="/$(var topic)"/>
          <env name="B" value="2"/>
        </node>""",
        environment={"A": "1"},
    )
    assert node == plan.Node(
        package="p",
        executable="e",
        name="n",
        namespace="ns",
        arguments=("--a", "image b"),
        parameters=(tmp_path / "p.yaml", {"rate": 10}, {"label": "10"}),
        remappings=(("in", "/image"),),
        environment={"A": "1", "B": "2"},
        required=True,
    )
    assert node.full_name == "/ns/n"


@pytest.mark.parametrize(
    ("namespace", "expected"), [(None, "/n"), ("/", "/n"), ("a", "/a/n"), ("/a", "/a/n"), ("/a/b/", "/a/b/n")]
)
def test_the_full_name_starts_at_the_root(namespace, expected):
    assert plan.Node("p", "e", "n", namespace, (), (), (), {}, False).full_name == expected


@pytest.mark.parametrize(
    ("condition", "given", "starts"),
    [
        ('if="$(var x)"', "true", True),
        ('if="$(var x)"', "True", True),
        ('if="$(var x)"', "1", True),
        ('if="$(var x)"', "false", False),
        ('unless="$(var x)"', "0", True),
        ('unless="$(var x)"', "true", False),
        ('if="$(equals $(var x) none)"', "none", True),
        ('if="$(equals $(var x) none)"', "/a/b", False),
    ],
)
def test_conditions_decide_what_starts(tmp_path, condition, given, starts):
    nodes = read(tmp_path, f'<arg name="x"/><node {condition} pkg="p" exec="e"/>', {"x": given})
    assert len(nodes) == starts


def test_an_include_sees_the_arguments_around_it_and_the_ones_it_is_given(tmp_path):
    write(
        tmp_path,
        """<arg name="a" default="own"/><arg name="b" default="own"/><arg name="c" default="own"/>
           <node pkg="$(var a)" exec="$(var b)" name="$(var c)"/>""",
        "inner.launch.xml",
    )
    (node,) = read(
        tmp_path,
        """<arg name="a" default="outer"/>
           <include file="$(dirname)/inner.launch.xml"><arg name="b" value="$(var a)-given"/></include>""",
    )
    assert (node.package, node.executable, node.name) == ("outer", "outer-given", "own")


def test_what_a_group_sets_ends_with_the_group(tmp_path):
    nodes = read(
        tmp_path,
        """<let name="v" value="1"/><set_env name="E" value="1"/>
           <group><let name="v" value="2"/><set_env name="E" value="2"/><node pkg="p" exec="e$(var v)"/></group>
           <node pkg="p" exec="e$(var v)"/>""",
    )
    assert [(node.executable, node.environment["E"]) for node in nodes] == [("e2", "2"), ("e1", "1")]


def test_a_group_that_forwards_nothing_has_what_it_keeps_and_the_environment_of_the_start(tmp_path):
    nodes = read(
        tmp_path,
        """<let name="v" value="1"/><let name="w" value="2"/><set_env name="E" value="1"/>
           <group scoped="true" forwarding="false"><keep name="k" value="$(var v)"/>
             <let unless="$(equals $(var k) 1)" name="w" value="3"/><node pkg="p" exec="e$(var k)"/></group>
           <node pkg="p" exec="e$(var w)"/>""",
        environment={"E": "0"},
    )
    assert [(node.executable, node.environment["E"]) for node in nodes] == [("e1", "0"), ("e2", "1")]
    with pytest.raises(CadsightError, match="'v' has no value"):
        read(tmp_path, '<let name="v" value="1"/><group forwarding="false"><node pkg="p" exec="$(var v)"/></group>')


def test_what_a_group_without_a_scope_sets_stays(tmp_path):
    (node,) = read(tmp_path, '<group scoped="false"><keep name="v" value="2"/></group><node pkg="p" exec="e$(var v)"/>')
    assert node.executable == "e2"


@pytest.mark.parametrize(("environment", "expected"), [({"E": "set"}, "set"), ({}, "else")])
def test_an_environment_variable_wins_over_its_default(tmp_path, environment, expected):
    (node,) = read(tmp_path, '<let name="d" value="else"/><node pkg="p" exec="$(env E $(var d))"/>', None, environment)
    assert node.executable == expected


def test_a_set_variable_reaches_included_files(tmp_path):
    write(tmp_path, '<set_env name="E" value="$(env E 5)"/>', "inner.launch.xml")
    (node,) = read(tmp_path, '<include file="$(dirname)/inner.launch.xml"/><node pkg="p" exec="e"/>')
    assert node.environment == {"E": "5"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<executable cmd='ls'/>", ["<executable>", "<launch>", "group, include"]),
        ("<node pkg='p' exec='e'><extra_arg name='a'/></node>", ["<extra_arg>", "<node>"]),
        ("<node pkg='p' exec='e' prefix='nice'/>", ["'prefix'", "<node>", "on_exit"]),
        ("<node pkg='p' exec='e' respawn='often'/>", ["respawn of a <node>", "'often'"]),
        ("<node pkg='p' exec='e' respawn='true' respawn_delay='soon'/>", ["respawn_delay", "'soon'"]),
        ("<node pkg='p' exec='e' respawn='true' respawn_delay='-1'/>", ["respawn_delay", "'-1'"]),
        ("<node pkg='p'/>", ["<node>", "'exec'"]),
        ("<node pkg='p' exec='e' on_exit='restart'/>", ["'restart'", "'shutdown'"]),
        ("<node pkg='p' exec='$(eval 1 + 1)'/>", ["$(eval 1 + 1)", "find-pkg-share"]),
        ("<node pkg='p' exec='$(var nobody)'/>", ["'nobody'", "nobody:=VALUE"]),
        ("<node pkg='p' exec='$(env NOBODY)'/>", ["'NOBODY'", "no default"]),
        ("<node pkg='p' exec='$(var a'/>", ["'$(var a'", "close"]),
        ("<node pkg='p' exec='$(find-pkg-share no_such_package)'/>", ["'no_such_package'", "not installed"]),
        ("<node if='perhaps' pkg='p' exec='e'/>", ["'perhaps'", "true or false"]),
        ("<arg name='a'/>", ["'a'", "a:=VALUE"]),
        ("<arg name='a' default='c'><choice value='x'/><choice value='y'/></arg>", ["'c'", "x or y"]),
        ("<node pkg='p' exec='e'><param from='/no/such.yaml'/></node>", ["/no/such.yaml", "not there"]),
        ("<node pkg='p' exec='e'><param name='a'/></node>", ["<param>", "'value'"]),
        ("<node pkg='p' exec='e'><param name='a' value='b' type='int'/></node>", ["'b'", "int"]),
        ("<node pkg='p' exec='e'><param name='a' value='b' type='bool[]'/></node>", ["'bool[]'", "str"]),
        ("<include file='/no/such.launch.py'/>", ["such.launch.py", "ros2 launch"]),
        ("<include file='/no/such.launch.xml'/>", ["such.launch.xml", "No such file"]),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(tmp_path, body, words):
    with pytest.raises(CadsightError) as error:
        read(tmp_path, body)
    assert [word for word in words if word not in str(error.value)] == []


def test_a_python_launch_file_behind_a_false_condition_is_left_alone(tmp_path):
    assert read(tmp_path, "<include if='false' file='/no/such.launch.py'/>") == []


def test_an_argument_that_is_not_declared_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="no argument 'sped'; it has speed"):
        read(tmp_path, '<arg name="speed" default="1"/>', {"sped": "2"})


@pytest.mark.parametrize("text", ["<launch>", "", "<robot/>"])
def test_a_file_that_is_no_launch_file_is_refused(tmp_path, text):
    file = tmp_path / "b.launch.xml"
    file.write_text(text)
    with pytest.raises(CadsightError, match=r"b\.launch\.xml"):
        plan.read(file, {}, {})


def test_arguments_are_listed_as_they_are_declared(tmp_path):
    file = write(tmp_path, '<arg name="a" description="first"/><arg name="b" default="x"><choice value="x"/></arg>')
    assert plan.arguments(file) == (
        plan.Argument("a", None, "first", ()),
        plan.Argument("b", "x", "", ("x",)),
    )
