"""A recipe's TOML text as values, read strictly: what is wrong is said with file, field and what is allowed."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin, urlsplit

from handstamp.sites.recipe import (
    Bearer,
    ChallengeKind,
    ChallengeMarker,
    Check,
    Condition,
    JsonScalar,
    KeepAlive,
    Login,
    Recipe,
    Refresh,
    SessionRules,
    Step,
    StepKind,
    TotpAlgorithm,
    TotpSettings,
)
from handstamp.sites.toml_reader import Table, load
from handstamp.state import is_ip_address, registrable_domain, within

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACEHOLDERS = ("username", "password", "totp")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_STEP_EXAMPLE = '{click = "button[type=submit]"}'


def read_recipe(text: str, *, source: str) -> Recipe:
    """The recipe that `text` says.

    Args:
        text: TOML.
        source: name of the file, for messages.

    Raises:
        RecipeInvalid: unknown keys, wrong types, missing fields, steps that say two things; names file and field.
    """
    top = load(text, source=source)
    name = top.needed("name", '"portside"')
    if not NAME.fullmatch(name):
        top.fail("name", "must be at most 64 lower-case letters, digits, '.', '-' or '_', beginning with a letter or digit")
    places = _Places(_base_url(top), ())
    places = _Places(places.base_url, _domains(top, places.base_url))
    check = _check(top.table("check"), places)
    recipe = Recipe(
        name,
        places.base_url,
        places.domains,
        login=_login(top.table("login"), places),
        check=check,
        keep_alive=_keep_alive(top.table("keep_alive"), places, check),
        session=_session(top.table("session"), places),
        source=source,
    )
    top.done()
    if recipe.login and not check:
        top.fail("check", "is missing: without it nobody can tell whether the login worked")
    return recipe


class _Places:
    """Where the recipe may send us: URLs of the site itself, or credentials and cookies would go to strangers."""

    def __init__(self, base_url: str, domains: tuple[str, ...]) -> None:
        self.base_url = base_url
        self.domains = domains

    def url(self, table: Table, name: str, default: str = "") -> str:
        value = table.text(name, default) if default else table.needed(name, '"/account"')
        try:
            whole = urlsplit(urljoin(self.base_url, value))
        except ValueError:
            table.fail(name, "is not a URL or path")
        if whole.scheme not in {"http", "https"} or (whole.scheme == "http" and self.base_url.startswith("https:")):
            table.fail(name, f"must be a path, or a URL as safe as base_url ({self.base_url})")
        if not any(within(whole.hostname or "", domain) for domain in self.domains):
            table.fail(name, f"leads to {whole.hostname}, which is not among the site's domains ({', '.join(self.domains)})")
        return value


def _base_url(top: Table) -> str:
    value = top.needed("base_url", '"https://portside.example"')
    problem = base_url_problem(value)
    if problem:
        top.fail("base_url", problem)
    return value.rstrip("/") if not urlsplit(value).path.strip("/") else value


def base_url_problem(value: str) -> str:
    """What is wrong with a base URL; empty when nothing is."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (raises for what is no number)
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must begin with https:// (or http://) and name a host"
    if parts.query or parts.fragment or "@" in parts.netloc:
        return "must hold no user, query or fragment"
    return ""


def _domains(top: Table, base_url: str) -> tuple[str, ...]:
    host = (urlsplit(base_url).hostname or "").lower()
    given = top.texts("domains") or (registrable_domain(host) or host,)
    for domain in given:
        if not _HOST.fullmatch(domain) and not is_ip_address(domain):
            top.fail("domains", f"holds {domain!r}; write host names alone, lower-case, international ones as xn--…, without scheme, port or *")
        if registrable_domain(domain) is None and domain != host:
            top.fail("domains", f"holds {domain!r}, under which everybody can register a site; write the site's own")
    if not any(within(host, domain) for domain in given):
        top.fail("domains", f"({', '.join(given)}) do not cover base_url's host {host}")
    return given


def _login(table: Table | None, places: _Places) -> Login | None:
    if table is None:
        return None
    url = places.url(table, "url")
    steps = tuple(_step(step, places) for step in table.tables("steps"))
    if not any(step.kind in {StepKind.CLICK, StepKind.PRESS} for step in steps):
        table.fail("steps", f"must hold at least one step that sends the form, such as {_STEP_EXAMPLE}")
    login = Login(
        url,
        steps,
        challenge=tuple(_marker(marker) for marker in table.tables("challenge")),
        failed=_conditions(table, "failed"),
        totp=_totp(table.table("totp")),
    )
    table.done()
    return login


def _step(table: Table, places: _Places) -> Step:
    named = [kind for kind in StepKind if kind in table]
    if len(named) != 1:
        table.fail("", f"must say exactly one of {', '.join(StepKind)}" + (f", not {' and '.join(named)}" if named else ""))
    kind = named[0]
    target = places.url(table, kind) if kind is StepKind.GOTO else table.needed(kind, _STEP_EXAMPLE)
    step = Step(
        kind,
        target,
        value=_value(table) if kind in {StepKind.FILL, StepKind.SELECT} else "",
        on=table.text("on") if kind is StepKind.PRESS else "",
        optional=table.flag("optional"),
        timeout=table.seconds("timeout"),
    )
    table.done()
    if step.optional and not step.selector:
        table.fail("optional", "makes sense only where a selector tells whether the site asks for this step")
    return step


def _value(table: Table) -> str:
    value = table.needed("value", '"{username}"')
    try:
        named = [(field, spec, conversion) for _, field, spec, conversion in Formatter().parse(value) if field is not None]
    except ValueError:
        table.fail("value", "has a single brace; write {{ or }} for one that stands for itself")
    for field, spec, conversion in named:
        if field not in PLACEHOLDERS or spec or conversion:
            table.fail("value", f"holds the placeholder {{{field}}}; there are {', '.join('{' + name + '}' for name in PLACEHOLDERS)}")
    return value


def _marker(table: Table) -> ChallengeMarker:
    kinds = ("image", "text", "code", "confirm", "widget")
    marker = ChallengeMarker(
        table.needed("selector", '"#captcha"'),
        cast("ChallengeKind", table.one_of("kind", kinds, "image")),
        image=table.text("image"),
        answer=table.text("answer"),
    )
    table.done()
    return marker


def _totp(table: Table | None) -> TotpSettings:
    if table is None:
        return TotpSettings()
    settings = TotpSettings(
        digits=table.number("digits", 6, least=6, most=8),
        period=table.number("period", 30, least=1, most=3600),
        algorithm=cast("TotpAlgorithm", table.one_of("algorithm", ("SHA1", "SHA256", "SHA512"), "SHA1")),
    )
    table.done()
    return settings


def _check(table: Table | None, places: _Places) -> Check | None:
    if table is None:
        return None
    check = Check(
        places.url(table, "url"),
        logged_in=_conditions(table, "logged_in"),
        logged_out=_conditions(table, "logged_out"),
        challenged=_conditions(table, "challenged"),
        blocked=_conditions(table, "blocked"),
    )
    table.done()
    if not check.logged_in:
        table.fail("logged_in", 'is missing; write for example {status = 200, text = "Log out"}')
    return check


def _conditions(table: Table, name: str) -> tuple[Condition, ...]:
    return tuple(_condition(item) for item in table.tables(name))


def _condition(table: Table) -> Condition:
    header, json = table.table("header"), table.table("json")
    condition = Condition(
        status=table.numbers("status"),
        text=table.texts("text"),
        selector=table.texts("selector"),
        cookie=table.texts("cookie"),
        url=_patterns(table, "url"),
        redirect=_patterns(table, "redirect"),
        header=tuple(_headers(header)) if header else (),
        json=tuple(_json(json, json.pairs())) if json else (),
    )
    table.done()
    if condition == Condition():
        table.fail("", "says nothing; name at least one of status, text, selector, cookie, url, redirect, header, json")
    return condition


def _patterns(table: Table, name: str) -> tuple[str, ...]:
    patterns = table.texts(name)
    for pattern in patterns:
        if not pattern.startswith(("/", "http://", "https://")):
            table.fail(name, "must be a path that begins with / or a URL; * in it stands for anything")
    return patterns


def _headers(table: Table) -> Iterator[tuple[str, str]]:
    for name, _ in table.pairs():
        if not _HEADER_NAME.fullmatch(name):
            table.fail(name, "is no name of a header")
        yield name.lower(), table.text(name)


def _json(table: Table, pairs: list[tuple[str, object]], above: str = "") -> Iterator[tuple[str, JsonScalar]]:
    """Paths and values; ``{user = {id = 1}}`` and ``{"user.id" = 1}`` say the same."""
    for name, value in pairs:
        path = f"{above}.{name}" if above else name
        if isinstance(value, dict):
            yield from _json(table, list(value.items()), path)
        elif isinstance(value, (str, int, float, bool)):
            yield path, value
        else:
            table.fail(path, "must be a text, a number, true or false")


def _keep_alive(table: Table | None, places: _Places, check: Check | None) -> KeepAlive | None:
    if table is None:
        return None
    every = table.duration("every")
    if every is None:
        table.fail("every", 'is missing; write for example "5m"')
    per_second = table.number("per_second", 50, least=1, most=1000)
    keep_alive = KeepAlive(every, places.url(table, "url", check.url if check else ""), browser=table.flag("browser"), per_second=per_second)
    table.done()
    return keep_alive


def _session(table: Table | None, places: _Places) -> SessionRules:
    if table is None:
        return SessionRules()
    rules = SessionRules(
        max_age=table.duration("max_age"),
        auth_cookies=table.texts("auth_cookies"),
        bearer=_carried(table.table("bearer"), header="Authorization", form="Bearer {value}"),
        csrf=_carried(table.table("csrf"), header="X-CSRF-Token", form="{value}"),
        refresh=_refresh(table.table("refresh"), places),
        replay=table.flag("replay"),
        in_turn=table.flag("in_turn"),
        full_browser=table.flag("full_browser"),
    )
    table.done()
    return rules


def _carried(table: Table | None, *, header: str, form: str) -> Bearer | None:
    """A value that the page keeps and a header carries, with the header's usual name and form."""
    if table is None:
        return None
    bearer = Bearer(
        local_storage=table.text("local_storage"),
        session_storage=table.text("session_storage"),
        cookie=table.text("cookie"),
        header=table.text("header", header),
        format=table.text("format", form),
    )
    table.done()
    if [bearer.local_storage, bearer.session_storage, bearer.cookie].count("") != 2:
        table.fail("", "must name exactly one of local_storage, session_storage, cookie")
    if not _HEADER_NAME.fullmatch(bearer.header):
        table.fail("header", "is no name of a header")
    if bearer.format.count("{value}") != 1 or not bearer.format.isprintable():
        table.fail("format", 'must hold {value} once, such as "Bearer {value}"')
    return bearer


def _refresh(table: Table | None, places: _Places) -> Refresh | None:
    if table is None:
        return None
    refresh = Refresh(
        places.url(table, "url"),
        local_storage=table.text("local_storage"),
        cookie=table.text("cookie"),
        field=table.text("field", "refresh_token"),
        form=table.one_of("as", ("json", "form"), "json") == "form",
        send=_fields(table.table("send")),
        store=_fields(table.table("store")),
    )
    table.done()
    if bool(refresh.local_storage) == bool(refresh.cookie):
        table.fail("", "must name exactly one of local_storage, cookie")
    if refresh.local_storage and not refresh.store:
        table.fail("store", 'is missing; write for example {access_token = "token"}: field of the answer, then the localStorage item that it is for')
    return refresh


def _fields(table: Table | None) -> tuple[tuple[str, str], ...]:
    return tuple((name, table.text(name)) for name, _ in table.pairs()) if table else ()
