"""`cadsight generate`: images out of a trained generator, and what is made of them; a module an action."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_cli.commands.generation.generate import label, make, sort

    parser = subparsers.add_parser(
        "generate",
        help="make images with a trained generator",
        description="Make images with a trained generator. `cadsight generate --model ...` is `make`.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action in (make, label, sort):
        action.add_parser(actions)
    parser.default_action = "make"  # type: ignore[attr-defined]
