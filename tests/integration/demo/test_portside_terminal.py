"""portside's long list, container pages and appointment wizard, over real HTTP."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from handstamp.demo.portside.appointments import choices_of
from handstamp.demo.portside.fleet import records_of
from handstamp.demo.portside.pregate import pregate_of

if TYPE_CHECKING:
    import httpx2

    from handstamp.demo import Control

    from .conftest import Person

FREE = [row.container.number for row in records_of("demo") if row.container.status == "In yard" and not row.container.hold]


@pytest.fixture
def member(person: Person) -> Person:
    """A person who is signed in."""
    person.sign_in()
    return person


def first_step(person: Person, **changes: str) -> httpx2.Response:
    choices = choices_of("demo")
    fields = {"company": choices.companies[0], "terminal": choices.terminals[0], "move": "Pick up full", "container": FREE[0], **changes}
    return person.http.post("/appointments/new", data={"csrf": person.csrf("/appointments/new"), **fields})


def to_times(person: Person, **changes: str) -> str:
    """Through the first two steps; the address of the third."""
    truck = first_step(person, **changes).headers["location"]
    answer = person.http.post(truck, data={"csrf": person.csrf(truck), "plate": "kx 42 ab", "chassis": "no"})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def free_times(person: Person, path: str) -> list[str]:
    return re.findall(r'name="time" value="([^"]+)">', person.http.get(path).text)


def choose(person: Person, path: str, time: str) -> httpx2.Response:
    return person.http.post(path, data={"csrf": person.csrf(path), "time": time})


def test_the_long_list_comes_in_parts_and_is_the_accounts_own(member: Person, other: Person) -> None:
    token = member.token()
    rows, offset = [], 0
    while offset is not None:
        part = member.api(token, f"/api/containers/all?offset={offset}&limit=200").json()
        rows += part["containers"]
        offset = part["next"]
    assert [row["number"] for row in rows] == [record.container.number for record in records_of("demo")]
    assert len(rows) == part["count"] >= 2000
    assert all(row["reference"].startswith("demo-") for row in rows)
    other.sign_in("dana", "blue-crane-42")
    assert other.api(other.token(), "/api/containers/all").json()["containers"][0]["reference"].startswith("dana-")


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "limit=0", "limit=201", "limit=٣", "offset=1e3", "offset=99999999999"])
def test_a_part_of_the_list_that_cannot_be_is_refused(member: Person, query: str) -> None:
    assert member.api(member.token(), f"/api/containers/all?{query}").status_code == 400


def test_the_list_wants_the_token_and_the_pages_the_session(person: Person) -> None:
    assert person.http.get("/api/containers/all").status_code == 401
    for path in ("/containers/all", f"/containers/{FREE[0]}", f"/containers/{FREE[0]}/pregate.png", "/appointments", "/appointments/new"):
        assert person.http.get(path).headers["location"].startswith("/login?next=")


def test_a_container_page_says_its_pregate_status_in_words_or_only_draws_it(member: Person, control: Control) -> None:
    rows = records_of("demo")
    written = next(row for row in rows if pregate_of(row).passed and not pregate_of(row).drawn)
    drawn = next(row for row in rows if pregate_of(row).passed and pregate_of(row).drawn)
    says = re.compile(r"Passed|passed<|tick|green", re.ASCII)
    text = member.http.get(f"/containers/{written.container.number}").text
    assert says.search(text)
    assert "pregate.png" not in text
    text = member.http.get(f"/containers/{drawn.container.number}").text
    assert not says.search(text)
    assert "pregate.png" in text
    control.set(pregate_image=True)
    assert "pregate.png" in member.http.get(f"/containers/{written.container.number}").text


@pytest.mark.parametrize(("passed", "strongest"), [(True, 1), (False, 0)])
def test_the_picture_is_green_or_red(member: Person, passed: bool, strongest: int) -> None:
    row = next(row for row in records_of("demo") if pregate_of(row).passed is passed)
    with Image.open(io.BytesIO(member.http.get(f"/containers/{row.container.number}/pregate.png").content)) as image:
        pixel = image.convert("RGB").getpixel((48, 15))
    assert isinstance(pixel, tuple)
    assert pixel.index(max(pixel)) == strongest


def test_somebody_elses_container_is_not_there(member: Person) -> None:
    hers = records_of("dana")[0].container.number
    for path in (f"/containers/{hers}", f"/containers/{hers}/pregate.png", "/containers/%3Cb%3E"):
        answer = member.http.get(path)
        assert answer.status_code == 404
        assert "<b>" not in answer.text


def test_three_steps_make_an_appointment_that_is_listed_and_whose_time_is_taken(member: Person, control: Control) -> None:
    path = to_times(member)
    time = free_times(member, path)[0]
    made = choose(member, path, time)
    page = member.http.get(made.headers["location"]).text
    number = re.search(r"PT-[0-9]{6}", page)
    assert number is not None
    assert f'id="made-time">{time}' in page
    assert number[0] in member.http.get("/appointments").text
    assert time not in free_times(member, to_times(member, container=FREE[1]))
    stats = control.stats().portside
    assert (stats.appointments, stats.accounts["demo"].appointments) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"company": "Elsewhere Ltd"}, "one of your trucking companies"),
        ({"terminal": ""}, "one of the terminals"),
        ({"move": "x"}, "what the truck comes for"),
        ({"container": ""}, "Enter a container number"),
        ({"container": "<b>"}, "&lt;B&gt; is not a container number. It has"),
        ({"container": "CSQU3054384"}, "its last digit does not fit"),
        ({"container": "CSQU3054383"}, "is not in your account"),
        ({"container": next(row.container.number for row in records_of("demo") if row.container.status == "Loaded")}, "not in the yard (loaded)"),
        ({"container": next(row.container.number for row in records_of("demo") if row.container.status == "In yard" and row.container.hold)}, "on hold"),
        ({"move": "Drop off full"}, "has not left the terminal (in yard)"),
    ],
)
def test_a_first_step_that_is_wrong_says_what(member: Person, changes: dict[str, str], says: str) -> None:
    answer = first_step(member, **changes)
    assert answer.status_code == 200
    assert says in answer.text


@pytest.mark.parametrize("plate", ["", "x", "ABCDEF", "12345678901", "A-", "kx_42", "1" * 40])
def test_a_plate_that_cannot_be_is_refused(member: Person, plate: str) -> None:
    truck = first_step(member).headers["location"]
    answer = member.http.post(truck, data={"csrf": member.csrf(truck), "plate": plate, "chassis": "yes"})
    assert (answer.status_code, "as it is on the truck" in answer.text) == (200, True)


def test_the_last_step_does_not_come_before_the_second(member: Person) -> None:
    truck = first_step(member).headers["location"]
    times = truck.replace("/truck", "/time")
    assert member.http.get(times).headers["location"] == truck
    assert member.http.post(times, data={"csrf": member.csrf("/appointments/new"), "time": "2026-01-01 08:00"}).status_code == 404


def test_a_time_that_is_sold_between_page_and_form_is_refused(member: Person, control: Control) -> None:
    path = to_times(member)
    time = free_times(member, path)[0]
    control.set(slot_race=True)
    assert "has just been sold out" in choose(member, path, time).text
    assert time not in free_times(member, path)
    assert control.stats().portside.appointments == 0


def test_where_all_is_sold_out_no_time_can_be_chosen(member: Person, control: Control) -> None:
    path = to_times(member)
    time = free_times(member, path)[0]
    control.set(slots_sold_out=True)
    assert free_times(member, path) == []
    assert "sold out" in choose(member, path, time).text
    assert "Choose one of the times" in choose(member, path, "tomorrow").text


def test_a_form_sent_twice_makes_one_appointment(member: Person, control: Control) -> None:
    path = to_times(member)
    first, second = free_times(member, path)[:2]
    places = {choose(member, path, time).headers["location"] for time in (first, second)}
    assert len(places) == 1
    assert control.stats().portside.appointments == 1


def test_of_many_who_want_a_time_one_gets_it(member: Person, control: Control) -> None:
    paths = [to_times(member) for _ in range(8)]
    time, csrf = free_times(member, paths[0])[0], member.csrf(paths[0])
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda path: member.http.post(path, data={"csrf": csrf, "time": time}).status_code, paths))
    assert sorted(answers) == [200] * 7 + [303]
    assert control.stats().portside.appointments == 1


def test_a_form_without_its_csrf_token_does_nothing(member: Person, control: Control) -> None:
    path = to_times(member)
    for where in ("/appointments/new", path.replace("/time", "/truck"), path):
        assert member.http.post(where, data={"csrf": "wrong", "time": "x"}).status_code == 403
    assert control.stats().portside.appointments == 0


def test_the_wizard_is_its_sessions_own(member: Person, other: Person, control: Control) -> None:
    path = to_times(member)
    made = choose(member, path, free_times(member, path)[0]).headers["location"]
    started = to_times(member)
    other.sign_in()
    assert other.http.get(started).status_code == 404  # the same account, another session
    assert other.http.get(made).status_code == 200
    control.advance(1801)
    member.sign_in()
    assert member.http.get(started).status_code == 404


def test_an_appointment_is_its_accounts_own(member: Person, other: Person) -> None:
    path = to_times(member)
    made = choose(member, path, free_times(member, path)[0]).headers["location"]
    other.sign_in("dana", "blue-crane-42")
    assert other.http.get(made).status_code == 404
    assert "No appointment was made" in other.http.get("/appointments").text


def test_requests_are_counted_by_their_route(member: Person, control: Control) -> None:
    first_step(member)
    member.http.get(f"/containers/{FREE[0]}")
    requests = control.stats().portside.accounts["demo"].requests
    assert requests["GET /containers/{number}"] == 1
    assert requests["POST /appointments/new"] == 1
