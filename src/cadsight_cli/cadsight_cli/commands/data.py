"""`cadsight data`: data sets that the cell did not make, and those that it did."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import COUNT, POSITIVE, SEED, whole
from cadsight_cli.converting import add_convert

if TYPE_CHECKING:
    from cadsight_synthesis.image_ops.augmentation import AugmentationParameters


_ON_SHEET = 24


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "data",
        help="check, convert, compare, augment and show data sets, annotate from masks, take frames out of videos",
        description="Data sets in any known format: our manifest, YOLO, COCO, VIA, LabelMe, Pascal VOC, CVAT, the "
        "regression file, or a folder of pictures. The format is recognised.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_check(actions)
    add_convert(actions)
    _add_frames(actions)
    _add_show(actions)
    _add_augment(actions)
    _add_annotate(actions)
    _add_distance(actions)


def _add_check(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "check",
        help="say what is wrong with a data set",
        description="Count the labels of each class and tell every problem in a sentence with its file and line. "
        "Exit status 1 when there is one.",
    )
    parser.add_argument("source", metavar="DIR", help="data set: a folder, or a data.yaml, JSON or labels file")
    parser.add_argument("--json", metavar="FILE", help="write the whole report there")
    parser.add_argument("--few", type=whole(0), default=10, metavar="N", help="report classes with fewer labels (10)")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="KIND", help="kind of problem that is none here (repeatable)"
    )
    add_reading(parser, loss=False)
    parser.set_defaults(run=run_check)


def _add_frames(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "frames", help="take pictures out of a video", description="Write frames of a video as pictures."
    )
    parser.add_argument("video", metavar="VIDEO", help="MP4, AVI, MOV or the like")
    parser.add_argument("--fps", type=POSITIVE, default=2.0, help="frames a second of the video (2)")
    parser.add_argument("--grey", action="store_true", help="write them in grey")
    parser.add_argument(
        "--background",
        action="store_true",
        help="the video shows no part: add its frames to the data set DIR, or to a new one, as pictures of nothing",
    )
    parser.add_argument("--split", choices=("train", "valid", "test"), help="split of the backgrounds")
    parser.add_argument("--suffix", choices=(".png", ".jpg"), help="format of the pictures (.png)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the pictures")
    parser.set_defaults(run=run_frames)


def _add_show(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "show", help="draw labels on a few pictures", description="Draw the labels on a few pictures of a data set."
    )
    parser.add_argument("source", metavar="DIR", help="data set: a folder, or a data.yaml, JSON or labels file")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the drawn pictures")
    parser.add_argument("--count", type=COUNT, default=12, metavar="N", help="number of pictures (12)")
    parser.add_argument("--seed", type=SEED, default=0, help="seed of the choice (0)")
    add_reading(parser)
    parser.set_defaults(run=run_show)


def _add_augment(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "augment",
        help="add changed copies of the pictures, labels following",
        description="Write the pictures and changed copies of them: flipped, turned, zoomed, shifted, cropped, in "
        "other light and colours, blurred, noisy. Boxes, masks, contours, normals and points follow. A run that was "
        "stopped goes on where it was.",
    )
    parser.add_argument("source", metavar="DIR", help="data set: a folder, or a data.yaml, JSON or labels file")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set; one that is there is continued")
    parser.add_argument("--copies", type=COUNT, default=1, metavar="N", help="copies of each picture (1)")
    parser.add_argument("--copies-only", action="store_true", help="leave the pictures themselves out")
    parser.add_argument("--split", choices=("train", "valid", "test"), help="only the pictures of this split")
    _add_augmentation(parser)
    add_reading(parser)
    parser.set_defaults(run=run_augment)


def _add_annotate(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "annotate",
        help="turn pictures of masks into contour points for VIA",
        description="Write VIA's JSON of a folder of mask pictures, exact to the pixel. A mask belongs to the picture "
        "with whose name its own begins; its class is the name of its folder in MASKS, its colour's, or --class.",
    )
    parser.add_argument("masks", metavar="MASKS", help="folder of mask pictures, black where nothing is")
    parser.add_argument("--images", required=True, metavar="DIR", help="folder of the pictures that they are of")
    parser.add_argument("--out", required=True, metavar="JSON", help="file to write; pictures go to images/ beside it")
    parser.add_argument(
        "--objects", choices=("colours", "files"), default="colours", help="what is an object (each colour)"
    )
    parser.add_argument("--class", dest="class_name", default="object", metavar="NAME", help="class (object)")
    parser.add_argument(
        "--colour",
        action="append",
        default=[],
        metavar="COLOUR=CLASS",
        help="class of a colour such as ff0000, or of a grey or indexed value; no class passes it over (repeatable)",
    )
    parser.add_argument("--copies", type=whole(0), default=0, metavar="N", help="changed copies of each picture (0)")
    parser.add_argument("--suffix", choices=(".jpg", ".png"), help="format of the copies (.jpg)")
    _add_augmentation(parser)
    parser.set_defaults(run=run_annotate)


def _add_distance(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    parser = actions.add_parser(
        "distance",
        help="say how far two sets of pictures are apart",
        description="Compare the pictures of two data sets: earth mover's distance of their colours, Fréchet and "
        "kernel distance (FID, KID) of the features of a network that is named, and of each picture of SECOND the most "
        "alike one of FIRST.",
    )
    parser.add_argument(
        "first", metavar="FIRST", help="data set such as the training pictures, or a folder of pictures"
    )
    parser.add_argument("second", metavar="SECOND", help="data set such as the test pictures, or a folder of pictures")
    parser.add_argument("--most", type=whole(2), default=500, metavar="N", help="most of each, evenly taken (500)")
    parser.add_argument("--model", metavar="M", help="a detector whose features count: its folder, or name in --models")
    parser.add_argument("--models", metavar="DIR", help=f"registry folder ({MODELS_FOLDER})")
    parser.add_argument("--sheet", metavar="PNG", help="draw the least alike pictures of SECOND beside their nearest")
    parser.add_argument("--count", type=COUNT, metavar="N", help=f"pictures on the sheet ({_ON_SHEET})")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    add_reading(parser)
    parser.set_defaults(run=run_distance)


def _add_augmentation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parameters", metavar="YAML", help="file with parameters of the augmentation")
    parser.add_argument("--seed", type=SEED, help="seed of the copies (0)")
    parser.add_argument("--workers", type=COUNT, default=1, metavar="N", help="processes (1)")


def run_check(args: argparse.Namespace) -> int:
    from cadsight_core.health import check, refuse_unknown_kinds
    from cadsight_core.watching import watched_by

    from cadsight_cli.account_lines import lines_of_found
    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    refuse_unknown_kinds(args.ignore)
    output = JsonOutput(args.json, "folder", "problems", "pictures")
    with watched_by(counted):
        report = check(args.source, few=args.few, reading=reading_of(args), progress=counted).without(args.ignore)
    if report.found is not None:
        print(*lines_of_found(report.found), sep="\n")
    print(f"{report.folder}: {report.pictures} pictures, {report.labels} labels, format {report.format}")
    width = max(map(len, report.counts), default=0)
    for name, count in report.counts.items():
        print(f"  {name:{width}}  {count:6d}")
    if report.backgrounds:
        print(f"  {report.backgrounds} pictures of the background alone")
    if report.crowds:
        print(f"  {report.crowds} labels are crowds: neither learned from nor counted")
    for problem in report.problems:
        print(f"{problem.kind}: {problem.sentence}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.kinds.items())
    print(f"{len(report.problems)} problems: {kinds}" if kinds else "no problems")
    output.write(report.to_json())
    return 1 if report.problems else 0




def run_frames(args: argparse.Namespace) -> int:
    from cadsight_core.video import write_backgrounds, write_frames

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.progress import counted

    if not args.background:
        refuse_idle("without --background", {"--split": args.split})
    if args.background:
        refuse_idle("with --background", {"--suffix": args.suffix})
        dataset = write_backgrounds(
            args.video,
            args.out,
            args.fps,
            grey=args.grey,
            split=args.split or "",
            progress=counted,
        )
        print(f"{sum(name.startswith('background_') for name in dataset.names)} backgrounds")
        print(dataset.folder)
        return 0
    files = write_frames(
        args.video,
        args.out,
        args.fps,
        grey=args.grey,
        suffix=args.suffix or ".png",
        progress=counted,
    )
    print(f"{len(files)} pictures")
    print(args.out)
    return 0


def run_show(args: argparse.Namespace) -> int:
    import numpy as np
    from cadsight_core.drawing import draw_labels
    from cadsight_core.files import inside
    from cadsight_core.formats import load
    from cadsight_core.images import read_image, write_image
    from cadsight_core.output_folder import whole_folder
    from cadsight_core.watching import watched_by

    from cadsight_cli.progress import counted

    with watched_by(counted):
        samples, classes = load(args.source, reading_of(args))
    count = min(args.count, len(samples))
    chosen = sorted(np.random.default_rng(args.seed).choice(len(samples), count, replace=False).tolist())
    with whole_folder(args.out) as work:
        for index in counted(chosen, count, "pictures drawn"):
            sample = samples[index]
            picture = draw_labels(read_image(sample.image), sample.instances, classes)
            write_image(inside(work, f"{sample.name}.png"), picture)
    print(f"{count} of {len(samples)} pictures")
    print(args.out)
    return 0


def run_augment(args: argparse.Namespace) -> int:
    from cadsight_core.watching import watched_by
    from cadsight_synthesis.datasets.augmented import write_augmented_set

    from cadsight_cli.progress import counted

    with watched_by(counted):
        dataset = write_augmented_set(
            args.source,
            args.out,
            args.copies,
            _augmentation(args),
            originals=not args.copies_only,
            split=args.split,
            reading=reading_of(args),
            workers=args.workers,
            progress=counted,
        )
    print(f"{len(dataset)} pictures")
    print(dataset.folder)
    return 0


def run_annotate(args: argparse.Namespace) -> int:
    from cadsight_core.parameters import from_mapping
    from cadsight_synthesis.annotation.masks_to_via import MaskParameters, annotate

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.progress import counted

    if not args.copies:
        changed = {"--suffix": args.suffix, "--parameters": args.parameters, "--seed": args.seed}
        refuse_idle("without --copies", changed)
    if args.objects == "files":
        refuse_idle("with --objects files", {"--colour": args.colour})
    given = {"objects": args.objects, "class_name": args.class_name}
    if args.suffix:
        given["suffix"] = args.suffix
    done = annotate(
        args.masks,
        args.images,
        args.out,
        from_mapping(MaskParameters, given, "the command line"),
        colours=_colours(args.colour),
        copies=args.copies,
        augmentation=_augmentation(args),
        workers=args.workers,
        progress=counted,
    )
    counts = ", ".join(f"{count} {name}" for name, count in done.objects.items()) or "no objects"
    print(f"{done.pictures} pictures: {counts}; {done.copies} copies")
    if done.unmasked or done.empty:
        print(f"without regions: {done.unmasked} without a mask, {done.empty} with an empty one")
    print(done.file)
    return 0


def run_distance(args: argparse.Namespace) -> int:
    from cadsight_core.formats import load
    from cadsight_core.images import encode_image
    from cadsight_core.output_file import noted, refuse_foreign_file, writing_noted
    from cadsight_core.watching import step, watched_by
    from cadsight_learning.options import MODELS_FOLDER
    from cadsight_learning.similarity.compare import between, sheet, some
    from cadsight_learning.similarity.extractors import DetectorFeatures, ImageFeatures

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    if not args.sheet:
        refuse_idle("without --sheet", {"--count": args.count})
    if not args.model:
        refuse_idle("without --model", {"--models": args.models})
    output = JsonOutput(args.json, "first", "second", "neighbours")
    if args.sheet:
        refuse_foreign_file(args.sheet, noted(args.sheet))
    reading = reading_of(args)
    with watched_by(counted):
        with step("sets read"):
            first, second = (some(load(source, reading)[0], args.most) for source in (args.first, args.second))
        with step("network loaded"):
            extractor = DetectorFeatures(args.model, args.models or MODELS_FOLDER) if args.model else ImageFeatures()
        found, neighbours = between(first, second, extractor)
    features, nearest = found["features"], found["nearest"]
    print(f"{len(first)} pictures of {args.first}, {len(second)} of {args.second}")
    print("colours, earth mover's distance: " + ", ".join(f"{k} {v:.2f}" for k, v in found["colours"].items()))
    print(f"features: {features['extractor']}")
    few = " (too large: fewer pictures than features)" if features["fid_biased"] else ""
    print(f"Fréchet distance (FID) {features['fid']:.3f}{few}")
    print(
        f"kernel distance {features['kid']:.5f}; sets of one kind stay under {features['level']:.5f} in 95 % of cases,"
    )
    print(f"  and reach it with a chance of {features['chance']:.3f}")
    if features["inception_score"]:
        print("inception score {:.2f} and {:.2f}".format(*features["inception_score"]))
    print(f"nearest: median {nearest['median']:.4f}, largest {nearest['largest']:.4f}, {nearest['copies']} are copies")
    if args.sheet:
        picture = encode_image(sheet(neighbours.farthest_first(args.count or _ON_SHEET)), Path(args.sheet))
        with writing_noted(args.sheet) as file:
            file.write(picture)
        print(args.sheet)
    sets = {"first": str(args.first), "second": str(args.second)}
    output.write({**sets, **found, "neighbours": neighbours.to_json()})
    return 0


def _augmentation(args: argparse.Namespace) -> "AugmentationParameters":
    from cadsight_core.parameters import from_mapping
    from cadsight_synthesis.image_ops.augmentation import AugmentationParameters

    from cadsight_cli.yaml_file import read_mapping

    mapping = read_mapping(args.parameters) if args.parameters else {}
    if args.seed is not None:
        mapping["seed"] = args.seed
    return from_mapping(AugmentationParameters, mapping, args.parameters or "the command line")


def _colours(words: "list[str]") -> dict[str, str]:
    from cadsight_core.errors import CadsightError

    colours = {}
    for word in words:
        colour, equals, name = word.partition("=")
        if not equals or not colour:
            raise CadsightError(f"--colour is {word!r}, expected a colour and its class such as ff0000=bracket")
        colours[colour.lower().lstrip("#")] = name
    return colours
