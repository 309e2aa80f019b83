"""Parts as bytes and back."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.errors import UnreadableState, UnsupportedVersion
from handstamp.state import Cookie, Entry, Part, PartId, PartitionKey, PartKind, Stamp
from handstamp.state.codec import FORMAT, decode, encode

LOCAL = PartId(PartKind.LOCAL, "https://app.example")

# Lone surrogates, but no pair of them: JSON makes one character of a pair, as JavaScript does.
texts = st.text(st.characters(exclude_categories=())).filter(lambda text: "".join(text) == json.loads(json.dumps(text)))
stamps = st.builds(Stamp, st.integers(0, 2**53), st.integers(0, 2**31), st.text(max_size=12))
cookies = st.builds(
    Cookie,
    name=texts,
    value=texts,
    domain=st.sampled_from(["example.com", "app.example.com", "127.0.0.1", "localhost"]),
    host_only=st.booleans(),
    path=st.sampled_from(["/", "/a/b"]),
    expires=st.none() | st.floats(0, 1e12) | st.integers(0, 2**53),
    secure=st.booleans(),
    http_only=st.booleans(),
    same_site=st.sampled_from([None, "Strict", "Lax", "None"]),
    partition_key=st.none() | st.builds(PartitionKey, st.sampled_from(["https://shop.example", ""]), st.booleans()),
    priority=st.sampled_from(["Low", "Medium", "High"]),
    source_scheme=st.sampled_from(["Unset", "NonSecure", "Secure"]),
    source_port=st.integers(-1, 65535),
)
json_values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=10,
)
cookie_parts = st.builds(
    lambda live, dead: Part(
        PartId(PartKind.COOKIES, "example.com"),
        {cookie.key: Entry(cookie, stamp) for cookie, stamp in live} | {("gone.example.com", "/", name, "", ""): Entry(None, stamp) for name, stamp in dead},
    ),
    st.lists(st.tuples(cookies, stamps)),
    st.lists(st.tuples(texts, stamps)),
)
other_parts = st.builds(
    lambda kind, name, entries: Part(PartId(kind, "https://app.example^0https://shop.example", name), {key: Entry(*entry) for key, entry in entries.items()}),
    st.sampled_from([kind for kind in PartKind if kind is not PartKind.COOKIES]),
    texts,
    st.dictionaries(st.lists(texts, min_size=1, max_size=3).map(tuple), st.tuples(st.none() | json_values, stamps)),
)


@given(cookie_parts | other_parts)
def test_a_part_comes_back_as_it_was(part: Part) -> None:
    data = encode(part)
    assert decode(data) == part
    assert list(decode(data).entries) == list(part.entries)
    assert encode(decode(data)) == data


@given(st.binary(max_size=200))
def test_garbage_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableState):
        decode(data)


@given(other_parts, st.data())
def test_a_damaged_record_is_unreadable_or_another_part_but_never_another_error(part: Part, data: st.DataObject) -> None:
    encoded = bytearray(encode(part))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(encoded))
    except (UnreadableState, UnsupportedVersion):
        return


def test_a_newer_format_is_refused_by_number() -> None:
    with pytest.raises(UnsupportedVersion, match=f"format {FORMAT + 1}.*upgrade handstamp"):
        decode(json.dumps({"format": FORMAT + 1, "content": "whatever"}).encode())


@pytest.mark.parametrize("written", [True, 0, -1, "1", None])
def test_a_format_that_was_never_written_is_unreadable(written: object) -> None:
    with pytest.raises(UnreadableState):
        decode(json.dumps({"format": written}).encode())


def test_deeply_nested_garbage_is_unreadable() -> None:
    with pytest.raises(UnreadableState):
        decode(b"[" * 1_000_000)


def test_the_bytes_are_ascii_and_the_writers_named_once() -> None:
    part = Part(LOCAL, {(f"k{number}",): Entry("ü\ud800", Stamp(number, 0, "a-long-writer-id")) for number in range(20)})
    assert encode(part).isascii()
    assert encode(part).count(b"a-long-writer-id") == 1


def test_a_value_that_cannot_be_kept_is_refused_without_being_shown() -> None:
    part = Part(LOCAL, {("k",): Entry({"hunter2": object()})})
    with pytest.raises(UnreadableState, match=r"local/https://app\.example") as caught:
        encode(part)
    assert "hunter2" not in str(caught.value)


def test_a_cookie_under_another_key_is_refused() -> None:
    cookie = Cookie("sid", "hunter2", "example.com")
    with pytest.raises(UnreadableState) as caught:
        encode(Part(PartId(PartKind.COOKIES, "example.com"), {("example.com", "/", "other", "", ""): Entry(cookie)}))
    assert "hunter2" not in str(caught.value)


def test_an_endless_cookie_is_kept() -> None:
    cookie = Cookie("sid", "x", "example.com", expires=math.inf)
    part = Part(PartId(PartKind.COOKIES, "example.com"), {cookie.key: Entry(cookie)})
    assert decode(encode(part)) == part


@given(st.lists(st.binary(max_size=300) | st.none() | json_values, min_size=1, max_size=5))
def test_bytes_stay_bytes_in_a_part_of_files(values: list[object]) -> None:
    part = Part(PartId(PartKind.FILES, "chunk", "c1"), {(str(number),): Entry(value, Stamp(number)) for number, value in enumerate(values)})
    assert decode(encode(part)) == part


def test_bytes_are_written_as_they_are_and_not_as_text() -> None:
    data = bytes(range(256)) * 100
    assert len(encode(Part(PartId(PartKind.FILES, "chunk", "c1"), {("data",): Entry(data, Stamp(1))}))) < len(data) + 200


def test_a_part_of_files_that_is_cut_short_is_unreadable() -> None:
    encoded = encode(Part(PartId(PartKind.FILES, "chunk", "c1"), {("data",): Entry(b"twelve bytes", Stamp(1))}))
    with pytest.raises(UnreadableState):
        decode(encoded[:-1])


def test_kinds_of_the_first_format_are_still_written_in_it() -> None:
    assert json.loads(encode(Part(LOCAL, {("k",): Entry("v", Stamp(1))})))["format"] == 1


def test_a_newer_format_is_told_from_garbage_whatever_follows_its_first_line() -> None:
    with pytest.raises(UnsupportedVersion):
        decode(b'{"format":99}\n\x00\xff')
