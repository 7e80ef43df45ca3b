"""The table of how words are written: patterns of words and slots (`spoken`), first to last."""

from dataclasses import dataclass

from earshot.wording import (
    CARDINALS,
    CLOCK_AFTER,
    CLOCK_BEFORE,
    CODE_BEFORE,
    COUNTED,
    FIGURE_BEFORE,
    LETTERS,
    MEASURES,
    MONTH_ALONE,
    MONTH_BEFORE,
    NEGATIVE_BEFORE,
    NO_QUARTER_BEFORE,
    NUMBERS,
    OWNERS,
    RANGE_BEFORE,
    SECOND_BEFORE,
    SINGLE_BEFORE,
    WAITS,
    WAITS_BEFORE,
    YEAR_BEFORE,
)

NONE: frozenset[str] = frozenset()
END = frozenset({""})
NO_TIME = MEASURES | COUNTED | {"o'clock", "point"}
NO_SUM = MEASURES | COUNTED
NO_YEAR = MEASURES | COUNTED | {"vision"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What words are written as.

    A pattern is made of words ("past|after" is either), {slots}, and what may be left out ("?"). A
    second slot of a kind is "{slot_}". `after` and `before` are words or phrases one of which must
    stand there ("" is the border of the utterance), of `not_after` and `not_before` none may.
    """

    pattern: str
    text: str
    after: frozenset[str] = NONE
    not_after: frozenset[str] = NONE
    before: frozenset[str] = NONE
    not_before: frozenset[str] = NONE


TIMES = (
    Rule("half past {hour} {meridiem}?", "{hour}:30 {meridiem}", not_before=NO_TIME),
    Rule(
        "a? quarter past|after {hour} {meridiem}?",
        "{hour}:15 {meridiem}",
        not_after=NO_QUARTER_BEFORE,
        not_before=NO_TIME,
    ),
    Rule(
        "a? quarter to|till {next_hour} {meridiem}?",
        "{next_hour}:45 {meridiem}",
        not_after=NO_QUARTER_BEFORE,
        not_before=NO_TIME,
    ),
    Rule("{past} minutes? past {hour} {meridiem}?", "{hour}:{past} {meridiem}", not_before=NO_TIME),
    Rule(
        "{past} minutes? after {hour} {meridiem}?",
        "{hour}:{past} {meridiem}",
        after=CLOCK_BEFORE,
        not_before=NO_TIME,
    ),
    Rule(
        "{to} minutes? to|till {next_hour} {meridiem}?",
        "{next_hour}:{to} {meridiem}",
        after=CLOCK_BEFORE,
        not_before=NO_TIME,
    ),
    Rule("{clock} {span} {clock_} {meridiem}", "{clock} {span} {clock_} {meridiem}"),
    Rule("{clock} and {clock_} {meridiem}", "{clock} and {clock_} {meridiem}", after=RANGE_BEFORE),
    Rule("{clock} {meridiem}", "{clock} {meridiem}"),
    Rule("{hour} {span} {hour_} o'clock", "{hour} {span} {hour_} o'clock"),
    Rule("{hour24} o'clock {meridiem}?", "{hour24} o'clock {meridiem}"),
    Rule(
        "{round_time} {link} {round_time_}",
        "{round_time} {link} {round_time_}",
        after=RANGE_BEFORE,
        not_before=NO_TIME,
    ),
    Rule("{time24}", "{time24}", after=frozenset({"at"}), not_before=NO_TIME),
    Rule("{time}", "{time}", after=CLOCK_BEFORE, not_before=NO_TIME | {"at"}),
    Rule("{time}", "{time}", not_after=RANGE_BEFORE, before=CLOCK_AFTER),
)

DATES = (
    Rule(
        "{month} {the}? {nth} {link} {the_}? {nth_}",
        "{month} {the} {nth} {link} {the_} {nth_}",
    ),
    Rule("{month} {the}? {nth} {year}?", "{month} {the} {nth} {year}"),
    Rule("{nth} of {month} {year}?", "{nth} of {month} {year}"),
    Rule("{nth} {month} {year}?", "{nth} {month} {year}", not_after=OWNERS),
    Rule("{weekday} {the} {nth}", "{weekday} {the} {nth}", not_before=COUNTED),
    Rule("{day} {month} {year}", "{day} {month} {year}"),
    Rule("{month} {day} {year}", "{month} {day} {year}"),
    Rule("{month} {year}", "{month} {year}", not_before=NO_YEAR),
    Rule(
        "{month} {day} {link} {day_}",
        "{month} {day} {link} {day_}",
        not_after=MONTH_ALONE,
        not_before=NO_YEAR,
    ),
    Rule("{month} {day}", "{month} {day}", not_after=MONTH_ALONE, not_before=NO_YEAR),
    Rule("{year} {link} {year_}", "{year} {link} {year_}", after=YEAR_BEFORE, not_before=NO_YEAR),
    Rule("{year}", "{year}", after=YEAR_BEFORE, not_before=NO_YEAR),
    Rule("{decade}", "{decade}"),
)

MONEY = (
    Rule("{sum} {money} and? {cents} cents|cent|pence", "{money}{sum}.{cents}"),
    Rule("{sum} {currency} {pair}", "{currency}{sum}.{pair}", before=END),
    Rule("{decimal} {scale} {currency}", "{currency}{decimal} {scale}"),
    Rule("{decimal} {currency}", "{currency}{decimal}"),
    Rule("{whole} {currency}", "{currency}{whole}"),
    Rule("{number} {coin}", "{coin}{number}"),
    Rule("{whole} pounds sterling", "£{whole}"),
)

MEASURED = (
    Rule(
        "minus|negative {quantity} {temperature}",
        "-{quantity} {temperature}",
        not_after=NUMBERS,
    ),
    Rule("minus|negative {quantity} {degrees}", "-{quantity} {degrees}", not_after=NUMBERS),
    Rule("{quantity} {temperature}", "{quantity} {temperature}"),
    Rule("{number} {link} {number_} {percent}", "{number} {link} {number_}{percent}"),
    Rule("{quantity} {percent}", "{quantity}{percent}"),
    Rule("{number} {link} {several} {measure}", "{number} {link} {several} {measure}"),
    Rule(
        "one {single} {and}? {several} {measure}",
        "1 {single} {and} {several} {measure}",
    ),
    Rule("one {single}", "1 {single}", after=SINGLE_BEFORE),
    Rule("{several} {measure}", "{several} {measure}"),
    Rule("{several} second", "{several} second", after=WAITS_BEFORE),
    Rule("{several} second", "{several} second", before=WAITS),
)

NUMERALS = (
    Rule("{number} out of {number_}", "{number} out of {number_}"),
    Rule(
        "{quantity} {operator} {quantity_}",
        "{quantity} {operator} {quantity_}",
        not_before=NO_SUM,
    ),
    Rule("{operator} {quantity}", "{operator} {quantity}", after=CARDINALS, not_before=NO_SUM),
    Rule("minus|negative {quantity}", "-{quantity}", after=NEGATIVE_BEFORE, not_before=NO_SUM),
    Rule("{big} {link} {number}", "{big} {link} {number}"),
    Rule("{several} {link} {big}", "{several} {link} {big}"),
    Rule("{ordinal}", "{ordinal}", not_after=frozenset({"a", "one"})),
    Rule("{ordinal_second}", "{ordinal_second}", after=SECOND_BEFORE, not_before=WAITS),
    Rule("{decimal} {scale}", "{decimal} {scale}"),
    Rule("{mixed} {scale}", "{mixed} {scale}"),
    Rule("{decimal}", "{decimal}"),
    Rule("{mixed}", "{mixed}"),
    Rule("{big} k", "{big}k", not_before=LETTERS),
    Rule("{code}", "{code}", after=CODE_BEFORE),
    Rule("{figure}", "{figure}", after=FIGURE_BEFORE, not_before=NUMBERS | {"of"}),
    Rule("{digits}", "{digits}"),
    Rule("{big}", "{big}"),
)

NAMES = (
    Rule("{pronoun}", "{pronoun}"),
    Rule("{weekday}", "{weekday}"),
    Rule("{month_name}", "{month_name}"),
    Rule("{month_or_verb}", "{month_or_verb}", after=MONTH_BEFORE),
    Rule("{abbreviation}", "{abbreviation}"),
    Rule("{letters}", "{letters}"),
)

RULES = (*TIMES, *DATES, *MONEY, *MEASURED, *NUMERALS, *NAMES)
