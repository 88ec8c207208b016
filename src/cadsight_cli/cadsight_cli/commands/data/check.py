"""`cadsight data check`."""

import argparse

from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import whole


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.formats.health import check, known_kinds
    from cadsight_core.running.progress import progress_to

    from cadsight_cli.commands.data.account_lines import lines_of_found
    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    ignored = known_kinds(args.ignore)
    output = JsonOutput(args.json, "folder", "problems", "pictures")
    with progress_to(counted):
        report = check(args.source, few=args.few, reading=reading_of(args), progress=counted).without(ignored)
    if report.found is not None:
        print(*lines_of_found(report.found), sep="\n")
    print(f"{report.folder}: {report.images} images, {report.labels} labels, format {report.format}")
    width = max(map(len, report.counts), default=0)
    for name, count in report.counts.items():
        print(f"  {name:{width}}  {count:6d}")
    if report.backgrounds:
        print(f"  {report.backgrounds} images of the background alone")
    if report.crowds:
        print(f"  {report.crowds} labels are crowds: neither learned from nor counted")
    for problem in report.problems:
        print(f"{problem.kind}: {problem.sentence}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.kinds.items())
    print(f"{len(report.problems)} problems: {kinds}" if kinds else "no problems")
    output.write(report.to_json())
    return 1 if report.problems else 0
