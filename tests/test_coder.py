import pytest
from earshot.coder import Reader, Table, Writer
from earshot.errors import RequestError
from hypothesis import given
from hypothesis import strategies as st

TABLES = (Table.of([1]), Table.of([5, 1, 1]), Table.falling(0.7, 12), Table.falling(0.9, 3, 8.0))
numbers = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, len(TABLES) - 1)))


@given(numbers)
def test_what_was_written_is_read(written: list[tuple[int, int]]) -> None:
    writer = Writer()
    for value, table in written:
        writer.number(value, TABLES[table])
        writer.even(value % 7, 7)
    reader = Reader(writer.data())
    for value, table in written:
        assert reader.number(TABLES[table]) == value
        assert reader.even(7) == value % 7
    reader.finish()


def test_what_is_expected_costs_little() -> None:
    writer, table = Writer(), Table.of([4095, 1])
    for _ in range(1_000):
        writer.one(0, table)
    assert len(writer.data()) == 1


def test_bytes_that_nobody_wrote_have_no_end() -> None:
    reader = Reader(b"\xff" * 9)
    reader.number(TABLES[2])
    with pytest.raises(RequestError, match="damaged"):
        reader.finish()


@given(st.binary(max_size=40))
def test_any_bytes_can_be_read(data: bytes) -> None:
    reader = Reader(data)
    for table in TABLES * 20:
        assert 0 <= reader.number(table) < 1 << 40
