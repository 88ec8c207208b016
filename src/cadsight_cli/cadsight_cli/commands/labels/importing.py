"""`cadsight labels import`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cadsight_core.formats.labelling.settling import LabelAccount
    from cadsight_core.formats.labelling.tasks import Tasks

# More than so many sentences nobody reads.
_MOST = 10


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `import` to the actions of `cadsight labels`."""
    parser = actions.add_parser(
        "import",
        help="read what people drew, as a data set",
        description="Write what people drew as a data set of the images that are annotated, those with nothing on them "
        "among them, and say which were skipped and which are left, where a label comes from, and where people and the "
        "model, or two people, differ.",
    )
    parser.add_argument("files", nargs="+", metavar="SRC", help="files that the tool exported of one batch")
    parser.add_argument("--from", dest="tool", required=True, choices=("label-studio", "cvat"), help="%(choices)s")
    parser.add_argument(
        "--images",
        required=True,
        metavar="DIR",
        help="what was labelled: the folder of `cadsight labels export`, the batch, or a data set or folder of images",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="new folder of the data set")
    parser.add_argument("--enclose", action="store_true", help="take the upright box around a turned one")
    parser.add_argument("--allow-loss", action="store_true", help="leave out what cannot be used instead of refusing")
    parser.add_argument(
        "--all-checked",
        action="store_true",
        help="somebody looked at each image; CVAT does not tell without the tag cadsight-checked",
    )
    parser.add_argument("--json", metavar="FILE", help="write the account there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.formats.labelling.settling import Settling, settle
    from cadsight_core.formats.labelling_tools import TOOLS, read_answers, write_labelled
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.output_folder import refuse_foreign

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    refuse_foreign(args.out, replace=False)
    if args.tool != "cvat":
        refuse_idle(f"with --from {args.tool}, where handing in says it", {"--all-checked": args.all_checked})
    output = JsonOutput(args.json, "labelled", "empty", "skipped", "not_annotated")
    with progress_to(counted):
        answers = read_answers(args.files, TOOLS[args.tool])
        settling = Settling(args.enclose, args.allow_loss, args.all_checked)
        settled = settle(_tasks(args.images), answers, settling)
        written = write_labelled(settled, args.out)
    print(*lines_of(settled.account), sep="\n")
    print(written)
    output.write(settled.account.to_json())
    return 0


def lines_of(account: "LabelAccount") -> "Iterator[str]":
    """The lines of an account."""
    yield f"{len(account.labelled)} images labelled, {len(account.empty)} empty, {len(account.skipped)} skipped"
    whole = sum(map(len, (account.labelled, account.empty, account.skipped, account.not_annotated)))
    left = len(account.not_annotated)
    if left:
        yield f"{left} of {whole} images are left to annotate, the first is {account.not_annotated[0]}"
    sources = ", ".join(f"{count} {source}" for source, count in account.sources.items())
    yield f"labels: {sources or 'none'}; {account.removed} guesses taken away"
    for what, sentences in (
        ("conflict", account.conflicts),
        ("left out", account.left_out),
        ("note", account.remarks),
    ):
        for sentence in sentences[:_MOST]:
            yield f"{what}: {sentence}"
        if len(sentences) > _MOST:
            yield f"{what}: {len(sentences) - _MOST} more, which --json and the data set's header tell"


def _tasks(folder: str) -> "Tasks":
    from cadsight_active.labelling import load_tasks, tasks_of_samples
    from cadsight_core.errors import CadsightError

    from cadsight_core import formats

    if not Path(folder).is_dir():
        raise CadsightError(f"{folder} is no folder, expected an export, a batch, or images")
    found = load_tasks(folder)
    if found is not None:
        return found
    samples, classes = formats.load(folder)
    return tasks_of_samples(samples, classes, knows_guesses=any(s.instances for s in samples))
