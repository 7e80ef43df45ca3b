"""The commands of `earshot`, one module each: `add_parser(subparsers)`, `run(options)` → code."""
