"""An engine of fake recognisers, as far as the commands need one."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from earshot.asked import Ends
from earshot.engine import Tuning
from earshot.recogniser import Watch

from tests.fake_recogniser import FakeRecogniser


@dataclass
class FakeEngine:
    tuning: Tuning = field(default_factory=Tuning)
    used: list[Tuning] = field(default_factory=list)
    bundle: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(label="fake 1.0"))

    def tuned(self, tuning: Tuning) -> "FakeEngine":
        self.used.append(tuning)
        return self

    def ending(self, ends: Ends) -> "FakeEngine":
        del ends
        return self

    def recogniser(self, watch: Watch = lambda _: None) -> FakeRecogniser:
        del watch
        return FakeRecogniser()
