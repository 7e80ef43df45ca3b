"""bundle.toml as models.bundle writes it: what goes in comes out again."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import lines, literal

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
VALUE = TEXT | NUMBER | st.booleans()
PLAIN = st.dictionaries(TEXT, VALUE | st.lists(VALUE, max_size=3), max_size=4)
TABLE = st.dictionaries(TEXT, VALUE | PLAIN | st.lists(PLAIN, min_size=1, max_size=3), max_size=4)


@given(TABLE)
def test_what_is_written_is_read_again(table: dict[str, Any]) -> None:
    assert tomllib.loads("\n".join(lines(table))) == table


def test_tables_within_tables_keep_their_places() -> None:
    table = {
        "a": 1,
        "tuning": {"delay_ms": 40, "search": {"beam": 100, "width": 12.0}},
        "empty": {},
    }
    assert tomllib.loads("\n".join(lines(table))) == table


def test_what_toml_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="None cannot be written"):
        literal(None)
