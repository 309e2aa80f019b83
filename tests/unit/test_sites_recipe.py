"""Recipes in TOML: what they can say, and what is said about wrong ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.errors import RecipeInvalid
from handstamp.sites import parse_recipe
from handstamp.sites.parse import read_recipe
from handstamp.sites.recipe import Bearer, ChallengeMarker, Condition, KeepAlive, Step, StepKind, TotpSettings

WHOLE = """
name = "portside"
base_url = "https://portside.example/"
domains = ["portside.example", "login.harbour.example"]

[login]
url = "/login"
steps = [
    {goto = "/login?lang=en"},
    {fill = "#username", value = "{username}"},
    {fill = "#password", value = "{password}"},
    {select = "#terminal", value = "North {{1}}"},
    {check = "#remember"},
    {press = "Enter", on = "#password"},
    {click = "button[type=submit]", timeout = 5},
    {wait_for = "#welcome", timeout = 2.5},
    {fill = "#otp", value = "{totp}", optional = true},
]
challenge = [{selector = "#captcha", kind = "image", answer = "#captcha"}, {selector = "#push", kind = "confirm"}]
failed = {text = "wrong", selector = ".error"}
totp = {digits = 8, period = 60, algorithm = "SHA256"}

[check]
url = "/account"
logged_in = {status = 200, text = ["Log out", "Abmelden"], header = {"X-User" = "*"}, json = {user = {id = 1}, "ok" = true}}
logged_out = [{redirect = "/login"}, {status = [401, 440]}]
challenged = {url = "/prove"}
blocked = {text = "locked"}

[keep_alive]
every = "5m"
url = "/ping"

[session]
max_age = "12h"
auth_cookies = ["sid"]
bearer = {local_storage = "token"}
"""

SMALL = 'name = "x"\nbase_url = "https://x.example"\n'
LOGIN = SMALL + '[check]\nurl = "/"\nlogged_in = {text = "in"}\n[login]\nurl = "/login"\n'


def problem(text: str) -> str:
    with pytest.raises(RecipeInvalid) as caught:
        read_recipe(text, source="x.toml")
    return str(caught.value)


def test_a_recipe_says_all_that_a_site_needs() -> None:
    site = parse_recipe(WHOLE, source="portside.toml")
    recipe = site.recipe
    assert (site.name, site.base_url, site.domains) == ("portside", "https://portside.example", ("portside.example", "login.harbour.example"))
    assert recipe.login
    assert recipe.login.steps == (
        Step(StepKind.GOTO, "/login?lang=en"),
        Step(StepKind.FILL, "#username", "{username}"),
        Step(StepKind.FILL, "#password", "{password}"),
        Step(StepKind.SELECT, "#terminal", "North {{1}}"),
        Step(StepKind.CHECK, "#remember"),
        Step(StepKind.PRESS, "Enter", on="#password"),
        Step(StepKind.CLICK, "button[type=submit]", timeout=5.0),
        Step(StepKind.WAIT_FOR, "#welcome", timeout=2.5),
        Step(StepKind.FILL, "#otp", "{totp}", optional=True),
    )
    assert recipe.login.challenge == (ChallengeMarker("#captcha", "image", answer="#captcha"), ChallengeMarker("#push", "confirm"))
    assert recipe.login.failed == (Condition(text=("wrong",), selector=(".error",)),)
    assert recipe.login.totp == TotpSettings(8, 60, "SHA256")
    assert recipe.check
    assert recipe.check.logged_in == (Condition(status=(200,), text=("Log out", "Abmelden"), header=(("x-user", "*"),), json=(("user.id", 1), ("ok", True))),)
    assert recipe.check.logged_out == (Condition(redirect=("/login",)), Condition(status=(401, 440)))
    assert recipe.check.challenged == (Condition(url=("/prove",)),)
    assert recipe.check.blocked == (Condition(text=("locked",)),)
    assert recipe.keep_alive == KeepAlive(300.0, "/ping")
    assert (recipe.session.max_age, recipe.session.auth_cookies) == (43_200.0, ("sid",))
    assert recipe.session.bearer == Bearer(local_storage="token", header="Authorization", format="Bearer {value}")


def test_name_and_base_url_are_enough() -> None:
    recipe = read_recipe('name = "wiki"\nbase_url = "https://wiki.corp.example:8443"', source="x.toml")
    assert recipe.domains == ("corp.example",)
    assert (recipe.login, recipe.check, recipe.keep_alive) == (None, None, None)


@pytest.mark.parametrize(("text", "seconds"), [("300s", 300), ("5m", 300), ("12h", 43_200), ("30d", 2_592_000), ("1.5m", 90), ("2w", 1_209_600)])
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert read_recipe(SMALL + f'[session]\nmax_age = "{text}"', source="x.toml").session.max_age == seconds


def test_keep_alive_asks_the_checks_url_unless_told_otherwise() -> None:
    recipe = read_recipe(SMALL + '[check]\nurl = "/me"\nlogged_in = {status = 200}\n[keep_alive]\nevery = "1h"', source="x.toml")
    assert recipe.keep_alive == KeepAlive(3600.0, "/me")


def test_an_unknown_key_is_named_with_the_nearest_and_all_that_are_allowed() -> None:
    text = problem(SMALL + '[check]\nurll = "/"')
    assert "x.toml: check.url is missing" in text
    text = problem(SMALL + '[check]\nurl = "/"\nloged_in = {status = 200}\nlogged_in = {status = 200}')
    assert text == "x.toml: check.loged_in is not known (did you mean logged_in?); allowed here: url, logged_in, logged_out, challenged, blocked"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "x.toml is not TOML"),
        ('base_url = "https://x.example"', 'name is missing; write for example "portside"'),
        ('name = "Bad Name"\nbase_url = "https://x.example"', "name must be at most 64 lower-case letters"),
        ('name = "../up"\nbase_url = "https://x.example"', "name must be"),
        ('name = "x"', "base_url is missing"),
        ('name = "x"\nbase_url = 7', "base_url must be a text, not a number"),
        ('name = "x"\nbase_url = true', "base_url must be a text, not true or false"),
        ('name = "x"\nbase_url = "ftp://x.example"', "base_url must begin with https://"),
        ('name = "x"\nbase_url = "https://u:p@x.example"', "base_url must hold no user"),
        ('name = "x"\nbase_url = "https://x.example:port"', "base_url is not a URL"),
        ('name = "x"\nbase_url = "https://x.example"\ndomains = ["com"]', "under which everybody can register"),
        ('name = "x"\nbase_url = "https://x.co.uk"\ndomains = ["x.co.uk", "co.uk"]', "'co.uk', under which everybody"),
        ('name = "x"\nbase_url = "https://x.example"\ndomains = ["https://x.example"]', "write host names alone"),
        ('name = "x"\nbase_url = "https://x.example"\ndomains = ["*.x.example"]', "write host names alone"),
        ('name = "x"\nbase_url = "https://x.example"\ndomains = ["y.example"]', "do not cover base_url's host x.example"),
        ('name = "x"\nbase_url = "https://x.example"\ndomains = []', "domains must be a text or a list of texts"),
        (SMALL + "colour = 1", "colour is not known; allowed here: name, base_url, domains, check, login, keep_alive, session"),
        (SMALL + "[login]\nurl = '/'\nsteps = [{click = 'b'}]", "check is missing: without it nobody can tell"),
        (SMALL + "check = 1", "check must be a table, not a number"),
        (SMALL + "[check]\nurl = '/'", "check.logged_in is missing"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = {}", "check.logged_in says nothing"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = {status = '200'}", "check.logged_in.status must be a whole number"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = {status = true}", "check.logged_in.status must be a whole number"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = [{status = 200}, {txt = 'a'}]", "check.logged_in[1].txt is not known (did you mean text?)"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = {redirect = 'login'}", "check.logged_in.redirect must be a path that begins with /"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = {json = {a = [1]}}", "check.logged_in.json.a must be a text, a number"),
        (SMALL + "[check]\nurl = '/'\nlogged_in = {header = {'a b' = 'c'}}", "is no name of a header"),
        (SMALL + "[check]\nurl = 'https://evil.example/'\nlogged_in = {status = 200}", "leads to evil.example, which is not among the site's domains"),
        (SMALL + "[check]\nurl = 'http://x.example/'\nlogged_in = {status = 200}", "must be a path, or a URL as safe as base_url"),
        (SMALL + "[check]\nurl = '//evil.example/'\nlogged_in = {status = 200}", "leads to evil.example"),
        (LOGIN + "steps = []", "login.steps must be a table or a list of tables, not empty"),
        (LOGIN + "steps = [{fill = 'a', value = 'b'}]", "login.steps must hold at least one step that sends the form"),
        (LOGIN + "steps = [{}]", "login.steps[0] must say exactly one of fill, click, press, select, check, wait_for, goto"),
        (
            LOGIN + "steps = [{fill = 'a', value = 'b', click = 'c'}]",
            "must say exactly one of fill, click, press, select, check, wait_for, goto, not fill and click",
        ),
        (LOGIN + "steps = [{fill = 'a'}, {click = 'b'}]", "login.steps[0].value is missing"),
        (LOGIN + "steps = [{click = 'a', value = 'b'}]", "login.steps[0].value is not known"),
        (LOGIN + "steps = [{click = ''}]", "login.steps[0].click is empty"),
        (LOGIN + "steps = [{click = 'a', optional = 'yes'}]", "login.steps[0].optional must be true or false, not a text"),
        (LOGIN + "steps = [{click = 'a', timeout = 0}]", "login.steps[0].timeout must be above zero"),
        (LOGIN + "steps = [{click = 'a', timeout = inf}]", "login.steps[0].timeout must be above zero"),
        (LOGIN + "steps = [{press = 'Enter', optional = true}]", "login.steps[0].optional makes sense only where a selector tells"),
        (LOGIN + "steps = [{goto = 'https://evil.example/'}, {click = 'b'}]", "login.steps[0].goto leads to evil.example"),
        (LOGIN + "steps = [{fill = 'a', value = '{user}'}]", "login.steps[0].value holds the placeholder {user}; there are {username}, {password}, {totp}"),
        (LOGIN + "steps = [{fill = 'a', value = '{password!r}'}]", "holds the placeholder {password}"),
        (LOGIN + "steps = [{fill = 'a', value = '{'}]", "has a single brace"),
        (
            LOGIN + "steps = [{click = 'a'}]\nchallenge = {selector = '#c', kind = 'imge'}",
            "must be one of image, text, code, confirm, widget (did you mean image?)",
        ),
        (LOGIN + "steps = [{click = 'a'}]\ntotp = {digits = 5}", "login.totp.digits must be from 6 to 8"),
        (LOGIN + "steps = [{click = 'a'}]\ntotp = {algorithm = 'MD5'}", "login.totp.algorithm must be one of SHA1, SHA256, SHA512"),
        (SMALL + "[keep_alive]\nurl = '/'", "keep_alive.every is missing"),
        (SMALL + "[keep_alive]\nevery = '5 minutes'\nurl = '/'", "keep_alive.every must be a duration above zero"),
        (SMALL + "[keep_alive]\nevery = 300\nurl = '/'", 'keep_alive.every must be a duration such as "300s"'),
        (SMALL + "[keep_alive]\nevery = '0s'\nurl = '/'", "keep_alive.every must be a duration above zero"),
        (SMALL + "[session]\nmax_age = 1979-05-27", 'session.max_age must be a duration such as "300s", "5m", "12h" or "30d", not a date or time'),
        (SMALL + "[session]\nbearer = {local_storage = 'a', cookie = 'b'}", "session.bearer must name exactly one of local_storage, session_storage, cookie"),
        (SMALL + "[session]\nbearer = {local_storage = 'a', format = 'Bearer'}", "session.bearer.format must hold {value} once"),
        (SMALL + "[session]\nbearer = {local_storage = 'a', header = 'a: b'}", "session.bearer.header is no name of a header"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_field(text: str, said: str) -> None:
    found = problem(text)
    assert found.startswith("x.toml")
    assert said in found


@given(st.text(max_size=200))
def test_no_text_whatever_ends_in_another_error(text: str) -> None:
    try:
        read_recipe(text, source="x.toml")
    except RecipeInvalid:
        return
    assert "base_url" in text


@given(
    st.dictionaries(
        st.sampled_from(["name", "base_url", "domains", "login", "check", "session", "keep_alive"]),
        st.sampled_from(["1", "''", "'a'", "[]", "{}", "[{}]", "true", "{url = 1}", "'https://x.example'"]),
    )
)
def test_no_wrong_type_whatever_ends_in_another_error(values: dict[str, str]) -> None:
    text = "\n".join(f"{name} = {value}" for name, value in values.items()) + "\ncolour = 1"
    assert problem(text).startswith("x.toml")


def test_a_step_prints_as_in_the_recipe_without_its_value() -> None:
    assert str(Step(StepKind.FILL, "#password", "{password}")) == '{fill = "#password"}'
