"""Workflows in a real session: they wait, go on, begin again, and never do twice what may be done once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.errors import BrowserGone, Conflict, InputInvalid, InputMissing, OperationFailed, OperationRefused, WorkflowEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.sites.operation import Run

ALL = {"terminal": "T1", "truck_plate": "ZH 1", "appointment_time": "09:00"}


async def _waiting(here: Any, booking: Any, given: dict[str, Any], **more: Any) -> InputMissing:
    with pytest.raises(InputMissing) as caught:
        await here.do(booking, given, **more)
    return caught.value


def test_with_all_fields_a_workflow_is_done_in_one_call(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            outcome = await here.do(office.booking(), ALL)
            assert outcome.result.booked == "09:00 on Containers · Portside Terminal"
            assert office.done == ["terminal T1", "plate ZH 1", "slot 09:00"]
            assert outcome.facts() == {"booked": outcome.result.booked, "appointment_session_id": outcome.workflow_id, "debug_bundle_url": None}
            assert await here.open_pages() == []
            with pytest.raises(WorkflowEnded, match="is done: book has ended well"):
                await here.do(office.booking(), {}, workflow_id=outcome.workflow_id)

    asyncio.run(flow())


def test_a_workflow_waits_for_a_field_and_goes_on_where_it_stopped(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1"})
            assert str(stopped) == "Missing required field for Phase 2: truck_plate"
            assert (stopped.missing, stopped.phase, stopped.operation) == (("truck_plate",), 2, "book")
            assert list(here.pages) == [stopped.appointment_session_id]
            again = await _waiting(here, office.booking(), {"truck_plate": "ZH 1"}, workflow_id=stopped.appointment_session_id)
            assert (again.phase, again.appointment_session_id) == (3, stopped.appointment_session_id)
            outcome = await here.do(office.booking(), {"appointment_time": "09:00"}, workflow_id=again.appointment_session_id)
            assert outcome.result.booked.startswith("09:00")
            assert office.done == ["terminal T1", "plate ZH 1", "slot 09:00"]  # nothing was done twice
            assert here.pages == {}
            assert await here.open_pages() == []

    asyncio.run(flow())


def test_missing_fields_of_the_first_phase_open_no_page(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"truck_plate": "ZH 1"})
            assert str(stopped) == "Missing required field for Phase 1: terminal"
            assert (await here.open_pages(), here.pages, office.done) == ([], {}, [])
            outcome = await here.do(office.booking(), {"terminal": "T1", "appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
            assert outcome.result.booked

    asyncio.run(flow())


def test_in_another_context_the_earlier_phases_are_done_again(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1", "truck_plate": "ZH 1"})
        async with desk() as later:  # as after a restart: the vault knows the workflow, the page is gone
            outcome = await later.do(office.booking(), {"appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
        assert outcome.result.booked
        assert office.done == ["terminal T1", "plate ZH 1", "terminal T1", "plate ZH 1", "slot 09:00"]

    asyncio.run(flow())


def test_a_corrected_field_of_an_earlier_phase_begins_again_on_a_fresh_page(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1", "truck_plate": "ZH 1"})
            (page,) = here.pages.values()
            outcome = await here.do(office.booking(), {"terminal": "T2", "appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
            assert page.is_closed()
            assert outcome.result.booked
            assert office.done == ["terminal T1", "plate ZH 1", "terminal T2", "plate ZH 1", "slot 09:00"]

    asyncio.run(flow())


def test_what_the_site_refuses_can_be_corrected(desk: Callable[..., Any], office: Any) -> None:
    async def refuse(_: Run) -> None:
        raise OperationRefused("09:00 was sold a moment ago; take 10:00")

    async def flow() -> None:
        async with desk() as here:
            office.planted[3] = refuse
            with pytest.raises(OperationRefused, match="take 10:00") as caught:
                await here.do(office.booking(), ALL)
            refused = caught.value
            assert (refused.phase, refused.repeatable, refused.operation) == (3, True, "book")
            assert refused.bundle
            assert await here.open_pages() == []
            outcome = await here.do(office.booking(), {"appointment_time": "10:00"}, workflow_id=refused.appointment_session_id)
            assert outcome.result.booked.startswith("10:00")

    asyncio.run(flow())


def test_an_invalid_field_changes_nothing_and_the_workflow_still_waits(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1"})
            with pytest.raises(InputInvalid, match=r"has no field 'truck_plat'; did you mean truck_plate\?"):
                await here.do(office.booking(), {"truck_plat": "ZH 1"}, workflow_id=stopped.appointment_session_id)
            with pytest.raises(InputInvalid, match="truck_plate: input should be a valid string") as caught:
                await here.do(office.booking(), {"truck_plate": 7}, workflow_id=stopped.appointment_session_id)
            assert (caught.value.appointment_session_id, caught.value.phase) == (stopped.appointment_session_id, 2)
            outcome = await here.do(office.booking(), {"truck_plate": "ZH 1", "appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
            assert outcome.result.booked
            assert office.done == ["terminal T1", "plate ZH 1", "slot 09:00"]

    asyncio.run(flow())


def test_when_its_time_is_over_the_page_is_closed_and_the_reason_told(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1"}, seconds=1)
            (page,) = here.pages.values()
            await page.wait_for_event("close")
            assert here.pages == {}
            with pytest.raises(WorkflowEnded, match="had its time until 20"):
                await here.do(office.booking(), {"truck_plate": "ZH 1"}, workflow_id=stopped.appointment_session_id)

    asyncio.run(flow())


def test_of_very_many_that_wait_the_oldest_pages_are_closed_and_theirs_go_on_all_the_same(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            waiting = [await _waiting(here, office.booking(), {"terminal": "T1"}) for _ in range(7)]
            assert list(here.pages) == [one.appointment_session_id for one in waiting[2:]]
            assert len(await here.open_pages()) == 5
            rest = {"truck_plate": "ZH 1", "appointment_time": "09:00"}
            assert (await here.do(office.booking(), rest, workflow_id=waiting[0].appointment_session_id)).result.booked.startswith("09:00")

    asyncio.run(flow())


def test_the_page_of_one_that_was_gone_on_with_stays_open_past_its_first_time(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1"}, seconds=1)
            await _waiting(here, office.booking(), {"truck_plate": "ZH 1"}, workflow_id=stopped.appointment_session_id, seconds=600)
            await asyncio.sleep(1.5)  # the first time is over, and the second not
            assert [page.is_closed() for page in here.pages.values()] == [False]

    asyncio.run(flow())


@pytest.mark.parametrize("workflow_id", ["", "0" * 32, "../../etc/passwd", "no-such-id"])
def test_an_unknown_workflow_is_refused(desk: Callable[..., Any], office: Any, workflow_id: str) -> None:
    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(WorkflowEnded, match="does not wait"):
                await here.do(office.booking(), ALL, workflow_id=workflow_id or "f" * 32)
            assert office.done == []

    asyncio.run(flow())


def test_another_sessions_workflow_is_refused_and_left_alone(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1"})
            from dataclasses import replace

            mine, here.session = here.session, replace(here.session, session_id="somebody-else")
            with pytest.raises(WorkflowEnded, match="is another session's"):
                await here.do(office.booking(), ALL, workflow_id=stopped.appointment_session_id)
            here.session = mine
            assert list(here.pages) == [stopped.appointment_session_id]
            assert (await here.do(office.booking(), ALL, workflow_id=stopped.appointment_session_id)).result.booked

    asyncio.run(flow())


def test_of_two_who_go_on_at_once_one_does_and_the_other_is_told(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1", "truck_plate": "ZH 1"})
            given = {"appointment_time": "09:00"}
            calls = [here.do(office.booking(), given, workflow_id=stopped.appointment_session_id) for _ in range(2)]
            ended = await asyncio.gather(*calls, return_exceptions=True)
            errors = [one for one in ended if isinstance(one, Exception)]
            assert len(errors) == 1
            assert isinstance(errors[0], (Conflict, OperationFailed, WorkflowEnded)), errors
            assert office.done.count("slot 09:00") == 1
            assert await here.open_pages() == []

    asyncio.run(flow())


def test_a_browser_that_ends_in_an_early_phase_costs_nothing(desk: Callable[..., Any], office: Any) -> None:
    async def die(run: Run) -> None:
        await run.page.context.close()
        await run.page.title()

    async def flow() -> None:
        async with desk() as here:
            stopped = await _waiting(here, office.booking(), {"terminal": "T1"})
            office.planted[2] = die
            with pytest.raises(BrowserGone, match="may be called again"):
                await here.do(office.booking(), {"truck_plate": "ZH 1", "appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
        async with desk() as later:
            outcome = await later.do(office.booking(), {}, workflow_id=stopped.appointment_session_id)  # what was given is known already
            assert outcome.result.booked

    asyncio.run(flow())


def test_what_was_cut_off_in_its_last_phase_is_never_tried_again(desk: Callable[..., Any], office: Any) -> None:
    async def die(run: Run) -> None:
        await run.page.context.close()
        await run.page.title()

    async def flow() -> None:
        async with desk() as here:
            office.planted[3] = die
            stopped = await _waiting(here, office.booking(), {"terminal": "T1", "truck_plate": "ZH 1"})
            with pytest.raises(OperationFailed, match="it is not known whether the site has done it") as caught:
                await here.do(office.booking(), {"appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
            assert caught.value.repeatable is False
        async with desk() as later:
            with pytest.raises(OperationFailed, match="it is not known whether the site has done it") as caught:
                await later.do(office.booking(), ALL, workflow_id=stopped.appointment_session_id)
            assert caught.value.repeatable is False
        assert office.done.count("slot 09:00") == 1

    asyncio.run(flow())


def test_a_last_phase_that_may_be_repeated_is(desk: Callable[..., Any], office: Any) -> None:
    async def die(run: Run) -> None:
        await run.page.context.close()
        await run.page.title()

    async def flow() -> None:
        booking = office.booking(repeatable=True)
        async with desk() as here:
            office.planted[3] = die
            stopped = await _waiting(here, booking, {"terminal": "T1", "truck_plate": "ZH 1"})
            with pytest.raises(BrowserGone):
                await here.do(booking, {"appointment_time": "09:00"}, workflow_id=stopped.appointment_session_id)
        async with desk() as later:
            outcome = await later.do(booking, {}, workflow_id=stopped.appointment_session_id)
            assert outcome.result.booked.startswith("09:00")

    asyncio.run(flow())


def test_a_fault_in_an_early_phase_leaves_the_workflow_where_it_was(desk: Callable[..., Any], office: Any) -> None:
    async def stumble(_: Run) -> None:
        raise KeyError("a value of the page")

    async def flow() -> None:
        async with desk() as here:
            office.planted[2] = stumble
            with pytest.raises(OperationFailed) as caught:
                await here.do(office.booking(), ALL)
            failed = caught.value
            assert (failed.repeatable, failed.phase) == (True, 2)
            assert "KeyError" in str(failed)
            assert "a value of the page" not in str(failed)
            assert failed.bundle
            outcome = await here.do(office.booking(), {}, workflow_id=failed.appointment_session_id)
            assert outcome.result.booked

    asyncio.run(flow())


def test_a_caller_who_is_cancelled_leaves_no_page(desk: Callable[..., Any], office: Any) -> None:
    async def flow() -> None:
        async with desk() as here:
            there = asyncio.Event()

            async def hang(_: Run) -> None:
                there.set()
                await asyncio.sleep(60)

            office.planted[2] = hang
            task = asyncio.ensure_future(here.do(office.booking(), ALL))
            await there.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await here.open_pages() == []

    asyncio.run(flow())
