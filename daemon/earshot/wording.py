"""The words that spoken numbers, times, dates, money and measures are made of: tables, no rules."""


def _list(text: str) -> list[str]:
    return text.split()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _with_plural(text: str) -> frozenset[str]:
    return frozenset(word + ending for word in text.split() for ending in ("", "s"))


_DIGITS = _list("zero one two three four five six seven eight nine")
_TEENS = _list(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
)
_TENS = _list("twenty thirty forty fifty sixty seventy eighty ninety")
DIGITS = {word: value for value, word in enumerate(_DIGITS)}
OHS = frozenset({"oh", "o"})  # zero, within a string of digits
TEENS = {word: value for value, word in enumerate(_TEENS, start=10)}
TENS = {word: 10 * value for value, word in enumerate(_TENS, start=2)}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
CARDINALS = frozenset({*DIGITS, *TEENS, *TENS, *SCALES, "hundred"})
NUMBERS = CARDINALS | OHS
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
REPEATS = {"double": 2, "triple": 3}

# Each ordinal by the cardinal in its place.
_IRREGULAR = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
}
ORDINALS = (
    {
        f"{word}th": word
        for word in (*_DIGITS, *_TEENS, "hundred", *SCALES)
        if word not in {"zero", *_IRREGULAR.values()}
    }
    | {f"{word.removesuffix('y')}ieth": word for word in _TENS}
    | _IRREGULAR
)
DECADES = {f"{word.removesuffix('y')}ies": value for word, value in TENS.items()}
FRACTIONS = {  # after "two and"
    "a half": "½",
    "one half": "½",
    "a quarter": "¼",
    "one quarter": "¼",
    "three quarters": "¾",
    "a third": "⅓",
    "one third": "⅓",
    "two thirds": "⅔",
}

MONTHS = {
    word: word.capitalize()
    for word in _list(
        "january february march april may june july august september october november december"
    )
}
VERBS = ("march", "may")  # among the months
# Only beside a day: alone they are names, verbs or nothing.
SHORT_MONTHS = {
    word: word.capitalize() for word in _list("jan feb mar apr jun jul aug sep sept oct nov dec")
}
DAYS = {
    word + ending: word.capitalize() + ending
    for word in _list("monday tuesday wednesday thursday friday saturday sunday")
    for ending in ("", "s", "'s")
}
PRONOUNS = {word: word.capitalize() for word in _list("i i'm i'll i'd i've i'd've")}

CURRENCIES = {"dollars": "$", "euros": "€"}
COINS = {"dollar": "$", "euro": "€"}
POUNDS = {"pounds": "£", "pound": "£"}  # with pence; alone they may be a weight
DEGREES = {"fahrenheit": "°F", "celsius": "°C", "centigrade": "°C"}
DEGREE_LETTERS = {"f": "°F", "c": "°C"}
OPERATORS = {
    "plus": "+",
    "minus": "-",
    "times": "×",
    "multiplied by": "×",
    "divided by": "÷",
    "equals": "=",
}

METRES = frozenset(
    f"{prefix}{unit}"
    for prefix in ("", "kilo", "centi", "milli")
    for unit in _with_plural("metre meter")
)
# What a small number is written in digits before. Days and years are not: "two days" is prose, and
# so is what stands on two feet.
MEASURES = (
    _with_plural("second minute hour millisecond mile degree cent dollar euro pound buck ounce")
    | _with_plural("gram kilogram kilo milligram litre liter millilitre milliliter gallon")
    | _with_plural("watt kilowatt volt megabyte gigabyte terabyte kilobyte decibel pixel calorie")
    | _set("hertz kilohertz megahertz gigahertz percent pence mph")
    | METRES
)
# Of these there may be one: "for one hour". "One second" is what people ask for.
SINGLE_MEASURES = _set("minute hour degree mile kilometre kilometer metre meter")
# What makes the number before it a count, and neither a time nor a year.
COUNTED = _with_plural("day week month year person time yard inch page dozen") | _set(
    "people foot feet inches square each"
)

# Abbreviations as one word of the lexicon, none of which is a word of its own.
ABBREVIATIONS = {
    word: word.upper()
    for word in _list(
        "abc adhd aol atm bbc bmw cbs cd cia cnn cpu diy dj dna dvd espn fbi fm gps hbo hdmi ibm "
        "irs kfc mba mpg mtv nasa nba nbc nfl nhl npr ok pbs pdf pto rna rv suv tv uk usa usb vip "
        "vpn"
    )
}
# Letter by letter these are whole: their "a" is no article, and their "i" nobody.
SPELT = frozenset(ABBREVIATIONS) | _set(
    "aa aaa ac acdc ai aids api arm aws cpa dc eu fda gui html id imdb ios ip iq ir ira it itv la "
    "led lg mp ncaa nsa ny pa pc pin pm pta sms ui un url us usd wifi"
)

# What stands beside: single words, and phrases of up to three.
CLOCK_BEFORE = _set("at until till by before after around it's") | {
    "it is",
    "is it",
    *(f"{it} for" for it in _list("alarm set reminder reservation meeting scheduled up")),
}
CLOCK_AFTER = _set("tomorrow tonight today sharp") | {
    f"{when} {part}" for when in ("this", "in the") for part in ("morning", "afternoon", "evening")
}
NO_QUARTER_BEFORE = _set("the this that next last first second third fourth")
RANGE_BEFORE = _set("from between")
# "May first" and "may five" are dates if one of these stands before it; for an ordinal one of the
# second row ("" is the start) is enough. "May third" is a date anyway.
DATE_BEFORE = frozenset(DAYS) | _set(
    "on for from to until till by of before after since through between starting around dates due"
)
DATE_BEFORE_ORDINAL = _set("is and or the this next last") | {""}
OWNERS = _set("a the my your his her our their")  # of a march
MARCHERS = _set("i you he she it we they who us them troops soldiers")
# After these a month has no day: "in march two people". After the second row "march" is a month.
MONTH_ALONE = _set("in of during early late mid every next last")
MONTH_BEFORE = MONTH_ALONE | {"since", "until"}
YEAR_BEFORE = _set(
    "in since year of from to until till by before after between around during early late mid the "
    "spring summer autumn fall winter"
)
CODE_BEFORE = _set(
    "call code pin number dial enter extension room flight channel gate route highway interstate "
    "unit suite apartment zip station frequency"
)
# After these a single figure is a setting or a name too: "volume to seven", "channel five".
FIGURE_BEFORE = _set("channel volume level room gate page chapter step track platform") | {
    f"{setting} to" for setting in _list("volume brightness level speed temperature")
}
SINGLE_BEFORE = _set("for by in add remove take to from start")
SECOND_BEFORE = frozenset(
    f"{word} the" for word in _list("on until till by from through to for is after before")
)
WAITS = _set("timer alarm countdown delay rule ad break clip")
WAITS_BEFORE = _set("a add by") | {
    f"{unit}{link}" for unit in _with_plural("minute hour") for link in ("", " and")
}
# "minus five" is a number below zero here; elsewhere it takes away from what was said before.
NEGATIVE_BEFORE = _set("is it's to at equals negative or and") | {""}

# Any of the patterns begins with one of these.
STARTERS = frozenset(
    {
        *NUMBERS,
        *ORDINALS,
        *REPEATS,
        *MONTHS,
        *SHORT_MONTHS,
        *DAYS,
        *PRONOUNS,
        *ABBREVIATIONS,
        *LETTERS,
        *(phrase.split()[0] for phrase in OPERATORS),
        *_list("half quarter negative"),
    }
)
