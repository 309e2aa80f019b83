"""One-time codes as the stand-in sites check them: RFC 6238's vectors, drift, and each code once."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from handstamp.demo.totp import STEP_SECONDS, UsedCodes, code_at, decode_secret, matching_step, step_at
from handstamp.errors import ConfigError

SECRET = base64.b32encode(b"12345678901234567890").decode()  # RFC 6238 appendix B

# Time and code of appendix B, of which ours are the last six digits.
VECTORS = [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130")]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert code_at(SECRET, step_at(seconds)) == code[-6:]


@given(st.binary(min_size=16, max_size=40), st.integers(0, 2**34))
def test_codes_are_those_of_another_implementation(key: bytes, seconds: int) -> None:
    theirs = TOTP(key, 6, SHA1(), STEP_SECONDS).generate(seconds).decode()  # noqa: S303  (RFC 6238 says so)
    assert code_at(base64.b32encode(key).decode(), step_at(seconds)) == theirs


@pytest.mark.parametrize(("late", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_one_step_early_or_late(late: int, fits: bool) -> None:
    now = 1_700_000_000
    code = code_at(SECRET, step_at(now) + late)
    assert (matching_step(SECRET, code, seconds=now) == step_at(now) + late) is fits


@pytest.mark.parametrize("typed", ["", "000", "abcdef", "١٢٣٤٥٦", "\ud800"])
def test_what_is_no_code_matches_no_step(typed: str) -> None:
    assert matching_step(SECRET, typed, seconds=59) is None


def test_a_code_may_be_typed_in_groups() -> None:
    assert matching_step(SECRET, "287 082", seconds=59) == 1


def test_a_code_works_once_for_each_account() -> None:
    used = UsedCodes()
    assert used.take("demo", 7)
    assert not used.take("demo", 7)
    assert used.take("dana", 7)
    assert used.take("demo", 6)  # unused, and still within the drift


def test_a_code_stays_used_while_it_could_still_match() -> None:
    used = UsedCodes()
    assert used.take("demo", 7)
    assert used.take("demo", 9)
    assert not used.take("demo", 7)


@pytest.mark.parametrize("secret", ["", "not-base32!", "AAAAAAA1", "é"])
def test_a_broken_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ConfigError, match="base32") as caught:
        decode_secret(secret)
    assert not secret or secret not in str(caught.value)


def test_spaces_case_and_padding_of_a_secret_do_not_matter() -> None:
    assert decode_secret("gezd gnbv") == decode_secret("GEZDGNBV") == decode_secret("GEZDGNBV========")
