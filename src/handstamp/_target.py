"""What `attach` and `signed_in(browser=…)` were given: told by its type, without importing the library that it is of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from handstamp.browser import is_endpoint
from handstamp.errors import ConfigError

_WHAT_IT_MAY_BE = "the URL of a browser's debugging port (http://127.0.0.1:9222), a Playwright Browser or BrowserContext, or a Selenium driver"


class Kind(Enum):
    """What a target is."""

    ENDPOINT = "a URL"
    BROWSER = "a Playwright Browser"
    CONTEXT = "a Playwright BrowserContext"
    DRIVER = "a Selenium driver"


@dataclass(frozen=True, slots=True)
class Target:
    """A browser that somebody else started.

    Args:
        kind: what was given.
        thing: it.
        waits: whether its calls are to be awaited; None where that is not the question.
    """

    kind: Kind
    thing: Any = field(repr=False)
    waits: bool | None = None


def target_of(given: object) -> Target:
    """What was given.

    Raises:
        ConfigError: none of what it may be; says what to give instead.
    """
    if isinstance(given, str):
        if is_endpoint(given):
            return Target(Kind.ENDPOINT, given)
        raise ConfigError(f"'{given}' is not {_WHAT_IT_MAY_BE}")
    for place, name in ((cls.__module__, cls.__name__) for cls in type(given).__mro__):
        if place.startswith(("playwright.sync_api", "playwright.async_api")):
            return _of_playwright(given, name, waits=place.startswith("playwright.async_api"))
        if place.startswith("selenium.webdriver") and name == "WebDriver":
            return Target(Kind.DRIVER, given)
    raise ConfigError(_refusal(given))


def _of_playwright(given: object, name: str, *, waits: bool) -> Target:
    kinds = {"Browser": Kind.BROWSER, "BrowserContext": Kind.CONTEXT}
    if name in kinds:
        return Target(kinds[name], given, waits)
    instead = {"Page": "its page.context", "Playwright": "the browser that it has launched"}.get(name, _WHAT_IT_MAY_BE)
    raise ConfigError(f"a Playwright {name} cannot be attached to; give {instead}")


def _refusal(given: object) -> str:
    if isinstance(getattr(given, "cdp_url", None), str):
        return f"this {type(given).__name__} is not the browser itself; give its cdp_url"
    return f"this {type(given).__name__} cannot be attached to; give {_WHAT_IT_MAY_BE}"


def checked_api(target: Target, *, waits: bool) -> Target:
    """The target, if it is of the API that the caller uses.

    Raises:
        ConfigError: it is of the other one.
    """
    if target.waits is not None and target.waits is not waits:
        mine, other = ("async", "sync") if waits else ("sync", "async")
        raise ConfigError(f"this is {target.kind.value} of Playwright's {other} API; use handstamp.{other}_api with it, not handstamp.{mine}_api")
    return target
