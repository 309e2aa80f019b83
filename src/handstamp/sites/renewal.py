"""A spent token is changed for a new one, by the recipe's ``[session.refresh]``; once, whoever asks at the same time."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from handstamp.http.body import read_text
from handstamp.http.client_hints import client_hints
from handstamp.http.transport import at_this_machine
from handstamp.http.transports import Transports, proxy_for
from handstamp.sites.bearer import bearer_header

if TYPE_CHECKING:
    from handstamp.http.carrier import Carrier
    from handstamp.sites import Refresh, Site
    from handstamp.state import Device, PartId
    from handstamp.vault import Vault

TIMEOUT = 15.0
"""Seconds for the answer to a refresh."""
TURN_WAIT = 60.0
"""Seconds to wait for another process that renews the same token."""
_MAX_ANSWER = 1 << 20
_NO = frozenset({400, 401, 403, 404, 410, 422})
_SENT_ON = frozenset({302, 303})  # within the site: to its login page, as sites do that keep the token in a cookie


class Renewed(Enum):
    """How it came out."""

    DONE = "there is a new token"
    REFUSED = "the site takes the refresh token no longer, or there is none: a login is needed"
    UNKNOWN = "nobody can tell: no answer, or the site is in trouble"


class Renewal:
    """One renewal.

    Args:
        site: with a refresh in its recipe.
        carrier: holds the tokens.
        vault, profile: where they are kept.
        device: to appear as.
        items: the localStorage part of the site's own origin.
    """

    def __init__(self, site: Site, carrier: Carrier, vault: Vault, profile: str, device: Device, *, items: PartId) -> None:
        self._site = site
        self._carrier = carrier
        self._vault = vault
        self._profile = profile
        self._device = device
        self._items = items

    def renew(self, *, spent: tuple[str, str] | None) -> Renewed:
        """Renew the token, unless somebody else has done it since `spent` was what there was; None for none that still counted.

        A refresh token may work once only, so what it brings is in the vault before anybody else may ask.
        """
        rules = self._site.recipe.session.refresh
        if rules is None or self._token(rules) is None:
            return Renewed.REFUSED
        with self._vault.lease(self._profile, site=f"{self._site.name} token", purpose="login", wait=TURN_WAIT):
            self._carrier.look(self._site.url(rules.url))
            now = bearer_header(self._carrier.state(), self._site.recipe, now=datetime.now(UTC))
            if now not in {None, spent}:
                return Renewed.DONE
            token = self._token(rules)
            return Renewed.REFUSED if token is None else self._ask(rules, token)

    def _token(self, rules: Refresh) -> str | None:
        state = self._carrier.state()
        if rules.cookie:
            return next((cookie.value for cookie in state.cookies() if cookie.name == rules.cookie and not cookie.expired(datetime.now(UTC).timestamp())), None)
        part = state.parts.get(self._items)
        entry = part.entries.get((rules.local_storage,)) if part else None
        return None if entry is None or entry.deleted else str(entry.value)

    def _ask(self, rules: Refresh, token: str) -> Renewed:

        import httpx2  # noqa: PLC0415  (a sixth of a second, and most tokens live)

        url, fields = self._site.url(rules.url), dict(rules.send)
        if not rules.cookie:
            fields[rules.field] = token
        body = urlencode(fields).encode() if rules.form else json.dumps(fields).encode()
        request = httpx2.Request("POST", url, headers=self._headers(url, rules), content=body, extensions={"timeout": dict.fromkeys(_WAITS, TIMEOUT)})
        try:
            with Transports() as transports:
                response = transports.transport(proxy_for(url, saved=self._device.proxy)).handle_request(at_this_machine(request))
                text = read_text(response, limit=_MAX_ANSWER, deadline=time.monotonic() + TIMEOUT)
        except (httpx2.HTTPError, OSError, ValueError):
            return Renewed.UNKNOWN
        lines = [value.decode("utf-8", "replace") for name, value in response.headers.raw if name.lower() == b"set-cookie"]
        refused = response.status_code in _NO or (response.status_code in _SENT_ON and self._is_ours(url, response.headers.get("location", "")))
        unknown = response.status_code >= 300 and not refused
        self._carrier.take_answer(url, response.status_code, lines, now=time.time(), deletes=not unknown)
        if refused:
            return Renewed.REFUSED
        return Renewed.UNKNOWN if unknown else self._keep(rules, text)

    def _is_ours(self, url: str, location: str) -> bool:
        try:
            return bool(location) and self._site.covers(urljoin(url, location))
        except ValueError:  # no URL
            return False

    def _headers(self, url: str, rules: Refresh) -> list[tuple[str, str]]:

        cookies = self._carrier.cookie_header(url, now=time.time())
        named = {
            "Content-Type": "application/x-www-form-urlencoded" if rules.form else "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": self._device.user_agent,
            "Accept-Language": self._device.language,
            "Cookie": cookies,
        }
        return [*client_hints(self._device, url), *((name, value) for name, value in named.items() if value)]

    def _keep(self, rules: Refresh, text: str) -> Renewed:
        """Put what came where the page would have put it, durable before anybody uses it."""
        new = {item: value for path, item in rules.store if (value := _at(text, path)) is not None}
        if rules.store and not new:
            return Renewed.REFUSED
        if new:
            self._carrier.set_items(self._items, new)
        self._carrier.settle()
        return Renewed.DONE


_WAITS = ("connect", "read", "write", "pool")


def _at(text: str, path: str) -> str | None:
    """The text or number at a path of a JSON document; None when there is none."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return str(found) if isinstance(found, (str, int, float)) and not isinstance(found, bool) else None
