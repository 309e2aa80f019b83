"""portside's operations in a real Chromium, on the stand-in site: what they read, what they refuse, and that nothing is booked twice."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from playwright.async_api import async_playwright

from handstamp.browser import find_browser
from handstamp.demo.portside.appointments import choices_of
from handstamp.demo.portside.fleet import records_of
from handstamp.demo.portside.pregate import Pregate, pregate_of
from handstamp.errors import BrowserGone, InputMissing, OperationFailed, OperationRefused
from handstamp.sites import find_site
from handstamp.sites.portside.operations import OPERATIONS, check_appointments, get_container_timeline, get_containers, make_appointment

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from playwright.async_api import Browser, Page, Route

    from handstamp.demo import DemoServers
    from handstamp.sites import Site
    from handstamp.sites.operation import Operation

ROWS = records_of("demo")
FREE = [row.container.number for row in ROWS if row.container.status == "In yard" and not row.container.hold]
CHOICES = choices_of("demo")
MOVE = {"trucking_company": CHOICES.companies[0], "terminal": CHOICES.terminals[0], "move_type": "Pick up full", "container_id": FREE[0]}
TRUCK = {"truck_plate": "KX 42 AB", "own_chassis": False}


class OwnRun:
    """A run of the test's own: files go into a folder."""

    def __init__(self, page: Page, site: Site, folder: Path, username: str | None = "demo") -> None:
        self.page = page
        self.site = site
        self.username = username
        self.folder = folder
        self.told: list[str] = []

    async def keep(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    async def shot(self, label: str, *, object_id: str = "", selector: str | None = None) -> str:
        shown = self.page.locator(selector) if selector else self.page
        return await self.keep(f"{label}-{object_id}.png", await shown.screenshot())

    def tell(self, text: str) -> None:
        self.told.append(text)


async def do(run: OwnRun, operation: Operation, **given: Any) -> Any:
    """All phases in order, on one page."""
    result = None
    for phase in operation.phases:
        fields = {name: given[name] for name in phase.fields.model_fields if name in given}
        result = await phase.act(run, phase.fields.model_validate(fields))
    return result


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """A loop for the browser that these tests share."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def browser(runner: asyncio.Runner) -> Iterator[Browser]:
    driver = runner.run(async_playwright().start())
    launched = runner.run(driver.chromium.launch(executable_path=find_browser(headless=True)))
    yield launched
    runner.run(launched.close())
    runner.run(driver.stop())


@pytest.fixture
def with_run(runner: asyncio.Runner, browser: Browser, demo: DemoServers, tmp_path: Path) -> Callable[[Callable[[OwnRun], Coroutine[Any, Any, None]]], None]:
    """`with_run(flow)`: what `flow` does with a run whose page is logged in by the site's form."""
    site = find_site("portside", env={}).at(demo.portside.url)

    async def flowing(flow: Callable[[OwnRun], Coroutine[Any, Any, None]]) -> None:
        async with await browser.new_context() as context:
            page = await context.new_page()
            await page.goto(site.url("/login"))
            await page.fill("#username", "demo")
            await page.fill("#password", "harbour-light-7")
            await page.click("button[type=submit]")
            await page.wait_for_url("**/account")
            await flow(OwnRun(page, site, tmp_path))

    return lambda flow: runner.run(flowing(flow))


def test_the_operations_are_the_four_and_only_making_an_appointment_is_not_repeatable() -> None:
    assert [(one.name, len(one.phases), one.repeatable, one.evidence) for one in OPERATIONS] == [
        ("get_containers", 1, True, False),
        ("get_container_timeline", 1, True, False),
        ("check_appointments", 3, True, True),
        ("make_appointment", 3, False, True),
    ]


def test_thousands_of_containers_are_scrolled_to_read_and_written(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        found = await do(run, get_containers, infinite_scrolling=True)
        assert (found.username, found.count, found.total) == ("demo", len(ROWS), len(ROWS))
        assert [row.number for row in found.containers] == [row.container.number for row in ROWS]
        assert [(row.weight_kg, row.free_days, row.arrived) for row in found.containers] == [
            (row.container.weight_kg, row.container.free_days, row.arrived) for row in ROWS
        ]
        assert all(row.reference.startswith("demo-") for row in found.containers)
        assert f"{len(ROWS)} of {len(ROWS)} containers" in run.told

    with_run(flow)


def test_the_workbook_has_typed_columns_a_filter_and_a_header_that_stays(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        found = await do(run, get_containers)
        book = openpyxl.load_workbook(found.file_url)
        with contextlib.closing(book):
            sheet = book.active
            assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:L{found.count + 1}")
            assert [cell.value for cell in sheet[1]][:3] == ["Container", "Reference", "Arrived"]
            for cells, row in zip(sheet.iter_rows(min_row=2, values_only=True), found.containers, strict=True):
                arrived = datetime(row.arrived.year, row.arrived.month, row.arrived.day)  # noqa: DTZ001  (as Excel has it)
                assert (cells[0], cells[2], cells[9] or "", cells[10], cells[11]) == (row.number, arrived, row.hold, row.weight_kg, row.free_days)

    with_run(flow)


def test_without_scrolling_only_the_first_rows_are_read(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        found = await do(run, get_containers)
        assert (found.count, found.total) == (200, len(ROWS))

    with_run(flow)


def test_a_slow_list_is_waited_for(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        demo.control.set(list_slow_ms=150)
        assert (await do(run, get_containers, infinite_scrolling=True)).count == len(ROWS)

    with_run(flow)


def test_rows_that_do_not_come_are_asked_for_again(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        calls = 0

        async def failing(route: Route) -> None:
            nonlocal calls
            calls += 1
            await (route.fulfill(status=503) if calls in {1, 4, 5} else route.continue_())

        await run.page.route("**/api/containers/all**", failing)
        assert (await do(run, get_containers, infinite_scrolling=True)).count == len(ROWS)
        assert any("did not answer (503)" in text for text in run.told)

    with_run(flow)


def test_a_list_that_breaks_off_for_good_says_where(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        async def failing(route: Route) -> None:
            await (route.continue_() if "offset=0&" in route.request.url else route.fulfill(status=503))

        await run.page.route("**/api/containers/all**", failing)
        with pytest.raises(OperationFailed, match=f"ends after 200 of {len(ROWS)} rows: .*503") as caught:
            await do(run, get_containers, infinite_scrolling=True)
        assert caught.value.repeatable

    with_run(flow)


@pytest.mark.parametrize("passed", [True, False, None])
@pytest.mark.parametrize("drawn", [False, True])
def test_the_pregate_status_is_found_in_words_and_in_a_picture(with_run: Any, demo: DemoServers, passed: bool | None, drawn: bool) -> None:
    async def flow(run: OwnRun) -> None:
        demo.control.set(pregate_image=drawn)
        wanted = Pregate(passed, drawn=False)
        number = next(row.container.number for row in ROWS if pregate_of(row) == wanted)
        found = await do(run, get_container_timeline, container_id=f" {number[:4].lower()} {number[4:]}")
        assert (found.username, found.container_id, found.passed_pregate) == ("demo", number, passed)
        assert found.detection_method == ("image" if drawn else "dom_text")
        assert Path(found.screenshot_url).stat().st_size > 1000
        assert len(found.events) >= 5

    with_run(flow)


def test_pictures_are_read_right_whatever_their_shade_and_size(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        rows = [row for row in ROWS if pregate_of(row).drawn][:24]
        found = [(await do(run, get_container_timeline, container_id=row.container.number)).passed_pregate for row in rows]
        assert found == [pregate_of(row).passed for row in rows]
        assert set(found) == {True, False}

    with_run(flow)


def test_a_picture_that_does_not_come_is_no_status(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        await run.page.route("**/pregate.png", lambda route: route.abort())
        number = next(row.container.number for row in ROWS if pregate_of(row).drawn)
        with pytest.raises(OperationFailed, match="picture of the pre-gate status did not load"):
            await do(run, get_container_timeline, container_id=number)

    with_run(flow)


def test_an_unknown_container_is_refused_by_name(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        with pytest.raises(OperationRefused, match="container_id: portside has no container ABCU1234560 in this account"):
            await do(run, get_container_timeline, container_id="ABCU 123456-0")

    with_run(flow)


def test_times_are_shown_and_nothing_is_booked(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        found = await do(run, check_appointments, **MOVE, **TRUCK)
        assert (found.username, found.container_id, found.terminal) == ("demo", FREE[0], MOVE["terminal"])
        assert len(found.available_times) > 20
        assert found.available_times == sorted(found.available_times)
        assert found.sold_out_times
        assert demo.control.stats().portside.appointments == 0

    with_run(flow)


def test_an_appointment_is_made_confirmed_and_listed_once(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        times = (await do(run, check_appointments, **MOVE, **TRUCK)).available_times
        given = MOVE | {"trucking_company": MOVE["trucking_company"].upper(), "container_id": FREE[0].lower()}
        made = await do(run, make_appointment, **given, **TRUCK, appointment_time=times[3].replace(" ", "T"))
        assert (made.appointment_confirmed, made.appointment_time, made.container_id, made.truck_plate) == (True, times[3], FREE[0], "KX 42 AB")
        assert Path(made.screenshot_url).exists()
        await run.page.goto(run.site.url("/appointments"))
        assert made.confirmation_number in await run.page.inner_text("main")
        assert demo.control.stats().portside.appointments == 1
        assert times[3] in (await do(run, check_appointments, **MOVE, **TRUCK)).sold_out_times

    with_run(flow)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trucking_company": "Elsewhere"}, f"trucking_company: .*there are: {CHOICES.companies[0]}, {CHOICES.companies[1]}"),
        ({"terminal": "Nowhere"}, f"terminal: .*there are: {', '.join(CHOICES.terminals)}"),
        ({"move_type": "Paint it"}, "move_type: .*Pick up full, Drop off full, Drop off empty"),
        ({"container_id": "csqu3054383"}, "container_id: Container CSQU3054383 is not in your account"),
        ({"container_id": "CSQU3054384"}, "container_id: .*last digit does not fit"),
        ({"move_type": "Drop off empty"}, "container_id: .*has not left the terminal"),
    ],
)
def test_what_the_first_step_does_not_take_is_named(with_run: Any, changes: dict[str, str], says: str) -> None:
    async def flow(run: OwnRun) -> None:
        with pytest.raises(OperationRefused, match=says):
            await do(run, check_appointments, **MOVE | changes, **TRUCK)

    with_run(flow)


def test_a_plate_that_was_refused_is_corrected_on_the_same_page(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        first, second, third = check_appointments.phases
        await first.act(run, first.fields.model_validate(MOVE))
        with pytest.raises(OperationRefused, match="truck_plate: Enter the plate"):
            await second.act(run, second.fields.model_validate(TRUCK | {"truck_plate": "x"}))
        await second.act(run, second.fields.model_validate(TRUCK))
        found = await third.act(run, third.fields())
        assert found is not None

    with_run(flow)


def test_a_time_that_was_just_sold_is_refused_and_another_can_be_taken(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        first, second = (await do(run, check_appointments, **MOVE, **TRUCK)).available_times[:2]
        last = make_appointment.phases[2]
        demo.control.set(slot_race=True)
        with pytest.raises(OperationRefused, match=rf"appointment_time: The time {first} has just been sold out.*left: {second}"):
            await do(run, make_appointment, **MOVE, **TRUCK, appointment_time=first)
        demo.control.set(slot_race=False)
        with pytest.raises(OperationRefused, match=f"appointment_time: {first} is sold out; left: {second}"):
            await last.act(run, last.fields.model_validate({"appointment_time": first}))
        made = await last.act(run, last.fields.model_validate({"appointment_time": second}))
        assert made is not None
        assert demo.control.stats().portside.appointments == 1

    with_run(flow)


def test_where_no_time_is_left_none_can_be_had(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        demo.control.set(slots_sold_out=True)
        assert (await do(run, check_appointments, **MOVE, **TRUCK)).available_times == []
        with pytest.raises(OperationRefused, match="appointment_time: there is no time 'tomorrow'; no time is left"):
            await do(run, make_appointment, **MOVE, **TRUCK, appointment_time="tomorrow")

    with_run(flow)


def test_an_answer_that_is_lost_after_booking_is_found_in_the_list(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        times = (await do(run, check_appointments, **MOVE, **TRUCK)).available_times

        async def losing(route: Route) -> None:
            if route.request.method == "POST":
                await route.fetch(
                    url=route.request.url.replace(demo.portside.url, demo.portside.plain_url), max_redirects=0
                )  # it arrives and books, its answer does not
                await route.abort()
            else:
                await route.continue_()

        await run.page.route("**/appointments/new/*/time", losing)
        made = await do(run, make_appointment, **MOVE, **TRUCK, appointment_time=times[0])
        assert (made.appointment_confirmed, made.appointment_time) == (True, times[0])
        assert demo.control.stats().portside.appointments == 1

    with_run(flow)


def test_a_form_that_never_arrived_is_told_as_not_repeatable(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        times = (await do(run, check_appointments, **MOVE, **TRUCK)).available_times

        async def dropping(route: Route) -> None:
            await (route.abort() if route.request.method == "POST" else route.continue_())

        await run.page.route("**/appointments/new/*/time", dropping)
        with pytest.raises(OperationFailed, match=f"{times[0]} is not among portside's appointments now") as caught:
            await do(run, make_appointment, **MOVE, **TRUCK, appointment_time=times[0])
        assert not caught.value.repeatable
        assert demo.control.stats().portside.appointments == 0

    with_run(flow)


def test_a_site_that_breaks_while_it_books_leaves_no_doubt_unsaid(with_run: Any, demo: DemoServers) -> None:
    async def flow(run: OwnRun) -> None:
        times = (await do(run, check_appointments, **MOVE, **TRUCK)).available_times

        async def breaking(route: Route) -> None:
            demo.control.set(error_share=1.0 if route.request.method == "POST" else 0.0)
            await route.continue_()

        await run.page.route("**/appointments/new/*/time", breaking)
        with pytest.raises(OperationFailed, match=r"answered the form #step-time with 500; whether .* was booked is not known") as caught:
            await do(run, make_appointment, **MOVE, **TRUCK, appointment_time=times[0])
        assert not caught.value.repeatable

    with_run(flow)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_an_ended_session_and_a_broken_site_are_told(with_run: Any, demo: DemoServers, operation: Operation) -> None:
    async def flow(run: OwnRun) -> None:
        given = {**MOVE, **TRUCK, "appointment_time": "2026-01-01 08:00"}
        demo.control.set(error_share=1.0)
        with pytest.raises(OperationFailed, match=r"portside answered /.* with 500"):
            await do(run, operation, **given)
        demo.control.set(error_share=0.0)
        demo.control.revoke()
        with pytest.raises(OperationFailed, match=r"shows its login page instead of /.*: the session has ended"):
            await do(run, operation, **given)

    with_run(flow)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_a_page_of_another_account_is_not_read(with_run: Any, operation: Operation) -> None:
    async def flow(run: OwnRun) -> None:
        run.username = "dana"
        with pytest.raises(OperationFailed, match="shows the account 'demo' in the session of 'dana'"):
            await do(run, operation, **MOVE, **TRUCK)

    with_run(flow)


def test_a_later_phase_on_another_page_says_what_is_missing(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        _first, second, third = check_appointments.phases
        with pytest.raises(OperationFailed, match="the second step of an appointment of portside has no #step-truck: the page is at /account"):
            await second.act(run, second.fields.model_validate(TRUCK))
        with pytest.raises(OperationFailed, match="has no #step-time"):
            await third.act(run, third.fields())

    with_run(flow)


def test_a_page_that_was_closed_is_a_browser_that_is_gone(with_run: Any) -> None:
    async def flow(run: OwnRun) -> None:
        await run.page.close()
        for operation in OPERATIONS:
            with pytest.raises(BrowserGone):
                await do(run, operation, **MOVE, **TRUCK)

    with_run(flow)


def test_the_last_step_goes_on_where_a_field_was_missing(desk: Callable[..., Any], demo: DemoServers) -> None:
    async def flow() -> None:
        async with desk() as here:
            times = (await here.do(check_appointments, {**MOVE, **TRUCK})).result.available_times
            with pytest.raises(InputMissing, match="Missing required field for Phase 2: truck_plate") as stopped:
                await here.do(make_appointment, {**MOVE, "own_chassis": True, "appointment_time": times[0]})
            with pytest.raises(OperationRefused, match="truck_plate: Enter the plate"):
                await here.do(make_appointment, {"truck_plate": "x"}, workflow_id=stopped.value.appointment_session_id)
            done = await here.do(make_appointment, {"truck_plate": "kx 42 ab"}, workflow_id=stopped.value.appointment_session_id)
            assert (done.result.appointment_confirmed, done.result.appointment_time, done.result.username) == (True, times[0], "demo")
            assert Path(done.bundle).stat().st_size > 1000
            assert demo.control.stats().portside.appointments == 1

    asyncio.run(flow())


def test_lists_and_timelines_come_through_a_real_session(desk: Callable[..., Any], demo: DemoServers) -> None:
    async def flow() -> None:
        async with desk() as here:
            found = (await here.do(get_containers, {"infinite_scrolling": True})).result
            assert (found.username, found.count) == ("demo", len(ROWS))
            assert Path(found.file_url).suffix == ".xlsx"
            timeline = (await here.do(get_container_timeline, {"container_id": found.containers[0].number})).result
            assert timeline.passed_pregate == pregate_of(ROWS[0]).passed
            assert Path(timeline.screenshot_url).read_bytes().startswith(b"\x89PNG")
            assert demo.control.stats().portside.logins == 1

    asyncio.run(flow())
