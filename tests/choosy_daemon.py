"""`earshot run` with a recogniser whose lattices have a choice, as a program."""

import sys

from tests.choosy import ChoosyRecogniser
from tests.fake_daemon import main

if __name__ == "__main__":
    sys.exit(main(ChoosyRecogniser))
