"""Text without the secrets in it: those that are known, and what looks like one. For what people are to read in debug bundles."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from handstamp.state.masking import MASK, is_token_like, masked_url

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token|otp|csrf|xsrf|nonce|auth|api.?key|credential|session|(?:^|[_-])(?:sid|pin|jwt|key|code|captcha)(?:$|[_-])", re.IGNORECASE
)
_LEAST = 3  # characters of a secret that is looked for: a shorter one would blank half of a page
_WORD = 8  # up to here only as a word of its own
_URL = re.compile(r"\bhttps?://[^\s\"'<>\\)]+", re.IGNORECASE)
_NAMED = re.compile(  # repetitions are bounded, since a page may hold a megabyte without a space
    r"""((?:passw|secret|token|otp|csrf|cookie|authorization|bearer|api_?key|\bsid\b|\bpin\b)[\w-]{0,20}["']?\s{0,3}[:=\s]\s{0,3}["']?)"""
    r"""(?:bearer\s)?([^\s"',;&<>]+)""",
    re.IGNORECASE,
)
_LONG = re.compile(r"[A-Za-z0-9+/=_.~-]{16,}")
_SHOWN_HEADERS = frozenset({
    "accept", "accept-encoding", "accept-language", "age", "allow", "cache-control", "connection", "content-encoding", "content-language",
    "content-length", "content-type", "date", "expires", "last-modified", "origin", "pragma", "range", "retry-after", "sec-ch-ua", "sec-ch-ua-mobile",
    "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "server", "strict-transport-security",
    "transfer-encoding", "upgrade-insecure-requests", "user-agent", "vary", "x-content-type-options", "x-frame-options",
})  # fmt: skip
"""Headers whose values are shown; of all others only the name."""
_ADDRESS_HEADERS = frozenset({"content-location", "location", "referer"})


class Blanking:
    """Blanks known secrets, and what looks like one.

    Args:
        secrets: values, also as they stand in URLs, JSON and HTML.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _LEAST for form in _forms(secret)}
        self._long = sorted((form for form in forms if len(form) >= _WORD), key=len, reverse=True)
        words = sorted((re.escape(form) for form in forms if len(form) < _WORD), key=len, reverse=True)
        self._words = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)") if words else None

    def known(self, text: str) -> str:
        """`text` without the known secrets."""
        for form in self._long:  # quicker than one pattern of a thousand
            text = text.replace(form, MASK)
        return self._words.sub(MASK, text) if self._words else text

    def text(self, text: str) -> str:
        """A line of a console, a sentence: without known secrets, values of what is called like one, tokens, and secrets of URLs."""
        text = self.known(text)
        text = _NAMED.sub(rf"\1{MASK}", text)
        text = _URL.sub(lambda found: masked_url(found[0]), text)
        return _LONG.sub(_if_token, text)

    def url(self, url: str) -> str:
        """An address, see `masked_url`."""
        return masked_url(self.known(url))

    def header(self, name: str, value: str) -> str:
        """The value of a header, as far as it is known to hold no secret."""
        if name.lower() in _ADDRESS_HEADERS:
            return self.url(value) if "//" in value else MASK
        return self.known(value) if name.lower() in _SHOWN_HEADERS else MASK


def looks_like_token(word: str) -> bool:
    """Whether a word could be a credential: long, made of many different characters, letters and digits among them."""
    return is_token_like(word) and any(character.isdigit() for character in word) and any(character.isalpha() for character in word)


def _if_token(found: re.Match[str]) -> str:
    return MASK if looks_like_token(found[0]) else found[0]


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], escape(secret), escape(secret, quote=False)}
