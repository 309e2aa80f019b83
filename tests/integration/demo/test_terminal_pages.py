"""portside's long list, container pages and appointment wizard as a person sees them, in a real Chromium."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import expect

from handstamp.demo.portside.fleet import records_of
from handstamp.demo.portside.pregate import pregate_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from handstamp.demo import Control, DemoServers

FREE = next(row.container.number for row in records_of("demo") if row.container.status == "In yard" and not row.container.hold)
DRAWN = next(row.container.number for row in records_of("demo") if pregate_of(row).drawn and pregate_of(row).passed is False)


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.fill("#username", "demo")
    page.fill("#password", "harbour-light-7")
    page.click("button[type=submit]")
    page.wait_for_url("**/account")


def to_the_end(page: Page) -> None:
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")


def test_the_long_list_grows_as_one_scrolls(page: Page) -> None:
    sign_in(page)
    page.goto("/containers/all")
    rows, count = page.locator("#containers tbody tr"), page.locator("#count")
    total = f"{len(records_of('demo')):,}"
    expect(count).to_have_text(f"200 of {total} containers")
    expect(rows).to_have_count(200)
    to_the_end(page)
    expect(count).to_have_text(f"400 of {total} containers")


def test_a_part_that_did_not_come_can_be_asked_for_again(page: Page, control: Control) -> None:
    sign_in(page)
    page.goto("/containers/all")
    expect(page.locator("#containers tbody tr")).to_have_count(200)
    control.set(error_share=1.0)
    to_the_end(page)
    expect(page.get_by_role("alert")).to_contain_text("did not answer (500)")
    control.set(error_share=0.0)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#containers tbody tr")).to_have_count(400)


def test_a_container_page_has_its_timeline_and_a_red_picture(page: Page) -> None:
    sign_in(page)
    page.goto(f"/containers/{DRAWN}")
    times = page.locator("#timeline time").evaluate_all("all => all.map((one) => one.dateTime)")
    assert len(times) >= 5
    assert times == sorted(times)
    with Image.open(io.BytesIO(page.locator(".badge").screenshot())) as seen:
        mean = ImageStat.Stat(seen.convert("RGB")).mean
    assert mean[0] > mean[1] + 10


def test_a_person_makes_an_appointment(page: Page, control: Control) -> None:
    sign_in(page)
    page.get_by_role("link", name="Appointments").click()
    page.get_by_role("link", name="New appointment").click()
    for name in ("Trucking company", "Terminal", "Move"):
        page.get_by_label(name).select_option(index=1)
    page.get_by_label("Container number").fill(FREE.lower())
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Truck plate").fill("kx 42 ab")
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Next").click()
    page.locator("input[name=time]:enabled").first.check()
    page.get_by_role("button", name="Make the appointment").click()
    expect(page.locator("#confirmation")).to_contain_text("PT-")
    expect(page.locator("#made-container")).to_have_text(FREE)
    assert control.stats().portside.appointments == 1


@pytest.mark.parametrize("path", ["/containers/all", f"/containers/{DRAWN}", "/appointments", "/appointments/new"])
def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, demo: DemoServers, path: str) -> None:
    with browser.new_context(base_url=demo.portside.url, viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        sign_in(page)
        page.goto(path)
        if path == "/containers/all":
            expect(page.locator("td.box").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
