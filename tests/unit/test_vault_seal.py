"""The seal: what it promises to a thief and to a clumsy hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.errors import SealBroken
from handstamp.vault import MasterKey
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.seal import Seals

KEY, OTHER_KEY = MasterKey(b"k" * 32), MasterKey(b"o" * 32)
VAULT = b"v" * 16
SEALS = Seals(VAULT, [KEY])
IDENTITY = Identity(b"r" * 16, 7, "work")

identities = st.builds(Identity, st.binary(min_size=16, max_size=16), st.integers(0, 2**63), st.text(st.characters(exclude_categories=["Cs"])))


@given(st.binary(), identities, st.sampled_from(Purpose))
def test_what_is_sealed_opens(data: bytes, identity: Identity, purpose: Purpose) -> None:
    assert SEALS.open(purpose, identity, SEALS.seal(purpose, identity, data)) == data


@given(st.binary(max_size=300), st.data())
def test_any_flipped_bit_breaks_the_seal(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(SEALS.seal(Purpose.PART, IDENTITY, data))
    bit = draw.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.PART, IDENTITY, bytes(sealed))


@given(st.binary(max_size=300), st.data())
def test_any_missing_end_breaks_the_seal(data: bytes, draw: st.DataObject) -> None:
    sealed = SEALS.seal(Purpose.PART, IDENTITY, data)
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.PART, IDENTITY, sealed[: draw.draw(st.integers(0, len(sealed) - 1))])


@given(st.binary(max_size=100))
def test_garbage_does_not_open(data: bytes) -> None:
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.PART, IDENTITY, data)


def test_a_missing_record_does_not_open() -> None:
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.PART, IDENTITY, None)


@pytest.mark.parametrize("moved", [replace(IDENTITY, row_key=b"x" * 16), replace(IDENTITY, generation=8), replace(IDENTITY, profile="other")])
def test_a_record_that_was_moved_or_replayed_does_not_open(moved: Identity) -> None:
    sealed = SEALS.seal(Purpose.PART, IDENTITY, b"data")
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.PART, moved, sealed)


def test_a_record_of_another_purpose_or_vault_does_not_open() -> None:
    sealed = SEALS.seal(Purpose.PART, IDENTITY, b"data")
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.SECRET, IDENTITY, sealed)
    with pytest.raises(SealBroken):
        Seals(b"w" * 16, [KEY]).open(Purpose.PART, IDENTITY, sealed)


def test_wrong_key_and_tampering_read_the_same() -> None:
    sealed = SEALS.seal(Purpose.PART, IDENTITY, b"data")
    with pytest.raises(SealBroken) as wrong_key:
        Seals(VAULT, [OTHER_KEY]).open(Purpose.PART, IDENTITY, sealed)
    with pytest.raises(SealBroken) as tampered:
        SEALS.open(Purpose.PART, IDENTITY, sealed[:-1] + b"\0")
    assert str(wrong_key.value) == str(tampered.value)


def test_earlier_keys_still_open_and_the_first_one_seals() -> None:
    sealed = SEALS.seal(Purpose.PART, IDENTITY, b"data")
    both = Seals(VAULT, [OTHER_KEY, KEY])
    assert both.open(Purpose.PART, IDENTITY, sealed) == b"data"
    with pytest.raises(SealBroken):
        SEALS.open(Purpose.PART, IDENTITY, both.seal(Purpose.PART, IDENTITY, b"data"))


def test_the_same_data_never_look_the_same() -> None:
    assert SEALS.seal(Purpose.PART, IDENTITY, b"data") != SEALS.seal(Purpose.PART, IDENTITY, b"data")


def test_what_is_sealed_is_packed() -> None:
    assert len(SEALS.seal(Purpose.PART, IDENTITY, b"a" * 10_000)) < 200
