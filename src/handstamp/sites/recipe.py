"""What a recipe says about one web site, as values. `parse` reads them from TOML, `Site` acts by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

JsonScalar = str | int | float | bool
TotpAlgorithm = Literal["SHA1", "SHA256", "SHA512"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so, or not, at what a check saw. All fields that are given must fit; of several values in one field, any.

    Args:
        status: of the answer.
        text: what a person can read in the document, wherever it stands; case and white space do not matter.
        selector: is in the document, visible or not (in a browser only; in `Login.failed`: visible).
        cookie: name of a cookie that the site has set and that goes to it now; ``*`` stands for anything.
        url: where the look ended, see `redirect`.
        redirect: where the site sent us on the way: a path (at any host of the site) or a URL, itself or anything below it;
            ``*`` stands for anything.
        header: name (any case) and value of a header of the answer, ``*`` for anything.
        json: path with dots and value in a JSON body; the value ``*`` fits anything but null.
    """

    status: tuple[int, ...] = ()
    text: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()
    cookie: tuple[str, ...] = ()
    url: tuple[str, ...] = ()
    redirect: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = ()
    json: tuple[tuple[str, JsonScalar], ...] = ()


class StepKind(StrEnum):
    """What a step of a login does."""

    FILL = "fill"
    CLICK = "click"
    PRESS = "press"
    SELECT = "select"
    CHECK = "check"
    WAIT_FOR = "wait_for"
    GOTO = "goto"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a login.

    Args:
        kind: what to do.
        target: the selector (Playwright's syntax); of `PRESS` the key (``Enter``), of `GOTO` the URL or path.
        value: of `FILL` and `SELECT`, with ``{username}``, ``{password}``, ``{totp}``.
        on: selector of the element that has the focus for `PRESS`; empty for the one that has it anyway.
        optional: do it where the site asks for it, go on where it does not.
        timeout: seconds to wait for its element; None for the login's own.
    """

    kind: StepKind
    target: str
    value: str = ""
    on: str = ""
    optional: bool = False
    timeout: float | None = None

    @property
    def selector(self) -> str:
        """The element that must be there for this step; empty when it needs none."""
        if self.kind is StepKind.PRESS:
            return self.on
        return "" if self.kind is StepKind.GOTO else self.target

    def __str__(self) -> str:
        return f'{{{self.kind} = "{self.target}"}}'


ChallengeKind = Literal["image", "text", "code", "confirm", "widget"]


@dataclass(frozen=True, slots=True)
class ChallengeMarker:
    """How to see that the site asks for something that only a person or a solver can give.

    Args:
        selector: visible while it is asked.
        kind: ``image`` (read what it shows), ``text`` (answer what it asks), ``code`` (sent by mail or phone),
            ``confirm`` (on another device), ``widget`` (a captcha service's own).
        image: selector of the picture or question to show; empty for `selector` itself.
        answer: selector of the field for the answer; empty when there is nothing to type.
    """

    selector: str
    kind: ChallengeKind
    image: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class TotpSettings:
    """How the site makes its one-time codes, where a saved secret does not say so itself."""

    digits: int = 6
    period: int = 30
    algorithm: TotpAlgorithm = "SHA1"


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in, in a browser.

    Args:
        url: of the login page; a path is at the site's `base_url`.
        steps: in order.
        challenge: what can stand in the way.
        failed: how a refused user name or password looks.
        totp: of the one-time codes.
    """

    url: str
    steps: tuple[Step, ...]
    challenge: tuple[ChallengeMarker, ...] = ()
    failed: tuple[Condition, ...] = ()
    totp: TotpSettings = TotpSettings()


@dataclass(frozen=True, slots=True)
class Check:
    """How to tell in from out. Of several conditions for one thing any may hold.

    Args:
        url: what to look at; a path is at the site's `base_url`.
        logged_in: how it looks from inside.
        logged_out: how it looks from outside.
        challenged: the site wants a person to prove something first.
        blocked: the site does not want us now: locked, banned, too many requests.
    """

    url: str
    logged_in: tuple[Condition, ...]
    logged_out: tuple[Condition, ...] = ()
    challenged: tuple[Condition, ...] = ()
    blocked: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """How a session is kept from going to sleep: ask for `url` every so many seconds.

    Args:
        every: seconds.
        url: a path is at the site's `base_url`.
        browser: where plain HTTP cannot tell, look in a browser; otherwise keep-alive never starts one.
        per_second: requests to the site, by all of its sessions together, at most.
    """

    every: float
    url: str
    browser: bool = False
    per_second: float = 50.0


@dataclass(frozen=True, slots=True)
class Bearer:
    """Where the page keeps a token that its API wants in a header. Exactly one of the three places is named.

    Args:
        local_storage: name of the item at the site's own origin.
        session_storage: name of the item at the site's own origin, in any tab.
        cookie: name of the cookie.
        header: that carries it.
        format: of the header's value; ``{value}`` is the token.
    """

    local_storage: str = ""
    session_storage: str = ""
    cookie: str = ""
    header: str = "Authorization"
    format: str = "Bearer {value}"


@dataclass(frozen=True, slots=True)
class Refresh:
    """How a spent token is changed for a new one without a login. Exactly one of the two places is named.

    Args:
        url: that takes the refresh token, by POST.
        local_storage: name of the item that holds it, at the site's own origin.
        cookie: name of the cookie that does; it goes along by itself.
        field: of the body that carries the token.
        form: send a form instead of JSON.
        send: further fields of the body.
        store: path with dots in the JSON answer -> name of the localStorage item that its value is put into.
    """

    url: str
    local_storage: str = ""
    cookie: str = ""
    field: str = "refresh_token"
    form: bool = False
    send: tuple[tuple[str, str], ...] = ()
    store: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What a login at this site is made of and how long it can last.

    Args:
        max_age: seconds after the login at which the site ends it whatever happens; None when not known.
        auth_cookies: names of the cookies that carry the login; ``*`` stands for anything.
        bearer: the token that does.
        csrf: a value that requests which change something must carry besides.
        refresh: how the bearer token is renewed.
        replay: HTTP clients may send any request again after a login, not only one that does the same when sent twice.
        in_turn: the site changes the session id with each answer and takes only the newest, so requests go one at a time.
        full_browser: the site minds a headless shell, which has no `window.chrome` and no plugins: a whole Chromium is started for it.
    """

    max_age: float | None = None
    auth_cookies: tuple[str, ...] = ()
    bearer: Bearer | None = None
    csrf: Bearer | None = None
    refresh: Refresh | None = None
    replay: bool = False
    in_turn: bool = False
    full_browser: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that is said about one site.

    Args:
        name: lower-case letters, digits, ``.``, ``-``, ``_``.
        base_url: what paths in the recipe are relative to.
        domains: that the login spans; subdomains belong to them.
        login: None when nobody knows how to log in by itself.
        check: None when nobody knows how to tell.
        source: file or package that it comes from, for messages.
    """

    name: str
    base_url: str
    domains: tuple[str, ...]
    login: Login | None = None
    check: Check | None = None
    keep_alive: KeepAlive | None = None
    session: SessionRules = SessionRules()
    source: str = field(default="", compare=False)
