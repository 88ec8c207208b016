"""`cadsight loop`: label, learn and serve only what is better, on the simulated table; and the history of a loop."""

from __future__ import annotations

import argparse
from typing import Any

from cadsight_cli.arguments.options import add_options, options_of
from cadsight_cli.loop.settings import LoopSettings


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "loop",
        help="run the loop that learns after deployment on a simulated table, or show a loop's history",
        description="Run the loop on a simulated table, or show the history of any; without an ACTION it is `run`.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = actions.add_parser(
        "run",
        help="the loop on the simulated table, unattended",
        description="Train a first model on drawn images, show it a simulated table whose lamp changes half way, and "
        "let alarms begin cycles: choose, label, learn, compare, swap. Stopped or killed, it goes on where it was.",
    )
    one.add_argument("--out", default="runs/loop", metavar="DIR", help="folder of all of it (%(default)s)")
    add_options(one, LoopSettings)
    one.set_defaults(run=run)
    past = actions.add_parser(
        "history",
        help="what happened in a loop: alarms, batches, labels, trainings, gates, swaps",
        description="Print the history of a loop. With --replay each batch is chosen again from what it was chosen "
        "from, and it ends with status 1 where another one comes out.",
    )
    past.add_argument("folder", metavar="DIR", help="folder of the loop")
    past.add_argument("--replay", action="store_true", help="choose each batch again, and compare")
    past.add_argument("--json", metavar="FILE", help="write the history there")
    past.set_defaults(run=run_history)
    parser.default_action = "run"


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_report.loop import write_loop_page
    from tqdm import tqdm

    from cadsight_cli.loop.run import LOOP, SHOWN, refuse_foreign_loop, run_loop
    from cadsight_cli.loop.table import prepare
    from cadsight_cli.progress import TrainingBar, image_bar

    out, settings = Path(args.out).resolve(), options_of(args, LoopSettings)
    page = out / "loop.html"
    refuse_foreign_file(page, is_page)
    refuse_foreign_loop(out)
    table = prepare(out, settings, image_bar, TrainingBar)
    with tqdm(total=settings.cycles, desc="cycles", bar_format="{desc}: {postfix}") as bar:
        entries = run_loop(table, out, settings, bar.set_postfix_str)
    for line in _lines(entries):
        print(line)
    print(write_loop_page(page, out / LOOP, out / SHOWN))
    return 0


def run_history(args: argparse.Namespace) -> int:
    from cadsight_active.loop.history import read_history

    from cadsight_cli.json_output import JsonOutput

    output = JsonOutput(args.json, "history", "replayed")
    entries = read_history(args.folder)
    for line in _lines(entries):
        print(line)
    replayed = _replayed(args.folder, entries) if args.replay else {}
    for batch, same in replayed.items():
        print(f"{batch}: {'the same images are chosen again' if same else 'OTHER images are chosen'}")
    output.write({"history": [_json(entry) for entry in entries], "replayed": replayed})
    return 0 if all(replayed.values()) else 1


def _lines(entries: Any) -> list[str]:
    from cadsight_active.loop.history import in_words

    return [f"{entry.at}  cycle {entry.cycle}  {in_words(entry.event)}" for entry in entries]


def _replayed(folder: str, entries: Any) -> dict[str, bool]:
    from pathlib import Path

    from cadsight_active.loop.history import BatchChosen
    from cadsight_active.loop.steps.choosing import chosen_again

    found = {}
    for entry in entries:
        if isinstance(event := entry.event, BatchChosen):
            again = chosen_again(Path(folder) / event.batch)
            found[event.batch] = (again.learn, again.audit) == (event.learn, event.audit)
    return found


def _json(entry: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(entry), "kind": type(entry.event).__name__}
