"""One-time codes by time (RFC 6238) from a saved secret."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote, urlsplit

from handstamp.errors import ConfigError
from handstamp.sites.recipe import TotpSettings

if TYPE_CHECKING:
    from handstamp.sites.recipe import TotpAlgorithm

_BASE32 = re.compile(r"[A-Z2-7]+")
_DIGITS = range(6, 9)
_LONGEST_PERIOD = 3600
_ON_ITS_WAY = 5.0


@dataclass(frozen=True, slots=True)
class Totp:
    """A secret with how codes are made from it.

    Args:
        key: the decoded secret.
        settings: digits, period, algorithm.
    """

    key: bytes = field(repr=False)
    settings: TotpSettings = TotpSettings()

    def code_at(self, now: float) -> str:
        """The code at `now`, seconds since the Unix epoch."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  (40 ms, and few logins need a code)
        from cryptography.hazmat.primitives.twofactor.totp import TOTP  # noqa: PLC0415

        kinds: dict[str, hashes.SHA1 | hashes.SHA256 | hashes.SHA512] = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256(), "SHA512": hashes.SHA512()}  # noqa: S303
        # Many sites hand out secrets shorter than RFC 4226 §4 wants; they are no less valid there.
        totp = TOTP(self.key, self.settings.digits, kinds[self.settings.algorithm], self.settings.period, enforce_key_length=False)
        return totp.generate(now).decode("ascii")

    def seconds_left(self, now: float) -> float:
        """How long the code of `now` stays good."""
        return self.settings.period - now % self.settings.period


def skew_of(date: str, now: float) -> float:
    """Seconds by which a site's clock is ahead of ours, by the Date header of an answer that came just now; 0 when it does not tell.

    A second or two is what the answer took on its way.
    """
    try:
        skew = parsedate_to_datetime(date).timestamp() - now
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    return skew if abs(skew) > _ON_ITS_WAY else 0.0


def parse_totp(secret: str, settings: TotpSettings = TotpSettings()) -> Totp:
    """What a person saved as TOTP secret.

    Args:
        secret: base32 in any case, with or without blanks, dashes and padding; or an ``otpauth://totp/…`` URI, whose own
            digits, period and algorithm count.
        settings: for a bare secret.

    Raises:
        ConfigError: it is neither; the message does not repeat it.
    """
    text = secret.strip()
    if text.lower().startswith("otpauth:"):
        return _from_uri(text, settings)
    return Totp(_key(text), settings)


def _key(text: str) -> bytes:
    packed = re.sub(r"[\s-]", "", text).upper().rstrip("=")
    try:
        if not _BASE32.fullmatch(packed):
            raise binascii.Error  # noqa: TRY301  (one message for both)
        key = base64.b32decode(packed + "=" * (-len(packed) % 8))
    except binascii.Error:
        key = b""
    if not key:
        message = "the TOTP secret cannot be read: it is base32 (letters A to Z, digits 2 to 7) or an otpauth:// URI; save it again as the site shows it"
        raise ConfigError(message)
    return key


def _from_uri(uri: str, settings: TotpSettings) -> Totp:
    try:
        parts = urlsplit(uri)
        given = {name.lower(): values[-1] for name, values in parse_qs(parts.query).items()}
    except ValueError:
        given, parts = {}, urlsplit("")
    if parts.netloc.lower() != "totp" or "secret" not in given:
        message = "the otpauth:// URI is not one of a TOTP secret: it begins with otpauth://totp/ and has secret=…"
        raise ConfigError(message)
    algorithm = given.get("algorithm", settings.algorithm).upper().replace("-", "")
    if algorithm not in {"SHA1", "SHA256", "SHA512"}:
        _refuse("algorithm", "SHA1, SHA256 or SHA512")
    chosen = TotpSettings(
        digits=_number(given, "digits", settings.digits, _DIGITS),
        period=_number(given, "period", settings.period, range(1, _LONGEST_PERIOD + 1)),
        algorithm=cast("TotpAlgorithm", algorithm),
    )
    return Totp(_key(unquote(given["secret"])), chosen)


def _number(given: dict[str, str], name: str, default: int, allowed: range) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) in allowed):
        _refuse(name, f"a number from {allowed.start} to {allowed.stop - 1}")
    return int(text)


def _refuse(name: str, wanted: str) -> None:
    message = f"the otpauth:// URI's {name} must be {wanted}"
    raise ConfigError(message)
