"""Who is logged in where, as a client sees it: the saved session, what goes with a request, and how to come back in.

Everything here may block. What is slow to import (the keeper, the engine, browsers) is imported when somebody has to log in.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.errors import ChallengeUnsolved, LoginError, LoginFailed, LoginRequired
from handstamp.home import home
from handstamp.http.carrier import Carrier
from handstamp.http.client_hints import client_hints
from handstamp.http.transport import origin
from handstamp.sites import expiry_evidence, find_site
from handstamp.sites.bearer import bearer_header, csrf_header, origin_of
from handstamp.sites.conditions import fits
from handstamp.sites.renewal import Renewal, Renewed
from handstamp.state import Clock, Device, PartId, PartKind, cookie_scope, cookies_to_send
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.sites import Recipe, Site
    from handstamp.state import Key, Session, StorageState
    from handstamp.vault import Lease

CLEARED_FOR = 60.0
"""Seconds for which an address that looks signed out is believed to look so by itself, after the site's check has said otherwise."""
TURN_WAIT = 180.0
"""Seconds to wait for the others where requests go one at a time; one of them may be logging in."""
_CLEARED_KEPT = 256
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_flights: dict[tuple[str, str, str], threading.Lock] = {}
_flights_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Carried:
    """What went with a request and carries the login."""

    cookies: Mapping[Key, str] = field(repr=False)
    bearer: tuple[str, str] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Headers for the site's own origin, as of one version of what is carried."""

    version: int
    bearer: tuple[str, str] | None = field(repr=False)
    csrf: tuple[str, str] | None = field(repr=False)


class Membership:
    """One client's login at a site. Safe across threads; making one does no I/O.

    Args:
        site: name or URL.
        profile: whose.
        username: whose session it must be.
        password: for a login.
        vault: a `Vault` or its URL; by default that of the settings.
        device: to appear as; by default the device of the login.
    """

    def __init__(
        self, site: str | Site, *, profile: str, username: str | None = None, password: str | None = None, vault: Vault | str | None, device: Device | None
    ) -> None:
        self.site = find_site(site, home=home()) if isinstance(site, str) else site
        self.profile = profile
        self._username = username
        self._password = password
        self._own_vault = not isinstance(vault, Vault)
        self.vault = vault if isinstance(vault, Vault) else Vault(vault)
        self._device_given = device or Device()
        self._session: Session | None = None
        self._prepared = False
        self._judged: tuple[int, float] = (-1, 0.0)
        self._ended = False
        self._cleared: dict[str, float] = {}
        origin_id = origin_of(self.recipe.base_url)
        scopes = {PartId(PartKind.COOKIES, cookie_scope(domain)) for domain in self.recipe.domains}
        self._items = PartId(PartKind.LOCAL, origin_id)
        self.carrier = Carrier(
            self.vault,
            profile,
            clock=Clock(secrets.token_hex(6)),
            items=[*scopes, self._items, PartId(PartKind.SESSION, origin_id)],
            carries=lambda name: not self.recipe.session.auth_cookies or any(fits(pattern, name) for pattern in self.recipe.session.auth_cookies),
            save=self._save,
        )
        self._tokens_known = _Tokens(-1, None, None)

    @property
    def recipe(self) -> Recipe:
        """Of the site."""
        return self.site.recipe

    @property
    def in_turn(self) -> bool:
        """Whether requests go one at a time."""
        return self.recipe.session.in_turn

    @cached_property
    def device(self) -> Device:
        """What the site saw at login."""
        return self._device_given.filled(self._session.device if self._session else Device())

    @cached_property
    def _origin(self) -> tuple[str, str, int]:
        return origin(self.recipe.base_url)

    # -- what goes with a request -------------------------------------------------------------------------------

    def headers(self, method: str, url: str) -> list[tuple[str, str]]:
        """Headers beside cookies: the device's, and at the site's own origin the tokens that the recipe names."""
        device = [*client_hints(self.device, url), *self._device_headers]
        if origin(url) != self._origin:
            return device
        tokens = self._tokens()
        named = (tokens.bearer, None if method in _SAFE else tokens.csrf)
        return [*device, *(token for token in named if token)]

    def _tokens(self) -> _Tokens:
        version = self.carrier.version
        if self._tokens_known.version != version:
            state, now = self.carrier.state(), datetime.now(UTC)
            self._tokens_known = _Tokens(version, bearer_header(state, self.recipe, now=now), csrf_header(state, self.recipe, now=now))
        return self._tokens_known

    @cached_property
    def _device_headers(self) -> list[tuple[str, str]]:
        device = self.device
        named = (("User-Agent", device.user_agent), ("Accept-Language", device.language))
        return [(name, value) for name, value in named if value]

    def carried(self, url: str) -> Carried:
        """What carries the login in a request to `url`."""
        return Carried(self.carrier.carriers(url), self._tokens().bearer)

    def names(self, url: str) -> frozenset[str]:
        """Names of the cookies that go to `url` now."""
        return frozenset(cookie.name for cookie in cookies_to_send(self.carrier.state().cookies(), url, now=time.time()))

    # -- before a request ---------------------------------------------------------------------------------------

    @property
    def must_prepare(self) -> bool:
        """Whether `prepare` has something to do: the first request, or the saved state shows that the login is over."""
        return not self._prepared or self._over()

    def _over(self) -> bool:
        """Whether the state alone proves the end of the login; reckoned when it changes, and each second."""
        version, now = self.carrier.version, time.monotonic()
        if self._judged[0] != version or now - self._judged[1] > 1.0:
            logged_in_at = self._session.logged_in_at if self._session else None
            evidence = expiry_evidence(self.carrier.state(), self.recipe, datetime.now(UTC), logged_in_at=logged_in_at)
            self._judged, self._ended = (version, now), evidence is not None
        return self._ended

    def prepare(self, request: str) -> None:
        """Take up the saved session; where there is none, or it is over, get in.

        Args:
            request: that is to be sent, for messages.

        Raises:
            LoginRequired: nobody but a person can log in.
            LoginFailed, ChallengeUnsolved: a login was tried in vain.
            ConfigError: the session is another user's.
        """
        if not self._prepared:
            self._take_up_session()
            self.carrier.look()
            self._prepared = True
        nothing = not any(part.live() for part in self.carrier.state().parts.values())
        if nothing or self._wrong_user() or self._over():
            with self._flight():
                self.carrier.look()
                # A token that nobody can renew just now is no ended session: the request goes out, and its answer tells.
                if self._wrong_user() or not self._over() or self._renew(None) is Renewed.REFUSED:
                    self._keeper_brings_back(request)

    def _wrong_user(self) -> bool:
        session = self._session
        return bool(session and self._username and session.username and session.username != self._username)

    def _take_up_session(self) -> None:
        self._session = self.vault.session(self.profile, self.site.name)
        for known in ("device", "_device_headers"):
            self.__dict__.pop(known, None)
        self._judged = (-1, 0.0)

    def take_turn(self) -> Lease:
        """Wait until no other client of this session has a request under way, and take up what they changed."""
        turn = self.vault.lease(self.profile, site=f"{self.site.name} requests", purpose="login", wait=TURN_WAIT)
        try:
            self.carrier.look(settle=False)
        except BaseException:
            turn.release()
            raise
        return turn

    # -- after an answer that looks signed out ------------------------------------------------------------------

    def cleared(self, url: str) -> bool:
        """Whether the site's check has said lately that this address looks so to somebody who is logged in."""
        until = self._cleared.get(_address(url))
        return until is not None and time.monotonic() < until

    def come_back(self, url: str, sent: Carried, why: str, *, maybe_logout: bool = False) -> bool:
        """Whether there is reason to send the request again: somebody else got in meanwhile, a token was renewed, or a login was made.

        Args:
            url: of the request.
            sent: what went with it.
            why: for messages.
            maybe_logout: the request changes something, and its own answer sets cookies: if the login is deleted now, it was a logout.

        Raises:
            LoginRequired, LoginFailed, ChallengeUnsolved: see `prepare`.
        """
        with self._flight():
            if self.carrier.yield_to_others(url, sent.cookies) or self.carried(url).bearer not in {sent.bearer, None}:
                self._take_up_session()
                return True
            if maybe_logout and sent.cookies and not self.carrier.carriers(url):
                return False
            renewed = self._renew(sent.bearer)
            if renewed is not Renewed.REFUSED:
                return renewed is Renewed.DONE
            self.carrier.settle()
            if self._keeper_brings_back(why) or self.carried(url) != sent:
                return True
            if len(self._cleared) >= _CLEARED_KEPT:
                self._cleared.clear()
            self._cleared[_address(url)] = time.monotonic() + CLEARED_FOR
            return False

    def _flight(self) -> threading.Lock:
        """One at a time in this process; among processes the vault's lease sees to it."""
        with _flights_lock:
            return _flights.setdefault((self.vault.where, self.profile, self.site.name), threading.Lock())

    def _renew(self, bearer: tuple[str, str] | None) -> Renewed:
        """A new token for the saved refresh token, if the recipe knows how; in place of `bearer`, or without one of what is there."""
        if self.recipe.session.refresh is None:
            return Renewed.REFUSED
        spent = bearer or bearer_header(self.carrier.state(), self.recipe, now=datetime.now(UTC))
        return Renewal(self.site, self.carrier, self.vault, self.profile, self.device, items=self._items).renew(spent=spent)

    def _keeper_brings_back(self, why: str) -> bool:
        """Have the keeper look, and log in if the session has ended; whether there is a new login."""
        from handstamp._signed_in import engine  # noqa: PLC0415  (browsers: most clients never need one)
        from handstamp.keeper import Given, Keeper  # noqa: PLC0415

        before = self._session.logins if self._session else 0
        keeper = Keeper(engine(), self.vault)
        try:
            engine().run(keeper.ensure(self.site, self.profile, Given(self._username, self._password), has_turn=self.in_turn))
        except LoginError as error:
            raise _named(error, why) from error
        finally:
            self._take_up_session()
            self.carrier.look()
        return (self._session.logins if self._session else 0) != before

    # -- saving -------------------------------------------------------------------------------------------------

    def _save(self, changes: StorageState) -> Any:
        if not any(entry.deleted for part in changes.parts.values() for entry in part.entries.values()):
            return self.vault.save(self.profile, changes)
        from handstamp.keeper import Saver  # noqa: PLC0415  (it notes a logout; a deletion is rare)

        return Saver(self.vault, self.profile, self.site)(changes)

    def close(self) -> None:
        """Save the rest, and let go of the vault if it is ours.

        Raises:
            VaultError: it cannot be saved.
        """
        try:
            self.carrier.close()
        finally:
            if self._own_vault:
                self.vault.close()


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _named(error: LoginError, why: str) -> LoginError:
    """The same error, with the request that met it."""
    message = f"{why}. {error}"
    if isinstance(error, LoginFailed):
        return LoginFailed(message, health=error.health, until=error.until)
    kinds = (LoginRequired, ChallengeUnsolved)
    return next((kind(message) for kind in kinds if type(error) is kind), error)
