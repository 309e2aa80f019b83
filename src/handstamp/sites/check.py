"""The check by plain HTTP: cheap, and careful never to harm the session that it looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.http.probe import probe
from handstamp.sites.bearer import bearer_header
from handstamp.sites.conditions import url_fits
from handstamp.sites.judge import judge
from handstamp.sites.site import Site
from handstamp.sites.verdict import Evidence, Verdict
from handstamp.state import Health, Part, StorageState

if TYPE_CHECKING:
    from handstamp.http.transports import Transports
    from handstamp.sites.recipe import Check
    from handstamp.state import Cookie, Device

_GATEWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """What a check gave.

    Args:
        verdict: on the session's health.
        changes: cookies to write back, one that has ended is a deletion. Also those of a check that could not tell: a
            session id that the site has rotated meanwhile is the only one that still works.
        withheld: what an answer wanted to change and must not, since nobody knows whether it spoke for the site.
    """

    verdict: Verdict
    changes: tuple[Cookie, ...] = ()
    withheld: tuple[Cookie, ...] = field(default=(), repr=False)


def check_by_http(
    site: Site, state: StorageState, device: Device, *, now: datetime | None = None, timeout: float = 10.0, transports: Transports | None = None
) -> HttpCheck:
    """Asks the site's check URL as the session's browser would, and judges the answer.

    Args:
        site: with a check in its recipe; one that only a browser can tell gives `UNKNOWN` with `ask_browser`.
        state: of the profile; only what belongs to the URL is sent.
        device: of the session.
        now: aware; by default the clock's.
        timeout: seconds for all of it.
        transports: connections to use again.
    """
    now = now or datetime.now(UTC)
    check = site.recipe.check
    if check is None or type(site).check is not Site.check:
        return HttpCheck(_not_by_http(site, now))
    probed = probe(
        site.url(check.url),
        cookies=state.cookies(),
        device=device,
        bearer=bearer_header(state, site.recipe, now=now),
        timeout=timeout,
        follow=lambda _, there: site.covers(there) and not _tells(there, check, site),
        transports=transports,
        now=now,
    )
    verdict = judge(probed.observation, site.recipe)
    withheld = withheld_changes(verdict, probed.observation.status, probed.changes, now=now)
    return HttpCheck(verdict, tuple(cookie for cookie in probed.changes if cookie not in withheld), withheld)


def _not_by_http(site: Site, now: datetime) -> Verdict:
    words = "only a look in a browser can tell at" if site.can_check else "there is no recipe with a check, so nobody can tell at"
    return Verdict(Health.UNKNOWN, (Evidence("http", "no-check", f"{words} '{site.name}'", now),), ask_browser=site.can_check)


def _tells(url: str, check: Check, site: Site) -> bool:
    """Whether a redirect to `url` is an answer by itself: a login page that is not fetched cannot reset anything."""
    conditions = (*check.logged_out, *check.challenged, *check.blocked)
    return any(url_fits(pattern, url, site.domains) for condition in conditions for pattern in condition.redirect)


def believed_changes(verdict: Verdict, changes: StorageState) -> StorageState:
    """What of a browser's changes may be written back, by the same rule as `withheld_changes`."""
    if verdict.health is not Health.UNKNOWN:
        return changes
    if verdict.evidence[-1].status in _GATEWAY:
        return StorageState.of([], epoch=changes.epoch)
    alive = (Part(part.id, {key: entry for key, entry in part.entries.items() if not entry.deleted}) for part in changes.parts.values())
    return StorageState.of([part for part in alive if part.entries], epoch=changes.epoch)


def withheld_changes(verdict: Verdict, status: int | None, changes: tuple[Cookie, ...], *, now: datetime) -> tuple[Cookie, ...]:
    """Changes that must not be written back: `UNKNOWN` deletes nothing, and what a gateway says in the site's stead sets nothing."""
    if verdict.health is not Health.UNKNOWN:
        return ()
    return tuple(cookie for cookie in changes if status in _GATEWAY or cookie.expired(now.timestamp()))
