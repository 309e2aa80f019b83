"""Values of IndexedDB in Playwright's words and in ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.formats.clone import Unsayable, encoded_to_text, from_text, plain_to_text

# What Playwright 1.65 writes beside what a capture of the same value writes.
PAIRS = [
    ({"v": "undefined"}, '{"clone":1,"root":["undefined"],"nodes":[]}'),
    ({"v": "-0"}, '{"clone":1,"root":["number","-0"],"nodes":[]}'),
    ({"bi": "12"}, '{"clone":1,"root":["bigint","12"],"nodes":[]}'),
    ({"d": "2027-01-15T08:00:00.005Z"}, '{"clone":1,"root":[0],"nodes":[["Date",1800000000005]]}'),
    ({"d": None}, '{"clone":1,"root":[0],"nodes":[["Date",["number","NaN"]]]}'),
    ({"r": {"p": "a+", "f": "gi"}}, '{"clone":1,"root":[0],"nodes":[["RegExp","a+","gi"]]}'),
    ({"e": {"n": "TypeError", "m": "no", "s": "TypeError: no"}}, '{"clone":1,"root":[0],"nodes":[["Error","TypeError","no","TypeError: no"]]}'),
    ({"ab": {"b": "aGk="}}, '{"clone":1,"root":[0],"nodes":[["ArrayBuffer","aGk="]]}'),
    ({"ta": {"b": "AAAAAA==", "k": "i16"}}, '{"clone":1,"root":[0],"nodes":[["Int16Array",[1],0,2],["ArrayBuffer","AAAAAA=="]]}'),
    (
        {"m": [{"k": 1, "v": {"s": [{"v": "null"}, "x"], "id": 2}}], "id": 1},
        '{"clone":1,"root":[0],"nodes":[["Map",1,[1]],["Set",null,"x"]]}',
    ),
    (
        {"o": [{"k": "me", "v": {"ref": 1}}, {"k": "list", "v": {"a": [True, {"d": "1970-01-01T00:00:00.000Z"}], "id": 2}}], "id": 1},
        '{"clone":1,"root":[0],"nodes":[["Object","me",[0],"list",[1]],["Array",true,[2]],["Date",0]]}',
    ),
]


@pytest.mark.parametrize(("encoded", "text"), PAIRS, ids=lambda item: item[:60] if isinstance(item, str) else "")
def test_each_kind_in_both_words(encoded: Any, text: str) -> None:
    assert encoded_to_text(encoded) == text
    assert from_text(text) == ("valueEncoded", encoded)


def test_an_object_in_two_places_stays_one() -> None:
    shared = {"o": [{"k": "a", "v": {"a": [], "id": 2}}, {"k": "b", "v": {"ref": 2}}], "id": 1}
    assert json.loads(encoded_to_text(shared))["nodes"] == [["Object", "a", [1], "b", [1]], ["Array"]]
    assert from_text(encoded_to_text(shared)) == ("valueEncoded", shared)


def test_a_view_of_a_part_of_a_buffer_is_cut_out_for_playwright() -> None:
    text = '{"clone":1,"root":[0],"nodes":[["Uint8Array",[1],1,2],["ArrayBuffer","AAECAw=="]]}'
    assert from_text(text) == ("valueEncoded", {"ta": {"b": "AQI=", "k": "ui8"}})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_plain_json_stays_plain(value: Any) -> None:
    kind, found = from_text(plain_to_text(value))
    assert (kind, found) == ("value", json.loads(json.dumps(value)))


def test_an_applications_own_object_that_looks_like_ours_is_not_taken_for_it() -> None:
    text = plain_to_text({"clone": 1, "root": [0], "nodes": []})
    assert json.loads(text)["nodes"][0] == ["Object", "clone", 1, "root", [1], "nodes", [2]]
    assert from_text(text)[0] == "valueEncoded"


def test_what_is_deeper_than_readers_of_json_like_is_flat_and_no_word_of_playwrights() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    text = plain_to_text(deep)
    assert len(json.loads(text)["nodes"]) == 300
    with pytest.raises(Unsayable, match="deep nesting"):
        from_text(text)


@pytest.mark.parametrize(
    "encoded",
    [
        *({}, {"h": 0}, {"fn": "x"}, {"u": "https://a.example"}, {"v": "canary"}, {"bi": "canary"}, {"d": "canary"}, {"ta": {"b": "AA==", "k": "canary"}}),
        *({"ab": {"b": "?"}}, {"ab": 1}, {"o": [1], "id": 1}, {"m": [{}], "id": 1}, {"ref": 7}, {"a": 1, "id": 1}, {"id": []}, {"r": None}, {"e": {}}),
    ],
)
def test_what_is_not_encoded_as_playwright_does_is_refused_without_saying_it(encoded: Any) -> None:
    with pytest.raises(Unsayable) as caught:
        encoded_to_text(encoded)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ('["Blob","text/plain","aGk="]', "Blob"),
        ('["CryptoKey",[0],[],"raw","aGk="]', "CryptoKey"),
        ('["SparseArray",3,"1",true]', "SparseArray"),
        ('["DataView",[0],0,1]', "DataView"),
        ('["Date",1e15]', "Date far away"),
        ('["Error","Error","m","s",[0]]', "Error"),
    ],
)
def test_what_playwright_has_no_word_for_is_named_by_its_kind(node: str, kind: str) -> None:
    with pytest.raises(Unsayable, match=f"^{kind}$"):
        from_text(f'{{"clone":1,"root":[0],"nodes":[{node}]}}')
