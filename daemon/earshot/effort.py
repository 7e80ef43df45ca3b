"""How hard the recogniser tries, as a table: each step gives up a little more.

First goes what only makes words and ends come later, which they do anyway when it is behind; last
what makes words wrong. What a step saves and what it costs is measured by `models.efforts`. The
network of the encoder is the same in every row and nearly half of the whole: there is no going
below that.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """What is done and what is left out, and what that saves."""

    name: str
    cost: float = 1.0
    """CPU time while somebody speaks, as a share of that of all effort"""
    beam: float = 1.0
    """hypotheses that the search keeps a frame, as a share of the bundle's"""
    look: int = 1
    """frames of 20 ms that are heard together, from one look at the end-pointers to the next"""
    ahead: bool = True
    """when a silence begins, hear at once what the encoder still waits for: ends are seen sooner"""
    early: bool = True
    """partials, and ends that are announced before they are sure"""


LONG = 16  # frames, as many as the encoder takes at once
EFFORTS = (
    Effort("all effort"),
    Effort("long chunks", 0.79, look=LONG),
    Effort("no second look", 0.73, look=LONG, ahead=False),
    Effort("only what is sure", 0.71, look=LONG, ahead=False, early=False),
    Effort("narrow beam", 0.69, look=LONG, ahead=False, early=False, beam=0.3),
)
ALL = EFFORTS[0]
