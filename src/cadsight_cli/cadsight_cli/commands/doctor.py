"""`cadsight doctor`: what is installed, what is missing, and what each missing thing would add."""

from __future__ import annotations

import argparse

from cadsight_core.storage.json_text import json_text


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "doctor",
        help="say what is installed, what is missing and what that would add",
        description="Look at this machine. Exit status 1 when something is missing that CADsight cannot do without.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_cli.diagnosis import examine

    findings = list(examine())
    if args.json:
        print(json_text([finding.to_json() for finding in findings], indent=2))
    else:
        print(describe(findings))
    return int(any(finding.needed and finding.found is None for finding in findings))


def describe(findings) -> str:
    """One line a thing: what is there with its version, then what is not, with its use and how to get it."""
    width = max(len(finding.name) for finding in findings)
    there = [f"  ok       {finding.name:{width}}  {finding.found}" for finding in findings if finding.found is not None]
    gone = [finding for finding in sorted(findings, key=lambda each: not each.needed) if finding.found is None]
    lines = ["Here:", *there]
    if gone:
        lines += ["", "Not here:"]
        for finding in gone:
            lines.append(f"  {finding.state:8} {finding.name:{width}}  would add: {finding.adds}")
            lines.append(f"  {'':8} {'':{width}}  get it by: {finding.how}")
    needed = [finding.name for finding in gone if finding.needed]
    lines += ["", f"Needed and missing: {', '.join(needed)}" if needed else "Everything that is needed is here."]
    return "\n".join(lines)
