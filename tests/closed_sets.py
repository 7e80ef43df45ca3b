"""Closed sets of commands that tests give."""

from pathlib import Path

SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"
HOME = """
[[intents.Enter]]
sentences = ["enter {0..99:number}"]
slots = { place = "form" }

[[intents.Code]]
sentences = ["{digit:first} {digit:second} {digit:third} {digit:fourth}"]

[[intents.Move]]
sentences = ["(go|down){how}"]

[[intents.Fetch]]
sentences = ["[please] fetch <it>", "<it>"]

[lists]
digit = { from = 0, to = 9 }
how = [{ in = "[ now]", out = "at once" }]

[rules]
it = "(bed|five|one|six)"
"""


def one(sentence: str) -> str:
    """A set of one intent with one sentence."""
    return f"[intents.A]\nsentences = ['{sentence}']\n"
