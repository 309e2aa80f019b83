"""Which sites and sessions there are, how they stand, and what has happened."""

from __future__ import annotations

import asyncio
from datetime import datetime  # noqa: TC003  (pydantic reads annotations at run time)
from typing import TYPE_CHECKING, Any

from pydantic import Field

from handstamp.errors import SessionNotFound
from handstamp.mcp import permissions
from handstamp.mcp.tool import Given, Result, tool
from handstamp.sites import list_sites as known_sites
from handstamp.state import Health

if TYPE_CHECKING:
    from handstamp.mcp.call import Call
    from handstamp.state import Session
    from handstamp.vault import Event

PROFILE = Field(default="default", description="The profile whose session it is, as list_sessions names it.", max_length=128)
SITE = Field(
    description="Name of a site, as list_sites or list_sessions has it. The URL of a site without recipe, where a session of it is kept.", max_length=128
)
_MOST_EVENTS = 200


class Nothing(Given):
    """No arguments."""


class Which(Given):
    """A session."""

    site: str = SITE
    profile: str = PROFILE


class SiteFacts(Result):
    """A site that can be named."""

    name: str
    address: str | None = Field(description="Where it is; null when its recipe cannot be read.")
    logs_in: bool = Field(description="A login needs no person, but for what the site may ask.")
    can_be_checked: bool = Field(description="check_session can tell whether a session is alive.")
    problem: str | None = None


class Sites(Result):
    """The sites."""

    sites: list[SiteFacts]


class SessionFacts(Result):
    """A session, without anything that lets somebody in."""

    site: str
    profile: str
    username: str | None
    health: Health = Field(description="As it was found last; only 'valid' is signed in for sure.")
    needs_refresh: bool
    logged_in_at: datetime | None
    last_used: datetime | None
    last_verified: datetime | None
    expires_at: datetime | None
    logins: int

    @classmethod
    def of(cls, session: Session) -> SessionFacts:
        """Those of a session."""
        return cls(**{name: getattr(session, name) for name in cls.model_fields})


class PageFacts(Result):
    """A page that is open."""

    handle: str
    site: str
    profile: str


class Sessions(Result):
    """The sessions, and your open pages."""

    sessions: list[SessionFacts]
    your_pages: list[PageFacts]


class Checked(Result):
    """How a session stands."""

    site: str
    profile: str
    health: Health
    why: str = Field(description="What told it.")
    until: datetime | None = Field(description="Of a block: do not ask again before.")


class Asked(Given):
    """Which events."""

    site: str | None = Field(default=None, description="Only those of this site.", max_length=128)
    profile: str | None = Field(default=None, description="Only those of this profile.", max_length=128)
    limit: int = Field(default=50, ge=1, le=_MOST_EVENTS)


class EventFacts(Result):
    """Something that happened."""

    at: datetime
    kind: str
    site: str | None
    profile: str | None
    data: dict[str, Any]


class Events(Result):
    """What happened, the newest first."""

    events: list[EventFacts]


@tool(group="read", takes=Nothing, gives=Sites, scope="read")
async def list_sites(call: Call, given: Nothing) -> Sites:
    """The web sites that can be used here by name."""
    del given
    found = []
    for known in await asyncio.to_thread(known_sites, home=call.bench.pool.home):
        if permissions.allows_site(call.bench.settings, known.name):
            site = known.site
            address = site.base_url if site else None
            logs_in, checks = (site.can_login, site.can_check) if site else (False, False)
            found.append(SiteFacts(name=known.name, address=address, logs_in=logs_in, can_be_checked=checks, problem=known.problem or None))
    return Sites(sites=found)


@tool(group="read", takes=Nothing, gives=Sessions, scope="read")
async def list_sessions(call: Call, given: Nothing) -> Sessions:
    """The saved logins: which site, in which profile, whose, and how each was found last. Also your open pages, by handle."""
    del given
    own = [PageFacts(handle=page.id, site=page.site.name, profile=page.profile) for page in call.bench.pages.of(call.caller.name)]
    return Sessions(sessions=[SessionFacts.of(one) for one in await call.sessions()], your_pages=own)


@tool(group="read", takes=Which, gives=Checked)
async def check_session(call: Call, given: Which) -> Checked:
    """Ask the site whether a saved login is still alive.

    Nothing is opened, and no login is made: 'expired' means that one is needed (start_login),
    'challenged' that a person is, 'blocked' and 'unknown' that you should wait.
    """
    site = await call.site(given.site, given.profile)
    session = await asyncio.to_thread(call.bench.pool.vault.session, given.profile, site.name)
    if session is None:
        raise SessionNotFound(f"there is no session of {site.name} in profile '{given.profile}'; list_sessions names those that there are")
    verdict = await call.bench.pool.check(session.session_id)
    if verdict.health is not Health.VALID:
        call.bench.logins.doubt(site.name, given.profile)
    return Checked(site=site.name, profile=given.profile, health=verdict.health, why=verdict.text, until=verdict.until)


@tool(group="read", takes=Asked, gives=Events, scope="read")
async def history(call: Call, given: Asked) -> Events:
    """What happened to the sessions: logins, checks, refreshes, losses, and what agents did, the newest first."""
    find = call.bench.pool.vault.events
    found = await asyncio.to_thread(find, site=given.site, profile=given.profile, limit=given.limit)
    return Events(events=[_facts(event) for event in found if call.allows(event.site, event.profile)])


def _facts(event: Event) -> EventFacts:
    return EventFacts(at=event.at, kind=event.kind, site=event.site, profile=event.profile, data=dict(event.data))
