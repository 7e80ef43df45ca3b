"""`earshot run` with the fake recogniser, as a program: its delay in seconds, then the options."""

import argparse
import logging
import sys
from collections.abc import Callable

from earshot import compose
from earshot.commands import run
from earshot.life import Mind
from earshot.session import Recognises

from tests.fake_recogniser import FakeRecogniser


def main(recogniser: Callable[[float], Recognises] = FakeRecogniser) -> int:
    logging.basicConfig(level=logging.INFO, format="earshot: %(message)s")
    delay = float(sys.argv[1])
    parser = argparse.ArgumentParser()
    run.add_parser(parser.add_subparsers())
    options = parser.parse_args(["run", *sys.argv[2:]])
    compose.run(
        run.chosen(options), lambda: Mind(lambda: recogniser(delay), "fake", "1.0"), run.show
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
