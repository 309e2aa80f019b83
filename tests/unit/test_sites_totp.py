"""One-time codes: the standard's own vectors, and secrets as people save them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError
from handstamp.sites.recipe import TotpSettings
from handstamp.sites.totp import parse_totp

if TYPE_CHECKING:
    from handstamp.sites.recipe import TotpAlgorithm

SEED = b"12345678901234567890"
SECRET = base64.b32encode(SEED).decode()


@pytest.mark.parametrize(
    ("algorithm", "size", "now", "code"),
    [  # RFC 6238, Appendix B
        ("SHA1", 20, 59, "94287082"),
        ("SHA256", 32, 59, "46119246"),
        ("SHA512", 64, 59, "90693936"),
        ("SHA1", 20, 1111111109, "07081804"),
        ("SHA256", 32, 1111111111, "67062674"),
        ("SHA512", 64, 2000000000, "38618901"),
        ("SHA1", 20, 20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_the_standard(algorithm: TotpAlgorithm, size: int, now: int, code: str) -> None:
    secret = base64.b32encode((SEED * 4)[:size]).decode()
    assert parse_totp(secret, TotpSettings(8, 30, algorithm)).code_at(now) == code


@pytest.mark.parametrize(
    "text", [SECRET.lower(), SECRET.rstrip("="), " ".join(SECRET[at : at + 4] for at in range(0, 32, 4)), SECRET[:16] + "-" + SECRET[16:] + "\n"]
)
def test_a_secret_is_read_however_it_was_written_down(text: str) -> None:
    assert parse_totp(text).code_at(59) == "287082"


def test_a_short_secret_works_too() -> None:
    assert parse_totp("JBSWY3DP").code_at(0) == parse_totp("jbsw y3dp").code_at(29)


def test_a_uri_says_its_own_parameters() -> None:
    uri = f"otpauth://totp/Portside:ada%40x.example?secret={SECRET}&issuer=Portside&digits=8&period=60&algorithm=sha-256"
    totp = parse_totp(uri, TotpSettings(6, 30, "SHA1"))
    assert totp.settings == TotpSettings(8, 60, "SHA256")
    assert totp.key == SEED
    assert parse_totp(f"OTPAUTH://TOTP/x?secret={SECRET}").settings == TotpSettings()


def test_the_code_tells_how_long_it_stays_good() -> None:
    totp = parse_totp(SECRET)
    assert (totp.seconds_left(60.0), totp.seconds_left(89.5)) == (30.0, 0.5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "0189-not-base32",
        "ÄÖÜ",
        "A",
        "otpauth://hotp/x?secret=" + SECRET,
        "otpauth://totp/x",
        "otpauth://totp/x?secret=0189notbase32",
        f"otpauth://totp/x?secret={SECRET}&digits=nine",
        f"otpauth://totp/x?secret={SECRET}&digits=9",
        f"otpauth://totp/x?secret={SECRET}&period=0",
        f"otpauth://totp/x?secret={SECRET}&algorithm=MD5",
        f"otpauth://[/x?secret={SECRET}",
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_totp(text)
    assert SECRET not in str(caught.value)
    assert "0189" not in str(caught.value)


def test_a_secret_does_not_print() -> None:
    assert "12345" not in repr(parse_totp(SECRET))
    assert SECRET not in repr(parse_totp(SECRET))
