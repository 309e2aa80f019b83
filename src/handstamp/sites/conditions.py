"""Does a condition hold for what was seen? Yes, no, or it cannot be told from here (a selector without a document)."""

from __future__ import annotations

import json
import re
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.http.observation import bare_url
from handstamp.sites.page_text import folded, page_text
from handstamp.state import within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.http.observation import Observation
    from handstamp.sites.recipe import Condition, JsonScalar

_NOTHING = object()
_HTML = frozenset({"text/html", "application/xhtml+xml", ""})


def is_redirect(status: int | None) -> bool:
    """Whether an answer of this status points elsewhere."""
    return status is not None and 300 <= status < 400


class Seen:
    """An observation with what conditions ask of it, each worked out once.

    Args:
        observation: what was seen.
        domains: of the site; a path in a condition means one at their hosts only.
    """

    def __init__(self, observation: Observation, domains: tuple[str, ...]) -> None:
        self.observation = observation
        self.domains = domains

    @cached_property
    def text(self) -> str:
        """What a person can read, ready to compare."""
        body = self.observation.body
        return (page_text(body) if self.observation.content_type in _HTML else folded(body)).casefold()

    @property
    def redirects(self) -> tuple[str, ...]:
        """Where the site sent us; nowhere, when we came back to what was asked for (a sign-on that needs nobody)."""
        seen = self.observation
        returned = not is_redirect(seen.status) and bare_url(seen.final_url) == bare_url(seen.url)
        return () if returned else seen.redirects

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or a marker that fits nothing."""
        try:
            return json.loads(self.observation.body)
        except (ValueError, RecursionError):
            return _NOTHING


def holds(condition: Condition, seen: Seen) -> bool | None:
    """Whether all that `condition` names is so; None when nothing speaks against it and something cannot be told."""
    results = list(_results(condition, seen))
    if False in results:
        return False
    return None if None in results else True


def any_holds(conditions: Iterable[Condition], seen: Seen) -> bool | None:
    """Whether one of them holds; None when none does and one cannot be told."""
    results = [holds(condition, seen) for condition in conditions]
    if True in results:
        return True
    return None if None in results else False


def _results(condition: Condition, seen: Seen) -> Iterable[bool | None]:
    observation = seen.observation
    if condition.status:
        yield observation.status in condition.status
    if condition.text:
        yield any(folded(text).casefold() in seen.text for text in condition.text)
    if condition.selector:
        yield _selector(condition, seen)
    if condition.cookie:
        yield any(fits(pattern, name) for pattern in condition.cookie for name in observation.cookies)
    if condition.url:
        yield any(url_fits(pattern, observation.final_url, seen.domains) for pattern in condition.url)
    if condition.redirect:
        yield any(url_fits(pattern, url, seen.domains) for pattern in condition.redirect for url in seen.redirects)
    for name, pattern in condition.header:
        yield name in observation.headers and fits(pattern, observation.headers[name])
    for path, wanted in condition.json:
        yield _json_fits(seen.json, path, wanted)


def _selector(condition: Condition, seen: Seen) -> bool | None:
    present = seen.observation.selectors
    if present is None:
        # A redirect has no document, so nothing is in it; any other answer might have made one in a browser.
        return False if is_redirect(seen.observation.status) else None
    return any(present.get(selector, False) for selector in condition.selector)


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    """``*`` stands for anything, all else for itself."""
    return re.compile(translate(text.replace("[", "[[]").replace("?", "[?]")))


def fits(pattern: str, text: str) -> bool:
    """Whether `text` is `pattern`, in which ``*`` stands for anything."""
    return pattern == text or ("*" in pattern and _pattern(pattern).match(text) is not None)


def url_fits(pattern: str, url: str, domains: tuple[str, ...]) -> bool:
    """Whether `url` is what `pattern` says, or below it; its query and fragment are left aside.

    Args:
        pattern: a path, which means one at any host of the site, or a URL.
        url: absolute.
        domains: of the site.
    """
    try:
        parts = urlsplit(url)
        wanted = urlsplit(pattern)
    except ValueError:
        return False
    if pattern.startswith("/"):
        if not any(within(parts.hostname or "", domain) for domain in domains):
            return False
    elif parts.scheme != wanted.scheme or not fits(wanted.netloc.lower(), parts.netloc.rpartition("@")[2].lower()):
        return False
    stem, path = wanted.path.rstrip("/"), parts.path or "/"
    # "/" alone is the front page, not all there is: that would be "/*".
    return path == "/" if not stem else fits(stem, path.rstrip("/") or "/") or fits(f"{stem}/*", path)


def _json_fits(body: Any, path: str, wanted: JsonScalar) -> bool:
    found = body
    for name in path.split("."):
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return False
    if wanted == "*":
        return found is not None
    return type(found) is type(wanted) and bool(found == wanted)
