"""Parts that were opened lately."""

from __future__ import annotations

from handstamp.state import Entry, Part, PartId, PartKind
from handstamp.vault.cache import OpenedParts

PART = Part(PartId(PartKind.LOCAL, "https://app.example"), {("k",): Entry("v")})
SEALED = b"h" * 21 + b"rest"


def test_what_was_opened_is_found_by_the_record_itself() -> None:
    opened = OpenedParts()
    opened.put("work", b"row", 1, SEALED, PART)
    assert opened.get("work", b"row", 1, SEALED) == PART
    for other in (("play", b"row", 1, SEALED), ("work", b"raw", 1, SEALED), ("work", b"row", 2, SEALED), ("work", b"row", 1, b"i" * 25)):
        assert opened.get(*other) is None


def test_a_record_of_another_length_is_not_the_one() -> None:
    opened = OpenedParts()
    opened.put("work", b"row", 1, SEALED, PART)
    assert opened.get("work", b"row", 1, SEALED[:-1]) is None


def test_the_longest_unused_go_first() -> None:
    opened = OpenedParts(bound=3 * len(SEALED))
    for generation in (1, 2, 3):
        opened.put("work", b"row", generation, SEALED, PART)
    opened.get("work", b"row", 1, SEALED)
    opened.put("work", b"row", 4, SEALED, PART)
    assert [bool(opened.get("work", b"row", generation, SEALED)) for generation in (1, 2, 3, 4)] == [True, False, True, True]
