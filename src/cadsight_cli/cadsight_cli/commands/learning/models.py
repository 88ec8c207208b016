"""`cadsight models`: what is in the registry, and its networks for other programs."""

import argparse
import sys
from dataclasses import asdict

from cadsight_core.storage.json_text import figures_text

from cadsight_cli.arguments.types import COUNT

_WIDTH, _HEIGHT = 640, 480


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    parser = subparsers.add_parser(
        "models", help="list the trained models, or export one", description="List the trained models, or export one."
    )
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the whole cards, and what is broken, as JSON")
    parser.set_defaults(run=run)
    export = parser.add_subparsers(metavar="WHAT").add_parser(
        "export",
        help="write a model for ONNX Runtime or OpenVINO",
        description="Write a model's network for ONNX Runtime or OpenVINO, and compare what it makes of a few images "
        "with what torch makes of them. One export is for images of one aspect.",
    )
    export.add_argument("model", help="name in the registry, or folder of a model")
    export.add_argument("--models", default=argparse.SUPPRESS, metavar="DIR", help="registry folder")
    export.add_argument("--format", choices=("onnx", "openvino"), default="onnx", help="(%(default)s)")
    export.add_argument("--width", type=COUNT, metavar="N", help=f"of a detector's images ({_WIDTH})")
    export.add_argument("--height", type=COUNT, metavar="N", help=f"of a detector's images ({_HEIGHT})")
    export.add_argument("--out", metavar="DIR", help="folder of the export (beside the model's weights)")
    export.set_defaults(run=run_export)


def run(args: argparse.Namespace) -> int:
    from cadsight_learning.registry.store import list_models

    found = list_models(args.models)
    if args.json:
        models = [{"name": folder.name, "folder": str(folder), **asdict(card)} for folder, card in found.models]
        broken = [{"name": folder.name, "folder": str(folder), "reason": reason} for folder, reason in found.broken]
        print(figures_text({"models": models, "broken": broken}, indent=1))
        return 1 if broken else 0
    if not found.models and not found.broken:
        print(f"{args.models} holds no model yet; `cadsight demo` and `cadsight train` make some")
    for folder, card in found.models:
        names = ("map50", "map50_95") if card.kind == "detector" else ("mean_deg", "median_deg")
        figures = " ".join(f"{k} {card.figures[k]:.3f}" for k in names if k in card.figures)
        print(f"{folder.name:24} {card.kind:9} {card.architecture:10} {card.created}  {figures}  {card.started_from}")
    for folder, reason in found.broken:
        print(f"cadsight: the model {folder.name} is broken: {reason}", file=sys.stderr)
    return 1 if found.broken else 0


def run_export(args: argparse.Namespace) -> int:
    from cadsight_learning.data.letterbox import canvas_shape
    from cadsight_learning.models import exportable, exports_of
    from cadsight_learning.registry.card import load_card
    from cadsight_learning.registry.store import find
    from cadsight_learning.runtime.exporting import export

    from cadsight_cli.arguments.idle import refuse_idle

    refuse_idle("with `models export`", {"--json": args.json})
    folder = find(args.model, args.models)
    card = load_card(folder)
    exports = exports_of(folder, card, args.out)
    shape = (card.image_size, card.image_size)
    if card.kind == "detector":
        shape = canvas_shape((args.height or _HEIGHT, args.width or _WIDTH), card.image_size)
    else:
        refuse_idle("for a regressor of normals", {"--width": args.width, "--height": args.height})
    print(exports.find(args.format, shape) or export(exports, exportable(folder), args.format, shape))
    return 0
