"""`cadsight data frames`."""

import argparse

from cadsight_cli.arguments.types import POSITIVE


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "frames", help="take images out of a video", description="Write frames of a video as images."
    )
    parser.add_argument("video", metavar="VIDEO", help="MP4, AVI, MOV or the like")
    parser.add_argument("--fps", type=POSITIVE, default=2.0, help="frames a second of the video (2)")
    parser.add_argument("--grey", action="store_true", help="write them in grey")
    parser.add_argument(
        "--background",
        action="store_true",
        help="the video shows no part: add its frames to the data set DIR, or to a new one, as images of nothing",
    )
    parser.add_argument("--split", choices=("train", "valid", "test"), help="split of the backgrounds")
    parser.add_argument("--suffix", choices=(".png", ".jpg"), help="format of the images (.png)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the images")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.datasets.video import write_backgrounds, write_frames

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
    print(f"{len(files)} images")
    print(args.out)
    return 0
