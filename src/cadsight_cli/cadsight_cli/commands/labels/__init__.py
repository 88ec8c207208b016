"""`cadsight labels`: labels from people, by the tools that they draw with; a module an action."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_cli.commands.labels import exporting, importing

    parser = subparsers.add_parser(
        "labels",
        help="take a batch to Label Studio or CVAT with the model's boxes as a first guess, and back",
        description="Labels from people: a batch goes to a labelling tool with the model's boxes as a first guess, and "
        "comes back as a data set that says of each label where it comes from.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action in (exporting, importing):
        action.add_parser(actions)
