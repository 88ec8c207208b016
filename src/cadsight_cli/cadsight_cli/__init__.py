"""The `cadsight` command. Each module of `commands` is one subcommand and is imported only when it is asked for."""
