"""Address books: versions, foldings and encodings, and damage that costs no other card."""

from pathlib import Path

import pytest
from earshot.entries import Alias, Entry, Kind
from earshot.errors import RequestError
from earshot.importing import Item, Refusal
from earshot.vcards import contacts

BOOK = r"""BEGIN:VCARD
VERSION:4.0
FN:Anna Møller
N:Møller;Anna;;;
NICKNAME:Annie,Nan\, the first
X-PHONETIC-FIRST-NAME:ahna
TEL;TYPE=cell:123
END:VCARD
BEGIN:VCARD
VERSION:3.0
item1.FN;CHARSET=UTF-8:Jo
 seph Bell
N:Bell;Joseph;;;
END:VCARD
BEGIN:VCARD
VERSION:2.1
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=84nne =
Vo
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Vo;=C3=84nne
END:VCARD
begin:vcard
org:Corner Bakery;Sales
end:vcard
BEGIN:VCARD
VERSION:4.0
KIND:group
FN:Friends
END:VCARD
"""


def read(folder: Path, text: str) -> list[Item]:
    path = folder / "book.vcf"
    path.write_text(text, encoding="utf-8")
    return list(contacts(path))


def refusals(items: list[Item]) -> list[str]:
    return [f"{one.where.rpartition('/')[2]}: {one.why}" for one in items if type(one) is Refusal]


def test_cards_of_all_versions(tmp_path: Path) -> None:
    assert read(tmp_path, BOOK.replace("\n", "\r\n")) == [
        Entry.of(
            Kind.CONTACT,
            "Anna Møller",
            "ahna",
            [Alias("Anna", "ahna"), Alias("Annie"), Alias("Nan, the first")],
        ),
        Entry.of(Kind.CONTACT, "Joseph Bell", aliases=[Alias("Joseph")]),
        Entry.of(Kind.CONTACT, "Änne Vo", aliases=[Alias("Änne")]),
        Entry.of(Kind.CONTACT, "Corner Bakery Sales"),
    ]


def test_a_bad_line_costs_neither_its_card_nor_the_others(tmp_path: Path) -> None:
    lines = BOOK.splitlines()
    lines.insert(3, "this is no line")
    lines.insert(11, "ÿÿÿ\x00;=:x")
    found = read(tmp_path, "\n".join(lines))
    assert [one for one in found if isinstance(one, Entry)] == [
        one for one in read(tmp_path, BOOK) if isinstance(one, Entry)
    ]
    assert refusals(found) == [
        "book.vcf, line 4: not a line of a vCard; the rest of the card was read",
        "book.vcf, line 12: not a line of a vCard; the rest of the card was read",
    ]


def test_a_card_that_does_not_end_costs_only_itself(tmp_path: Path) -> None:
    broken = "BEGIN:VCARD\nFN:Lost\n" + BOOK + "BEGIN:VCARD\nFN:Cut\n"
    found = read(tmp_path, broken)
    assert len([one for one in found if isinstance(one, Entry)]) == 4
    assert refusals(found) == [
        "book.vcf, line 1: a card that does not end",
        f"book.vcf, line {3 + BOOK.count(chr(10))}: a card that does not end",
    ]


def test_a_card_without_a_name_or_with_a_long_one_is_told(tmp_path: Path) -> None:
    text = f"BEGIN:VCARD\nTEL:1\nEND:VCARD\nBEGIN:VCARD\nFN:{'x' * 5000}\nEND:VCARD\n"
    assert refusals(read(tmp_path, text)) == [
        "book.vcf, line 1: an entry without a name; give it one",
        f"book.vcf, line 4: {'x' * 24}…: 5000 characters exceed the limit of 120 characters",
    ]


@pytest.mark.parametrize("text", ["", "hello\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"])
def test_a_file_without_cards_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError, match=r"book\.vcf: no vCard in it"):
        read(tmp_path, text)
