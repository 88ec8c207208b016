"""`cadsight models`: what is in the registry."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    parser = subparsers.add_parser("models", help="list the trained models", description="List the trained models.")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_learning.registry import list_models

    found = list_models(args.models)
    if not found:
        print(f"{args.models} holds no model yet; `cadsight demo` and `cadsight train` make some")
    for folder, card in found:
        shown = ("map50", "map50_95") if card.kind == "detector" else ("mean_deg", "median_deg")
        figures = " ".join(f"{k} {card.figures[k]:.3f}" for k in shown if k in card.figures)
        print(f"{folder.name:24} {card.kind:9} {card.architecture:10} {card.created}  {figures}  {card.started_from}")
    return 0
