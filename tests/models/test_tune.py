"""The descent of models.tune on an objective that is known."""

from dataclasses import replace
from typing import cast

import pytest
from earshot.engine import Tuning
from earshot.search import SearchSettings
from earshot.vad import VadSettings

from models.trial import Figures, Trial
from models.tune import LOSS, changes, descend, narrow


class Bowl:
    """Best at ilm_scale 0.5, lm_scale 0.8, no bonus; a narrow beam loses `loss`."""

    def __init__(self, loss: float = 0.0, patience: int = 1000) -> None:
        self._loss, self._patience = loss, patience
        self.tried: list[SearchSettings] = []

    @property
    def over(self) -> bool:
        return len(self.tried) >= self._patience

    def __call__(self, settings: SearchSettings) -> Figures:
        self.tried.append(settings)
        far = (
            abs(settings.ilm_scale - 0.5) + abs(settings.lm_scale - 0.8) + abs(settings.word_bonus)
        )
        return 10 + far + self._loss * (settings.beam < 100), 0.01


def test_the_descent_ends_at_the_best_setting() -> None:
    found = descend(cast("Trial", Bowl()), SearchSettings(word_bonus=1.5, lm_scale=0.4))
    assert (found.ilm_scale, found.lm_scale, found.word_bonus) == (0.5, 0.8, 0.0)


def test_the_narrowest_beam_that_loses_nothing_is_taken() -> None:
    assert narrow(cast("Trial", Bowl(LOSS / 2)), SearchSettings()).beam == 60
    assert narrow(cast("Trial", Bowl(2 * LOSS)), SearchSettings()).beam == 100


def test_nothing_is_tried_once_the_time_is_over() -> None:
    bowl = Bowl(patience=0)
    assert narrow(cast("Trial", bowl), descend(cast("Trial", bowl), SearchSettings())) == (
        SearchSettings()
    )
    assert not bowl.tried


@pytest.mark.parametrize("vad", [VadSettings(), VadSettings(aggressiveness=1)])
def test_only_what_differs_from_the_defaults_is_written(vad: VadSettings) -> None:
    found = changes(replace(Tuning(), delay_ms=60, vad=vad))
    assert found["delay_ms"] == 60
    assert found.get("vad", {}) == ({} if vad == VadSettings() else {"aggressiveness": 1})
    assert "endpoint" not in found
