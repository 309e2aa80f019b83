"""A site: its recipe, and what is done by it. Subclass it for what a recipe cannot say."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from handstamp.errors import RecipeInvalid
from handstamp.sites.parse import NAME, base_url_problem, read_recipe
from handstamp.sites.recipe import Recipe
from handstamp.state import registrable_domain, within

if TYPE_CHECKING:
    from typing import Self

    from playwright.async_api import Page

    from handstamp.sites.challenge import ChallengeSolver
    from handstamp.sites.credentials import Credentials
    from handstamp.sites.verdict import Verdict


class Site:
    """A web application that one can be logged in to.

    Most sites are a recipe and nothing else. For one that needs more, subclass, give the class its `recipe`, and override
    `login` or `check`::

        class Bank(Site):
            recipe = Recipe("bank", "https://bank.example", ("bank.example",), check=Check("/home", (Condition(text=("Sign off",)),)))

            async def login(self, page, credentials, *, timeout=30.0, solver=None):
                await page.goto(self.url("/start"))
                ...

    Args:
        recipe: by default the class's own.

    Raises:
        TypeError: there is no recipe.
    """

    recipe: Recipe

    def __init__(self, recipe: Recipe | None = None) -> None:
        if recipe is not None:
            self.recipe = recipe
        if not isinstance(getattr(self, "recipe", None), Recipe):
            message = f"{type(self).__name__} needs a recipe: give one, or set `recipe = Recipe(…)` in the class"
            raise TypeError(message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} at {self.base_url}>"

    @property
    def name(self) -> str:
        """What it is called in commands, the vault and environment variables."""
        return self.recipe.name

    @property
    def base_url(self) -> str:
        """What the recipe's paths are relative to."""
        return self.recipe.base_url

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that a login here spans, subdomains included."""
        return self.recipe.domains

    @property
    def can_login(self) -> bool:
        """Whether a login needs no person."""
        return self.recipe.login is not None or type(self).login is not Site.login

    @property
    def can_check(self) -> bool:
        """Whether in can be told from out."""
        return self.recipe.check is not None or type(self).check is not Site.check

    def url(self, path: str) -> str:
        """`path` at this site; a whole URL stays as it is."""
        return urljoin(self.base_url, path)

    def covers(self, url: str) -> bool:
        """Whether a URL (or a host) belongs to the site."""
        host = (urlsplit(url).hostname or "") if "//" in url else url
        return any(within(host, domain) for domain in self.domains)

    def at(self, base_url: str) -> Self:
        """The same site under another address, whose host joins its domains; for test and stand-in servers.

        Raises:
            RecipeInvalid: `base_url` is not one.
        """
        problem = base_url_problem(base_url)
        if problem:
            message = f"base URL {base_url!r} for '{self.name}' {problem}"
            raise RecipeInvalid(message)
        host = (urlsplit(base_url).hostname or "").lower()
        domains = self.domains if any(within(host, domain) for domain in self.domains) else (*self.domains, host)
        moved = copy.copy(self)
        moved.recipe = replace(self.recipe, base_url=base_url.rstrip("/"), domains=domains)
        return moved

    async def login(self, page: Page, credentials: Credentials, *, timeout: float = 30.0, solver: ChallengeSolver | None = None) -> None:
        """Log in on `page` and leave it where the site leads. `run_login` calls this and then looks whether it worked.

        Args:
            page: Playwright's, async, in the session's context.
            credentials: of the account.
            timeout: seconds for each thing to wait for.
            solver: who answers challenges; None when nobody does.

        Raises:
            LoginRequired: the recipe has no login.
            LoginFailed: the site refused, is down, or its login page is another than the recipe's.
            ChallengeUnsolved: it asks for something that nobody answers.
        """
        from handstamp.sites.form import log_in_by_form  # noqa: PLC0415  (only logins need it)

        await log_in_by_form(self, page, credentials, timeout=timeout, solver=solver)

    async def check(self, page: Page, *, timeout: float = 10.0) -> Verdict:
        """Look in `page` whether it is logged in: goes to the check's URL.

        Args:
            page: Playwright's, async, in the session's context.
            timeout: seconds to wait for the answer, and again for a document that its scripts still write.
        """
        from handstamp.sites.page_check import check_in_page  # noqa: PLC0415  (only checks in a browser need it)

        return await check_in_page(self.recipe, page, timeout=timeout)


def parse_recipe(text: str, *, source: str) -> Site:
    """The site that a recipe's TOML text says; see `read_recipe`.

    Raises:
        RecipeInvalid: names `source` and the field.
    """
    return Site(read_recipe(text, source=source))


def ad_hoc_site(url: str) -> Site:
    """A site that nobody wrote a recipe for: its host's name, its origin, its registrable domain.

    Raises:
        RecipeInvalid: `url` is not one of http or https.
    """
    problem = base_url_problem(urljoin(url, "/"))
    if problem:
        message = f"{url!r} {problem}"
        raise RecipeInvalid(message)
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    # Two applications on one host in development differ by port only; their logins must not be mixed.
    port = f"-{parts.port}" if parts.port not in {None, {"http": 80, "https": 443}[parts.scheme]} else ""
    name = re.sub(r"[^a-z0-9._-]", "_", host)[: 64 - len(port)].lstrip("._-") + port
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
    return Site(Recipe(name if NAME.fullmatch(name) else "site" + port, origin, (registrable_domain(host) or host,), source="its URL"))
