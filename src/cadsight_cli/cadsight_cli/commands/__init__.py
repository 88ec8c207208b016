"""One module a subcommand: `add_parser(subparsers)` describes it and names the function that runs it."""
