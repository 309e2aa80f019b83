"""Show one session: who, how it stands, what it is made of, what could not be kept, what happened to it and what was done in it.

Cookies and storage items are named and counted; their values are never shown (`handstamp export` has them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.facts import activity_facts, event_facts, parts_facts, session_facts
from handstamp.cli.tables import columns, heading, health_cell, pairs
from handstamp.cli.words import count, when
from handstamp.errors import SessionNotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.facts import Facts
    from handstamp.cli.tables import Cell
    from handstamp.state import Device, Session
    from handstamp.vault import Event

_EVENTS = 10
_ACTIVITY = 10  # of the latest, for people; programs get all that is kept
_DONE = {"visit": "page opened", "move": "moved within", "link": "link used", "submit": "form sent", "download": "download"}
_SHOWN_NAMES = 8
_DEVICE_WORDS = {"user_agent": "user agent", "language": "language", "timezone": "time zone"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")
    add_profile(parser)


def run(call: Call, *, site: str, profile: str) -> None:
    """Print it.

    Raises:
        SessionNotFound: nothing is saved.
    """
    known = call.site(site)
    with call.vault() as vault:
        session = vault.session(profile, known.name)
        state = vault.load(profile, domains=known.domains)
        events = vault.events(profile=profile, site=known.name, limit=_EVENTS)
    parts = parts_facts(state)
    if session is None and not parts:
        message = f"nothing is saved for {known.name} in profile '{profile}'; `handstamp ls` lists what is, `handstamp login {known.name}` makes a session"
        raise SessionNotFound(message)
    facts = {
        "session": session_facts(session) if session else None,
        "parts": parts,
        "events": [event_facts(event) for event in events],
        "activity": [activity_facts(one) for one in session.activity] if session else [],
    }
    call.output.show(facts, lambda: _picture(call, session, parts, events))


def _picture(call: Call, session: Session | None, parts: list[Facts], events: Sequence[Event]) -> Iterator[RenderableType]:
    if session is not None:
        yield pairs(_rows(call, session))
    yield heading("Kept")
    yield columns(("PART", "HOLDS", "NAMES"), [(part["part"], _holds(part), _names(part)) for part in parts])
    if session is not None and session.losses:
        yield heading("Could not be kept")
        yield columns(("WHAT", "WHERE", "WHY"), [(loss.what, loss.where, loss.why) for loss in session.losses])
    if session is not None and session.activity:
        yield heading("Done in it")
        latest = session.activity[-_ACTIVITY:][::-1]
        yield columns(("WHEN", "WHAT", "WHERE"), [(when(one.at, call.now), _DONE.get(one.kind, one.kind), one.url) for one in latest])
    if events:
        yield heading("Lately")
        yield columns(("WHEN", "WHAT", "DETAILS"), [(when(event.at, call.now), event.kind, _details(event)) for event in events])


def _rows(call: Call, session: Session) -> list[tuple[str, Cell]]:
    return [
        ("site", session.site),
        ("profile", session.profile),
        ("user", session.username or "not known"),
        ("health", health_cell(session.health)),
        ("verified", when(session.last_verified, call.now)),
        ("logged in", f"{when(session.logged_in_at, call.now)} ({count(session.logins, 'login')} by handstamp)"),
        ("used", _used(call, session)),
        ("expires", when(session.expires_at, call.now, never="not known")),
        *_device_rows(session.device),
        ("id", session.session_id),
    ]


def _used(call: Call, session: Session) -> str:
    first = f", first {when(session.first_used, call.now)}" if session.first_used else ""
    return f"{when(session.last_used, call.now)}{first}"


def _device_rows(device: Device) -> Iterator[tuple[str, Cell]]:
    for field, words in _DEVICE_WORDS.items():
        if value := getattr(device, field):
            yield words, str(value)
    if device.viewport_width and device.viewport_height:
        yield "viewport", f"{device.viewport_width} × {device.viewport_height}"
    if device.proxy:
        yield "proxy", "one, with the address it was logged in through"


def _holds(part: Facts) -> str:
    nouns = {"cookies": "cookie", "local": "item", "session": "item"}
    return count(part["count"], nouns.get(part["kind"], "record"))


def _names(part: Facts) -> str:
    names = [cookie["name"] for cookie in part["cookies"]] if "cookies" in part else part["names"]
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _details(event: Event) -> str:
    return ", ".join(f"{name} {value}" for name, value in event.data.items() if isinstance(value, str | int | float))
