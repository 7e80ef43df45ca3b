"""Sentences made up: commands with names, numbers, times, money and units; codes and spelling.

A template is written as the daemon's own (earshot.templates); what is drawn of it is one sentence.
A LETTER in capitals is said by its name, so "seven AM" and "spell C A T" have the words "am", "c",
"a", "t". The words of a sentence are models.texts.words_of of it.
"""

import random
from collections.abc import Mapping, Sequence
from functools import cache

from earshot import templates as parts
from earshot.counting import counted
from earshot.templates import Expression, parse

Lists = Mapping[str, Sequence[str]]  # values by the name of the list

UNITS = "inches feet yards meters kilometers kilograms grams ounces liters gallons cups teaspoons"
MONTHS = "january february march april may july august september october november december"
DAYS = "monday tuesday wednesday thursday friday saturday sunday"
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

RULES = {
    # Numbers.
    "digit": "(oh|zero|one|two|three|four|five|six|seven|eight|nine)",
    "digits": "<digit> <digit> <digit> [<digit>] [<digit> [<digit>]]",
    "pair": "{10..99:n}",
    "phone": "[<digit> <digit> <digit>] <digit> <digit> <digit> <digit> <digit> <digit> <digit>",
    "number": "({0..99:n}|{100..999:n}|{1000..99999:n}|{1000..19000,100:n}|<pair> <pair>)",
    "decimal": "{0..120:n} point <digit> [<digit>]",
    "fraction": "(half|a (third|quarter|fifth|tenth)|(two|three|four) (thirds|quarters|fifths))",
    "year": "(nineteen {10..99:n}|two thousand [and] {1..9:n}|twenty {10..35:n})",
    # Times and dates.
    "minute": "(oh {1..9:n}|{10..59:n})",
    "half_day": "(AM|PM|in the (morning|afternoon|evening)|at night)",
    "time": (
        "({1..12:n} [o'clock]|{1..12:n} [<minute>] <half_day>|{1..12:n} <minute>|noon|midnight|"
        "(quarter|half|ten|twenty|five) past {1..12:n}|(a quarter|ten|twenty|five) to {1..12:n})"
    ),
    "span": (
        "({2..90:n} (seconds|minutes)|{2..48:n} hours|an hour [and a half]|half an hour|a minute|"
        "one hour and {2..59:n} minutes|{2..30:n} days|{2..8:n} weeks|{2..12:n} months)"
    ),
    "day": f"({'|'.join(DAYS.split())})",
    "month": f"({'|'.join(MONTHS.split())})",
    "ordinal": f"({'|'.join(ORDINALS.split())}|twenty (first|third|fifth|sixth|eighth|ninth))",
    "date": "(<month> [the] <ordinal> [<year>]|the <ordinal> of <month>|<day> the <ordinal>)",
    "when": (
        "(at <time>|in <span>|[next|this] <day> [morning|evening]|tonight|on <date>|"
        "tomorrow [(morning|afternoon|night|at <time>)])"
    ),
    # Money and measures.
    "money": (
        "({2..99:n} (dollars|euros|cents)|{1..90:n} dollars [and] {2..99:n} cents|a dollar|"
        "{100..5000,50:n} (dollars|euros)|{2..20:n} (thousand|million) (dollars|euros))"
    ),
    "unit": f"({'|'.join(UNITS.split())})",
    "degrees": "(minus {1..30:n}|{0..110:n}) [degrees [celsius|fahrenheit]]",
    # People and what they are told.
    "person": (
        "({given}|{given} {surname}|{given} {surname}|{given} {surname}|{given} and {given}|"
        "(mister|miss|doctor|professor) {surname}|(aunt|uncle|cousin) {given})"
    ),
    "news": (
        "(i'm on my way|dinner is ready|i'll be there <when>|we are late|thank you|good night|"
        "the meeting is at <time>|i can't come|happy birthday|i need <money>|where are you)"
    ),
    # Spelling.
    "letter": f"({'|'.join(LETTERS)})",
    "letters": "<letter> <letter> [<letter>] [<letter> [<letter> [<letter> <letter>]]]",
}

TEMPLATES = {
    "contacts": (
        "(call|phone|ring|dial|text|message|email) <person> [now|please|<when>]",
        "(call|video call|ring) <person> (at home|at work|on the mobile|on speaker|back)",
        "send (a (message|text|letter)|an email) to <person>",
        "(tell|text|message) <person> [that] <news>",
        "remind me to (call|text|meet|visit|pay) <person> <when>",
        "(is|was) <person> (coming|here|at home|awake|born in <month>)",
        "(play|read) my (message|voicemail|messages) from <person>",
        "(add|remove) <person> (to|from) my (contacts|list)",
        "what is {given}'s (phone number|address|birthday)",
        "(schedule|set up|move|cancel) [a] meeting with <person> <when>",
        "what did <person> say [about <day>]",
        "(my name is|this is|i am|who is|hang up on|answer) <person>",
        "<person>",
        "{given} {surname} lives [at <pair> {surname} street] in {city}",
        "invite <person> to [the] {room}",
        "play [the song by] {artist}",
    ),
    "values": (
        "(set|start) a (timer|countdown) for <span>",
        "[a] <span> timer",
        "(wake me up|get me up|alarm) (at <time>|in <span>) [<day>|tomorrow]",
        "set (an|another) alarm for <time> [[on] <day>]",
        "(cancel|delete|stop|change) (the|my) <time> (alarm|reminder)",
        "(snooze|sleep|wait|pause|repeat) [for] <span>",
        "remind me (<when>|in <span>) to {task}",
        "what (day|date) is [it] <when>",
        "(my birthday is|i was born on|it happened on|the flight leaves on) <date>",
        "<date>",
        "<time>",
        "in <year>",
        "(pay|send|transfer|save|spend) <money> [(to my savings|for {task})]",
        "how much is <money> in (dollars|euros|cents)",
        "it costs <money>",
        "split <money> by {2..12:n}",
        "set the (temperature|heating|oven|thermostat) [in the {room}] to <degrees>",
        "(it is|will it be|is it) [above|below|over] <degrees> [outside|<when>]",
        "(set|dim|turn) [the] {room} lights (to|down to|up to) {1..100:n} percent",
        "(volume|brightness|humidity|battery) [at|to] {0..100:n} [percent]",
        "(turn|set) the {device} to (<decimal>|{1..100:n} percent|level {1..10:n})",
        "convert (<number>|<decimal>|<fraction>) <unit> (to|into) <unit>",
        "how many <unit> (are in|make) (<number>|<fraction>) <unit>",
        "what is <number> (plus|minus|times|divided by) <number>",
        "what is {1..100:n} percent of <number>",
        "(add|buy|order|get) ({2..24:n}|<fraction>|{2..900,25:n} grams of) {food}",
        "(channel|page|number|chapter|room|line|track|platform|gate) ({1..99:n}|{100..999:n})",
        "(enter|dial|call|type|the code is) (<digits>|<phone>)",
        "(<digits>|<phone>|<number>|<pair> <pair>|<decimal>)",
        "<number> (people|miles|houses|books|steps|<unit>)",
        "(turn|switch) (on|off) [the] {device} [in the {room}] [for <span>|at <time>]",
    ),
    "spelling": (
        "<letters>",
        "<letters>",
        "{spelt}",
        "{spelt}",
        "(spell|write|type) {spelt}",
        "{word} {spelt}",
        "(<letter> <digit> <letter> <digit>|<letters> <digits>|<digits> <letters>)",
        "(flight|seat|gate|room|row|code|plate) <letter> [<letter>] (<digits>|{1..99:n})",
        "(enter|rubout|erase|go to) <letters> [<digits>|<pair>]",
        "(letter|option|drive|vitamin|plan|grade) <letter>",
        "(<letter> like|<letter> as in|<letter> for) {word}",
    ),
    "phrases": (
        "(volume|lights|lamp|music|radio|heating|alarm|timer|camera) (up|down|on|off)",
        "(turn|switch|go|come|move|shut|look) (up|down|on|off|left|right|back|away)",
        "(stop|start|pause|play|skip|next|repeat|cancel) (it|that|this|song|music|please|now)",
        "(yes|no|okay|go) (please|thanks|now|ahead|thank you)",
        "(open|close|lock|unlock|clean|show) [the] {room}",
        "[the] {room} {device}",
        "(hey|hello|good morning|good night|thank you) {given}",
        "(red|blue|green|yellow|white|black|purple) (light|lamp|lights|door)",
    ),
}
LISTS = {
    "task": (
        "water the plants|feed the cat|take out the trash|buy milk|pick up the kids|pay the rent|"
        "do the laundry|charge the car|walk the dog|check the oven|book a table|call the doctor"
    ).split("|"),
    "food": (
        "apples|eggs|potatoes|flour|sugar|butter|tomatoes|bananas|cheese|rice|onions|"
        "bottles of water"
    ).split("|"),
}


@cache
def _rule(name: str) -> Expression:
    return parse(RULES[name], f"rule {name}")


@cache
def _parsed(template: str) -> Expression:
    return parse(template, "a template")


def drawn(kind: str, lists: Lists, dice: random.Random) -> str:
    """Draw a sentence of a kind of TEMPLATES. Raises LookupError where a list lacks or is empty."""
    return " ".join(_said(_parsed(dice.choice(TEMPLATES[kind])), {**LISTS, **lists}, dice).split())


def _said(part: Expression, lists: Lists, dice: random.Random) -> str:
    match part:
        case parts.Text(text):
            return text
        case parts.Rule(name):
            return _said(_rule(name), lists, dice)
        case parts.Listed(name, _):
            return dice.choice(lists[name])
        case parts.Range(first, last, step, _):
            number = dice.randrange(first, last + 1, step)
            return _said(parse(counted(number), "a number"), lists, dice)
        case parts.Sequence(several):
            return "".join(_said(one, lists, dice) for one in several)
        case parts.Choice(several):
            return _said(dice.choice(several), lists, dice)
