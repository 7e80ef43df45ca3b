"""How well a language model expects numbers, times, dates and units in commands.

    python -m models.coverage --lm words.lm [--out FILE]

The sentences are made up, but of other templates than those that models.made fills, with other
rooms and other devices. A line for each kind: perplexity of the known words, share of the unknown.
"""

import argparse
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from earshot.counting import counted
from earshot.ngram import Ngram

from models.perplexity import perplexity

NUMBER = re.compile(r"\{(-?\d+)\.\.(\d+)\}")
NAME = re.compile(r"\{([a-z]+)\}")
DRAWS = 40  # of every template
TEMPLATES = {
    "numbers": (
        "is {0..100} more than {0..100}",
        "count from {0..20} down to {0..20}",
        "my bus is the number {1..120} from stop {1..60}",
        "roll {2..9} dice and add {1..20} to the result",
        "the square root of {2..999} please",
    ),
    "times": (
        "i have to leave at {1..12} {13..59} in the morning",
        "is the shop open until {1..12} o'clock tonight",
        "the train is at quarter past {1..12} not half past {1..12}",
        "let me sleep until {5..11} {10..59} am",
        "stir the soup every {2..50} minutes for {2..12} hours",
    ),
    "dates": (
        "do i have anything planned on {day} the {ordinal} of {month}",
        "show my photos from {month} the {ordinal} nineteen {60..99}",
        "what happened on {month} {ordinal} two thousand and {1..9}",
        "will it snow between the {ordinal} and the {ordinal} of {month}",
        "our holiday begins on the {ordinal} of {month} twenty {21..35}",
    ),
    "units": (
        "the parcel weighs {2..90} kilograms and costs {2..90} euros",
        "how far is {2..900} kilometers in miles",
        "i ran {2..40} miles and drank {2..9} liters of water",
        "put {2..50} grams of salt and {2..9} teaspoons of sugar on the list",
        "a board of {2..99} inches by {2..40} feet",
    ),
    "degrees": (
        "make it {15..30} degrees in the {room}",
        "tell me when the {room} is colder than {5..25} degrees celsius",
        "preheat to {150..450} degrees fahrenheit",
    ),
    "percent": (
        "put the {device} in the {room} at {1..100} percent",
        "make the {room} {1..100} percent brighter",
        "open the {device} {1..100} percent",
        "what is left after {1..100} percent off",
    ),
}
LISTS = {
    "room": "attic|nursery|workshop|guest room|sun room|pantry".split("|"),
    "device": "skylight|ceiling lamp|floor lamp|left blind|projector screen|tank heater".split("|"),
    "day": "monday|tuesday|wednesday|thursday|friday|saturday|sunday".split("|"),
    "month": (
        "january|february|march|april|may|june|july|august|september|october|november|december"
    ).split("|"),
    "ordinal": (
        "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
        "thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|"
        "twenty first|twenty second|twenty third|twenty fourth|twenty seventh|thirtieth|"
        "thirty first"
    ).split("|"),
}


def said(number: int) -> str:
    """Say a number in the fullest way: 105 is "one hundred and five"."""
    return " ".join(counted(number).replace("(one|a)", "one").replace("[and]", "and").split())


def filled(template: str, dice: random.Random) -> str:
    """Fill a template: a number for each range, a value for each name of LISTS."""
    text = NUMBER.sub(lambda found: said(dice.randint(int(found[1]), int(found[2]))), template)
    return NAME.sub(lambda found: dice.choice(LISTS[found[1]]), text)


def spoken(templates: Mapping[str, tuple[str, ...]] = TEMPLATES) -> dict[str, list[str]]:
    """DRAWS sentences of every template by kind; the same whenever it is asked."""
    return {kind: list(_every(rows, random.Random(kind))) for kind, rows in templates.items()}


def _every(templates: tuple[str, ...], dice: random.Random) -> Iterator[str]:
    for template in templates:
        yield from (filled(template, dice) for _ in range(DRAWS))


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lm", type=Path, required=True, nargs="+", help="one or several")
    options = parser.parse_args()
    for path in options.lm:
        model = Ngram(path)
        for kind, texts in spoken().items():
            figure, unknown = perplexity(model, texts)
            print(f"{path} {kind}: perplexity {figure:.0f}, unknown words {unknown:.1f} %")


if __name__ == "__main__":
    main()
