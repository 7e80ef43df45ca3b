"""The commands of `earshot`, one module each: `add_parser(subparsers)` and `run(options) -> exit code`."""
