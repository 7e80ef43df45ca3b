"""Closed sets as they are written: what they mean, and what is refused, with its place."""

import pytest
from earshot.automaton import Automaton
from earshot.errors import LimitError, RequestError
from earshot.intents import read
from earshot.places import Places

HOME = """
[[intents.TurnOn]]
sentences = ["<please> turn on [the] {device} [in the {room}]", "{device} on"]
slots = { state = "on" }

[[intents.Dim]]
sentences = ["(dim|set) [the] {device}[ to] {0..100,5:level} [percent]"]

[[intents.Night]]
sentences = ["(good night; house)"]
weight = 2

[lists]
device = [{ in = "[ceiling] light[s]", out = "light.1" }, "fan", { in = "number one", out = 1 }]
room = ["kitchen", "living room"]

[rules]
please = "[please|would you]"
"""


def meaning(text: str, home: str = HOME) -> tuple[str, dict[str, str]] | None:
    found = Places(read(home, "home.toml"), "home.toml").meaning(text.split())
    return (found[0].intent, found[1]) if found else None


MEANT = {
    "turn on the fan": ("TurnOn", {"state": "on", "device": "fan"}),
    "would you turn on ceiling lights in the living room": (
        "TurnOn",
        {"state": "on", "device": "light.1", "room": "living room"},
    ),
    "number one on": ("TurnOn", {"state": "on", "device": "1"}),
    "dim light to thirty five percent": ("Dim", {"device": "light.1", "level": "35"}),
    "set the fan to a hundred": ("Dim", {"device": "fan", "level": "100"}),
    "house good night": ("Night", {}),
    "dim light to thirty six": None,
    "turn on the": None,
    "": None,
}


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_a_sentence_has_its_intent_and_slots(
    text: str, meant: tuple[str, dict[str, str]] | None
) -> None:
    assert meaning(text) == meant


def test_of_two_intents_for_one_sentence_the_likelier_counts_and_then_the_first() -> None:
    two = '[intents.{}]\nsentences = ["go"]\n'
    assert meaning("go", two.format("B") + two.format("A")) == ("B", {})
    assert meaning("go", two.format("B") + two.format("A") + "weight = 3") == ("A", {})


def one(sentence: str, rest: str = "") -> str:
    return f"[intents.A]\nsentences = ['{sentence}']\n{rest}"


WRONG = {
    "not TOML": ("[intents", "not TOML"),
    "no sentence": ("[lists]\na = ['b']", "no intent has a sentence"),
    "an unknown key": ("[intents.A]\nsentence = ['a']", "intents.A: sentence is not known"),
    "an unclosed bracket": (one("turn (on"), r"'\(' is never closed \(character 6\)"),
    "a bracket too many": (one("on)"), r"'\)' closes nothing \(character 3\)"),
    "a brace too many": (one("on}"), r"'}' closes nothing \(character 3\)"),
    "a mixed group": (one("(a|b;c)"), r"brackets of their own \(character 1\)"),
    "no such list": (one("{x}", "[lists]\ny = ['z']"), "no list 'x' in .*; there is y"),
    "no such rule": (one("<x>"), "no rule 'x' in .*; there is none"),
    "a range without a slot": (one("{0..9}"), r"\{0..9:slot\}.* \(character 2\)"),
    "a range that goes down": (one("{9..0:x}"), "a range goes up"),
    "a rule within itself": (one("<a>", "[rules]\na = 'x <a>'"), "stands within itself"),
    "an empty sentence": (one("[a] [b]"), "may be empty"),
    "a weight of nothing": ("[intents.A]\nsentences = ['a']\nweight = 0", "must be above 0"),
    "a list that is none": (one("{x}", "[lists]\nx = 3"), "must be a list of values"),
}


@pytest.mark.parametrize(("text", "complaint"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint) as caught:
        Automaton.build(Places(read(text, "home.toml"), "home.toml"), "home.toml")
    assert str(caught.value).startswith("home.toml")


RULES = "\n".join(f"r{i} = '<r{i + 1}> <r{i + 1}>'" for i in range(30))
HOSTILE = {
    "a long text": "#" * 70_000,
    "a long template": one("a" * 3_000),
    "deep brackets": one("(" * 500 + "a" + ")" * 500),
    "many orders": one("(a;b;c;d;e;f)"),
    "a large range": one("{0..999999:x}"),
    "rules that double": one("<r0>", f"[rules]\n{RULES}\nr30 = 'a'"),
    "options that double": one(" ".join("[{0..1999:a}]" for _ in range(100))),
    "a word of many": one("(a|b)" * 300),
    "subsets that double": one("[(a|b)] " * 40 + "a" + " (a|b)" * 40),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises((LimitError, RequestError), match=r"exceed the limit|brackets within"):
        Automaton.build(Places(read(text, "home.toml"), "home.toml"), "home.toml")
