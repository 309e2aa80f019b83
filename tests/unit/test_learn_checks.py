"""Which check is chosen by what was seen, what could carry a login, and how the recipe is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handstamp.http.observation import Observation
from handstamp.learn.carriers import Item, Sent, bearer_of, items_of, lasting_name, only, replaced
from handstamp.learn.checks import choose_check
from handstamp.learn.writing import recipe_text
from handstamp.sites import Bearer, Check, Condition, KeepAlive, Login, Recipe, SessionRules, Step, StepKind, parse_recipe
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, StorageState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP = Recipe("shop", "https://shop.example", ("shop.example",))
HOME = "https://shop.example/home"
LOCAL = PartId(PartKind.LOCAL, "https://shop.example")
COOKIES = PartId(PartKind.COOKIES, "shop.example")
SECRET = "q7Jx9_Zb3Kd-81mPvT0s"


def seen(status: int = 200, body: str = "", *, end: str = HOME, via: tuple[str, ...] = (), form: bool | None = None) -> Observation:
    selectors = None if form is None else {"#password": form}
    return Observation(HOME, NOON, final_url=end, status=status, body=body, headers={"content-type": "text/html"}, redirects=via, selectors=selectors)


LOGIN = "https://shop.example/login?next=/home"


@pytest.mark.parametrize(
    ("inside", "outside", "logged_in", "logged_out"),
    [
        (
            seen(body="<a>Log out</a>"),
            seen(body="Log in", end=LOGIN, via=(LOGIN,)),
            Condition(status=(200,), text=("Log out",)),
            Condition(redirect=("/login",)),
        ),
        (seen(body="x"), seen(body="x", end=LOGIN, via=(LOGIN,)), Condition(status=(200,), url=("/home",)), Condition(redirect=("/login",))),
        (seen(body="{}"), seen(401, "{}"), Condition(status=(200,)), Condition(status=(401,))),
        (seen(body="{}"), seen(403, "{}"), Condition(status=(200,)), Condition(status=(403,))),
        (seen(body="<button>Sign out</button>"), seen(body="Sign in"), Condition(status=(200,), text=("Sign out",)), Condition(text=("Sign in",))),
        (
            seen(body="<a href='/x'>My orders</a>"),
            seen(body="Please log in"),
            Condition(status=(200,), text=("My orders",)),
            Condition(text=("Log in",)),
        ),
    ],
)
def test_the_check_is_what_the_judge_can_tell_them_apart_by(inside: Observation, outside: Observation, logged_in: Condition, logged_out: Condition) -> None:
    found = choose_check(SHOP, "/home", inside=inside, outside=outside, by="http")
    assert found is not None
    assert found.check == Check("/home", (logged_in,), (logged_out,))


def test_in_a_browser_the_password_field_tells() -> None:
    found = choose_check(SHOP, "/home", inside=seen(body="<h1>Hello you</h1>", form=False), outside=seen(body="x", form=True), by="browser", form="#password")
    assert found is not None
    assert found.check.logged_out == (Condition(selector=("#password",)),)
    assert "#password" in found.why


def test_pages_that_look_the_same_give_no_check() -> None:
    assert choose_check(SHOP, "/", inside=seen(body="Log in"), outside=seen(body="Log in"), by="http") is None


def test_a_site_in_trouble_gives_no_check() -> None:
    assert choose_check(SHOP, "/", inside=seen(body="<a>Log out</a>"), outside=seen(503, "later"), by="http") is None


def state(**items: str) -> StorageState:
    sid = Cookie("sid", SECRET, "shop.example", http_only=True)
    old = Cookie("old", SECRET, "shop.example", expires=1.0)
    other = Cookie("track", SECRET, "ads.example")
    parts = [
        Part(COOKIES, {cookie.key: Entry(cookie) for cookie in (Cookie("theme", "dark", "shop.example"), sid, old)}),
        Part(PartId(PartKind.COOKIES, "ads.example"), {other.key: Entry(other)}),
        Part(LOCAL, {(name,): Entry(value) for name, value in items.items()}),
        Part(PartId(PartKind.IDB, "https://shop.example", "db"), {("x",): Entry(1)}),
    ]
    return StorageState.of(parts)


def test_what_lives_at_the_site_could_carry_the_login_and_what_looks_like_it_stands_first() -> None:
    found = items_of(state(token=SECRET, csrf_token=SECRET), ["shop.example"], now=NOON)
    assert [item.name for item in found[:2]] == ["sid", "token"]
    assert {item.name for item in found} == {"sid", "token", "csrf_token", "theme", "idb/https://shop.example/db"}


def test_a_state_of_some_items_holds_nothing_else() -> None:
    whole = state(token=SECRET, other="1")
    some = only(whole, [Item(LOCAL, ("token",)), Item(PartId(PartKind.IDB, "https://shop.example", "db"))])
    assert some.local_storage("https://shop.example") == {"token": SECRET}
    assert some.cookies() == []
    assert len(some.parts) == 2


def test_a_credential_that_became_another_is_noticed_and_a_forms_token_is_not() -> None:
    before, after = state(token=SECRET, csrf=SECRET, n="1"), state(token=SECRET[::-1], csrf=SECRET[::-1], n="2")
    items = items_of(before, ["shop.example"], now=NOON)
    assert replaced(before, after, items) == (Item(LOCAL, ("token",)),)
    assert replaced(before, before, items) == ()


def test_the_header_that_carries_a_stored_token_is_found() -> None:
    sent = [Sent(HOME, "GET", "X-Other", "nothing"), Sent(HOME, "GET", "Authorization", f"Bearer {SECRET}")]
    found = bearer_of(state(theme="dark", token=SECRET), "https://shop.example", sent)
    assert found == (Bearer(local_storage="token", header="Authorization", format="Bearer {value}"), Item(LOCAL, ("token",)))
    assert bearer_of(state(theme="dark"), "https://shop.example", sent) is None
    assert SECRET not in repr(sent)


def test_a_cookie_that_is_named_after_the_server_becomes_a_pattern() -> None:
    assert lasting_name("username-127-0-0-1-8888", "http://127.0.0.1:8888") == "username-*"
    assert lasting_name("sid", "http://127.0.0.1:8888") == "sid"
    assert lasting_name("sid-443", "https://shop.example") == "sid-443"


def test_what_is_written_reads_as_the_same_recipe() -> None:
    recipe = Recipe(
        "shop",
        "https://shop.example",
        ("shop.example",),
        login=Login(
            "/login",
            (
                Step(StepKind.FILL, 'input[aria-label="The \\"user\\""]', "{username}"),
                Step(StepKind.PRESS, "Enter", on="#pw"),
                Step(StepKind.FILL, "#otp", "{totp}", optional=True),
            ),
        ),
        check=Check("/home", (Condition(status=(200,), text=("Déconnexion",)),), (Condition(redirect=("/login",)),)),
        keep_alive=KeepAlive(1800.0, "/home", browser=True),
        session=SessionRules(auth_cookies=("sid",), bearer=Bearer(session_storage="t", header="X-Auth", format="{value}"), in_turn=True),
    )
    assert parse_recipe(recipe_text(recipe, comments=["why"]), source="the test").recipe == recipe
