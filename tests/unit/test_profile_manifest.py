"""A browser's directory as parts, and what of them is written."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.browser.profile.manifest import MANIFEST, PIECE, BadPiece, Manifest, changes, content, name_of, piece_id, pieces_of
from handstamp.state import Clock, Entry, Part, PartId, PartKind, Stamp, merge
from handstamp.state.codec import decode, encode

HOLDS = {PartId(PartKind.IDB, "https://a.example", "keys"): "d1", PartId(PartKind.COOKIES, "a.example"): "d2"}
directories = st.dictionaries(
    st.sampled_from(["Default/Cookies", "Default/IndexedDB/a/1.log", "Default/Preferences"]), st.lists(st.binary(min_size=1, max_size=2))
)


class Shelf:
    """What a vault holds: parts by name, merged; one with nothing live is gone."""

    def __init__(self) -> None:
        self.parts: dict[PartId, Part] = {}

    def save(self, parts: list[Part]) -> None:
        for part in parts:
            merged = merge(self.parts.get(part.id), decode(encode(part)))
            if merged.live():
                self.parts[part.id] = merged
            else:
                self.parts.pop(part.id, None)

    @property
    def manifest(self) -> Manifest:
        return Manifest.of(self.parts[MANIFEST]) if MANIFEST in self.parts else Manifest()

    def store(self, directory: dict[str, list[bytes]], clock: Clock) -> list[Part]:
        files = {path: tuple(name_of(data) for data in datas) for path, datas in directory.items()}
        new = {name_of(data): data for datas in directory.values() for data in datas if name_of(data) not in self.manifest.pieces}
        parts = changes(self.parts.get(MANIFEST), self.manifest.pieces, Manifest(files, HOLDS, "1.2", 7), new, clock)
        self.save(parts)
        return parts


@given(st.lists(directories, min_size=1, max_size=5))
def test_the_shelf_holds_the_last_directory_and_nothing_else(stored: list[dict[str, list[bytes]]]) -> None:
    shelf = Shelf()
    for number, directory in enumerate(stored):  # every writer has a clock of its own, each an hour behind the last one's
        shelf.store(directory, Clock(f"w{number}", wall=lambda number=number: 10**12 - 3_600_000 * number))
    manifest = shelf.manifest
    read = {path: [content(shelf.parts[piece_id(name)]) for name in names] for path, names in manifest.files.items()}
    assert read == stored[-1]
    assert {part_id.name for part_id in shelf.parts} == {"", *manifest.pieces}
    assert (dict(manifest.holds), manifest.browser, manifest.stored_at) == (HOLDS, "1.2", 7)


def test_a_directory_that_is_the_same_costs_its_manifest_only() -> None:
    shelf, clock = Shelf(), Clock("w")
    directory = {"Default/Cookies": [b"one", b"two"]}
    shelf.store(directory, clock)
    assert [(part.id, len(part.entries)) for part in shelf.store(directory, clock)] == [(MANIFEST, 0)]


def test_a_file_that_grows_costs_its_end() -> None:
    before = bytes(range(256)) * (PIECE // 128)
    names = [name for name, _ in pieces_of(io.BytesIO(before))]
    grown = dict(pieces_of(io.BytesIO(before + b"more")))
    assert len(grown) == len(set(names)) + 1
    assert grown.keys() > set(names)


def test_an_empty_file_has_no_pieces() -> None:
    assert list(pieces_of(io.BytesIO())) == []


@pytest.mark.parametrize("value", [b"other", "text", None, 7])
def test_a_piece_that_is_not_what_its_name_says_is_refused(value: object) -> None:
    with pytest.raises(BadPiece):
        content(Part(piece_id(name_of(b"this")), {("data",): Entry(value, Stamp(1))}))


@pytest.mark.parametrize(
    "entries", [{}, {("file", "a"): 3, ("browser",): "1", ("stored",): 1}, {("holds", "no-such-kind", "", ""): "d", ("browser",): "1", ("stored",): 1}]
)
def test_a_list_of_files_that_is_none_is_refused(entries: dict[tuple[str, ...], object]) -> None:
    with pytest.raises(BadPiece):
        Manifest.of(Part(MANIFEST, {key: Entry(value, Stamp(1)) for key, value in entries.items()}))
