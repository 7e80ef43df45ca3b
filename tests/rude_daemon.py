"""The daemon with a fake recogniser that hears markup and control characters for words."""

import sys

from tests.fake_daemon import main
from tests.fake_recogniser import FakeRecogniser

WORDS = ("<img/src=x/onerror=document.title='owned'>", "<script>document.title='owned'</script>")
CONTROL = "\x1b[2J\x1b]0;owned\x07\u202eback"

if __name__ == "__main__":
    sys.exit(main(lambda delay: FakeRecogniser(delay, says=" ".join((*WORDS, CONTROL)))))
