"""What an answer of the server comes to: its document, or the error of `handstamp.errors` that its code names, with its facts."""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp import errors
from handstamp.errors import HandstampError, LoginError, ServerError, Unauthorized
from handstamp.remote.values import maybe_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST_MESSAGE = 2000
_NOT_BEGUN = ("stopping", "too-busy")  # 503 of a server that ends, or has too many callers; another 503 may have come half-way


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end.

    Args:
        status: of HTTP.
        headers: by lower-case name.
        body: as it came; of a file that was written elsewhere, nothing.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """By its status."""
        return 200 <= self.status < 300


def document_of(answer: Answer, *, url: str, has_token: bool) -> dict[str, Any]:
    """What a call gave.

    Args:
        answer: to it.
        url: of the call, for messages.
        has_token: whether it came with a token.

    Raises:
        HandstampError: the error that the answer tells of; `ServerError` for one that this client does not know.
    """
    document = _decoded(answer.body)
    if answer.is_success and document is not None and document.get("success") is not False:
        return document
    raise error_of(answer, document, url=url, has_token=has_token)


def error_of(answer: Answer, document: Mapping[str, Any] | None = None, *, url: str, has_token: bool) -> HandstampError:
    """The error that an answer tells of."""
    document = document or _decoded(answer.body) or {}
    code, said = document.get("code"), document.get("error")
    if not (isinstance(said, str) and said):
        return ServerError(_without_a_word(answer, url), remote_code=code if isinstance(code, str) else "")
    known = codes().get(code) if isinstance(code, str) else None
    message = said[:_LONGEST_MESSAGE]
    if known is None:
        return ServerError(message, remote_code=code if isinstance(code, str) else "")
    if known is Unauthorized and not has_token:
        message += " (no token is known here: give token=, or set HANDSTAMP_SERVER_TOKEN)"
    return known(message, **_facts(known, answer, document))


@cache
def codes() -> dict[str, type[HandstampError]]:
    """Every code of `handstamp.errors`, and its class."""
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, HandstampError)]
    return {kind.code: kind for kind in kinds}


def seconds_of(retry_after: object, now: datetime | None = None) -> float | None:
    """What a Retry-After asks for (RFC 9110 §10.2.3): seconds from now, or a date; None when it does not say."""
    if not isinstance(retry_after, str | int | float):
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(str(retry_after)) - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def pause_before_again(answer: Answer) -> float | None:
    """Seconds after which a call may be made again that the server says it has not begun; None when waiting is no help, or nobody knows.

    An account whose logins are held back is no such thing: it waits for a person.
    """
    code = (_decoded(answer.body) or {}).get("code")
    known = codes().get(code) if isinstance(code, str) else None
    if known is not None and issubclass(known, LoginError):
        return None
    not_begun = answer.status == 429 or (answer.status == 503 and code in _NOT_BEGUN)
    return seconds_of(answer.headers.get("retry-after")) if not_begun else None


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _without_a_word(answer: Answer, url: str) -> str:
    if 300 <= answer.status < 400:
        there = urlsplit(answer.headers.get("location", ""))
        elsewhere = f" to {there.scheme}://{there.hostname}" if there.hostname else ""
        return f"{url} sends on{elsewhere}, where the token does not go by itself; give the server's own URL"
    return f"{url} answered {answer.status}, and not as a handstamp server does; look whether the URL is that of one"


def _facts(kind: type[HandstampError], answer: Answer, document: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer says of an error, as far as its class has a place for it."""
    wanted = inspect.signature(kind.__init__).parameters
    told = {name: convert(value) for name, (key, convert) in _FACTS.items() if name in wanted and (value := document.get(key)) is not None}
    if "phase" in wanted and "phase" not in told:
        told["phase"] = _whole(document.get("current_phase"))
    if "bundle" in wanted and "bundle" not in told:
        told["bundle"] = str(document.get("bundle") or "")
    if "retry_after" in wanted and (seconds := seconds_of(answer.headers.get("retry-after") or document.get("retry_after"))) is not None:
        told["retry_after"] = seconds
    return told


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else (str(value),)


_FACTS: dict[str, tuple[str, Callable[[Any], Any]]] = {  # an error's attribute: the field that says it, and what it is
    "holder": ("holder", str),
    "since": ("since", maybe_instant),
    "reason": ("reason", str),
    "health": ("health", str),
    "until": ("until", maybe_instant),
    "operation": ("operation", str),
    "appointment_session_id": ("appointment_session_id", str),
    "phase": ("phase", _whole),
    "bundle": ("debug_bundle_url", str),
    "missing": ("missing", _names),
    "repeatable": ("repeatable", bool),
    "remote_code": ("code", str),
}
