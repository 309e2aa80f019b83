"""Making an appointment for a truck in three steps, and the list of those that were made.

    /appointments/new                  company, terminal, move, container   → a draft of this session
    /appointments/new/{draft}/truck    plate, chassis
    /appointments/new/{draft}/time     the times that are left              → the appointment
    /appointments/made/{number}        its confirmation

As at the login, a refused form is answered with status 200 and the form again. A draft gives one appointment: its form sent
twice leads to the same confirmation.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from handstamp.demo.portside.appointments import Appointment, choices_of
from handstamp.demo.portside.rules import FirstStep, Problems, check_first, check_second, check_time
from handstamp.demo.portside.web import csrf_page, error_page, form_text, member, render, signed_form, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from handstamp.demo.portside.appointments import Slot
    from handstamp.demo.portside.drafts import Draft
    from handstamp.demo.sessions import Session


async def listing(request: Request, session: Session) -> Response:
    """GET /appointments."""
    return render("appointments.html", context={**member(request, session), "made": site_of(request).appointments.of(session.username)})


async def show_first(request: Request, session: Session) -> Response:
    """GET /appointments/new."""
    return _first(request, session, FirstStep(), {})


async def send_first(request: Request, session: Session) -> Response:
    """POST /appointments/new."""
    form = await signed_form(request, session)
    if form is None:
        return csrf_page()
    company, terminal, move, container = (form_text(form, name).strip() for name in ("company", "terminal", "move", "container"))
    sent = FirstStep(company, terminal, move, container.upper())
    problems = check_first(session.username, sent, choices_of(session.username))
    if problems:
        return _first(request, session, sent, problems)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    drafts = site_of(request).drafts
    draft = drafts.start(session, first_day=tomorrow, company=sent.company, terminal=sent.terminal, move=sent.move, container=sent.container)
    return _to(draft, "truck")


async def show_second(request: Request, session: Session) -> Response:
    """GET /appointments/new/{draft}/truck."""
    draft = _draft(request, session)
    return _over() if draft is None else _second(request, session, draft, {"plate": draft.plate, "chassis": ""}, {})


async def send_second(request: Request, session: Session) -> Response:
    """POST /appointments/new/{draft}/truck."""
    form, draft = await signed_form(request, session), _draft(request, session)
    if form is None:
        return csrf_page()
    if draft is None or draft.number:
        return _over()
    plate, chassis = " ".join(form_text(form, "plate").upper().split()), form_text(form, "chassis")
    problems = check_second(plate, chassis)
    if problems:
        return _second(request, session, draft, {"plate": plate, "chassis": chassis}, problems)
    draft.plate, draft.own_chassis = plate, chassis == "yes"
    return _to(draft, "time")


async def show_third(request: Request, session: Session) -> Response:
    """GET /appointments/new/{draft}/time."""
    draft = _draft(request, session)
    if draft is None:
        return _over()
    return _third(request, session, draft, {}) if draft.plate else _to(draft, "truck")


async def send_third(request: Request, session: Session) -> Response:
    """POST /appointments/new/{draft}/time."""
    form, draft = await signed_form(request, session), _draft(request, session)
    if form is None:
        return csrf_page()
    if draft is None or not draft.plate:
        return _over()
    if not draft.number:
        chosen, site = form_text(form, "time"), site_of(request)
        if site.knobs.slot_race and chosen:
            site.appointments.take(draft.terminal, chosen)
        problems = check_time(chosen, _slots(request, draft))
        if problems:
            return _third(request, session, draft, problems)
        _book(request, draft, chosen)
        await asyncio.sleep(site.knobs.booking_slow_ms / 1000)
    return RedirectResponse(f"/appointments/made/{draft.number}", status_code=303)


async def confirmation(request: Request, session: Session) -> Response:
    """GET /appointments/made/{number}."""
    made = site_of(request).appointments.find(session.username, request.path_params["number"])
    return render("appointment_made.html", context={**member(request, session), "made": made}) if made else error_page(404)


def _book(request: Request, draft: Draft, chosen: str) -> None:
    site, username = site_of(request), draft.session.username
    draft.number = site.appointments.new_number()
    site.appointments.add(
        Appointment(draft.number, username, draft.company, draft.terminal, draft.move, draft.container, draft.plate, draft.own_chassis, chosen)
    )
    site.tally.add("appointments", username)


def _first(request: Request, session: Session, sent: FirstStep, problems: Problems) -> Response:
    context = {**member(request, session), "step": 1, "sent": sent, "choices": choices_of(session.username), "problems": problems}
    return render("wizard_first.html", context=context)


def _second(request: Request, session: Session, draft: Draft, sent: dict[str, str], problems: Problems) -> Response:
    return render("wizard_second.html", context={**member(request, session), "step": 2, "draft": draft, "sent": sent, "problems": problems})


def _third(request: Request, session: Session, draft: Draft, problems: Problems) -> Response:
    days: dict[str, list[Slot]] = {}
    for slot in _slots(request, draft):
        days.setdefault(slot.at.strftime("%A, %d %B %Y"), []).append(slot)
    left = sum(not slot.sold for slots in days.values() for slot in slots)
    return render("wizard_third.html", context={**member(request, session), "step": 3, "draft": draft, "days": days, "left": left, "problems": problems})


def _slots(request: Request, draft: Draft) -> list[Slot]:
    site = site_of(request)
    return site.appointments.slots(draft.terminal, draft.first_day, sold_out=site.knobs.slots_sold_out)


def _draft(request: Request, session: Session) -> Draft | None:
    return site_of(request).drafts.get(session, request.path_params["draft"])


def _to(draft: Draft, step: str) -> Response:
    return RedirectResponse(f"/appointments/new/{draft.key}/{step}", status_code=303)


def _over() -> Response:
    return error_page(
        404, title="This appointment is no longer being made", text="It was made already, or left for too long. Start a new one from the list of appointments."
    )
