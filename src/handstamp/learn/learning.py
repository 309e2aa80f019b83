"""From a login that a person makes to a recipe: watch, find a check, find what carries the login, write it down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from handstamp.errors import ConfigError, LoginFailed
from handstamp.home import create_private, make_home, replace_private
from handstamp.keeper.keeper import device_of
from handstamp.keeper.verdicts import Facts, with_login
from handstamp.learn.carriers import bearer_of, is_csrf, items_of, lasting_name, text_of, value_of
from handstamp.learn.checks import choose_check
from handstamp.learn.recorder import recording
from handstamp.learn.steps import steps_seen
from handstamp.learn.trials import Trials
from handstamp.learn.writing import recipe_text
from handstamp.sites.bearer import origin_of
from handstamp.sites.parse import NAME
from handstamp.sites.recipe import KeepAlive, Login, Recipe, SessionRules
from handstamp.sites.site import Site, ad_hoc_site, parse_recipe
from handstamp.state import Cookie, Device, PartKind, StorageState, host_of, registrable_domain, within
from handstamp.state.masking import is_token_like

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from playwright.async_api import Page

    from handstamp.keeper import Keeper
    from handstamp.learn.carriers import Item
    from handstamp.learn.checks import Found
    from handstamp.learn.recorder import Record
    from handstamp.learn.steps import Role
    from handstamp.state import Session
    from handstamp.vault import Vault

    LogIn = Callable[[Page], Awaitable[None]]

_EVERY = {"http": 300.0, "browser": 1800.0}  # seconds; a browser is dear
_MOST_API_URLS = 3


@dataclass(frozen=True, slots=True)
class Learned:
    """What was found out.

    Args:
        recipe: as it would be saved.
        text: of the recipe, TOML.
        fields: selector -> what was typed there.
        carriers: what carries the login.
        minimal: whether each of them was tried and is needed; otherwise they are a guess, and `notes` says why.
        looks: how often the site was asked.
        why: how things are known.
        notes: what was not found out, or needs a look by a person.
        ended: the site ended the login for a look; a new one is needed.
        state: of the login, as the site left it.
        device: that logged in.
    """

    recipe: Recipe
    text: str
    fields: tuple[tuple[str, Role], ...]
    carriers: tuple[Item, ...]
    minimal: bool
    looks: int
    why: tuple[str, ...]
    notes: tuple[str, ...]
    ended: bool
    state: StorageState = field(repr=False)
    device: Device = field(repr=False)

    def keep(self, vault: Vault, profile: str) -> Session:
        """Keep the login itself, too, under the recipe's name. Blocking.

        Raises:
            LoginFailed: it has ended.
        """
        if self.ended:
            raise LoginFailed(f"{self.recipe.name} has ended the login meanwhile, so it is not kept; log in by the recipe: handstamp login {self.recipe.name}")
        vault.save(profile, self.state)
        return with_login(vault, Site(self.recipe), profile, Facts(self.device, None, self.state, ()))


async def learn(keeper: Keeper, url: str, log_in: LogIn, *, name: str = "", headless: bool = False) -> Learned:
    """What there is to know about the site at `url` after one login. On the engine's loop; saves nothing.

    Args:
        keeper: opens the window, and throw-away contexts.
        url: where the login is, or anything that leads there.
        log_in: is given the page and returns when it is logged in: waits for a person, or is a script.
        name: for the recipe; by default the host's.
        headless: without a window, for scripts.

    Raises:
        ConfigError: `name` is none, or `url` is no URL.
        LoginFailed: nothing at the site tells this login from nobody.
    """
    if name and not NAME.fullmatch(name):
        raise ConfigError(f"the name {name!r} must be at most 64 lower-case letters, digits, '.', '-' or '_', beginning with a letter or digit")
    recipe = ad_hoc_site(url).recipe
    recipe = replace(recipe, name=name or recipe.name)
    async with keeper.context(StorageState(), Device(), headless=headless) as (page, live):
        async with recording(page) as record:
            await page.goto(url, wait_until="domcontentloaded")
            await log_in(page)
        landing, device = page.url, await device_of(page)
        await live.finish()
        state = live.mirror.state()
    return await _Study(keeper, recipe, record, state, device, asked=url, landing=landing).learned()


class _Study:
    """One login that was made, and what can be said about it."""

    def __init__(self, keeper: Keeper, recipe: Recipe, record: Record, state: StorageState, device: Device, *, asked: str, landing: str) -> None:
        self._seen = steps_seen(record.actions)
        hosts = [host_of(origin_of(one)) for one in (self._seen.url, landing) if one.startswith("http")]
        domains = (*recipe.domains, *(registrable_domain(host) or host for host in hosts if not any(within(host, one) for one in recipe.domains)))
        self._sent = [one for one in record.sent if any(within(host_of(origin_of(one.url)), domain) for domain in domains)]
        self._token = bearer_of(state, origin_of(recipe.base_url), self._sent)
        rules = SessionRules(bearer=self._token[0] if self._token else None)
        self._recipe = replace(recipe, domains=tuple(dict.fromkeys(domains)), session=rules)
        self._items = items_of(state, self._recipe.domains, now=datetime.now(UTC))
        self._trials = Trials(keeper, self._recipe, state, self._items, device)
        self._device = device
        self._landing, self._asked = landing, asked

    async def learned(self) -> Learned:
        if not self._items:
            raise LoginFailed(f"{self._recipe.name} left neither a cookie nor anything else, so there is nothing that could carry a login; nothing was learned")
        found = await self._find_check()
        if found is None:
            message = f"{self._recipe.name} looks the same with this login and without it; log in fully before you go on, or give a URL that only members see"
            raise LoginFailed(message)
        smallest = None if self._trials.rotated else await self._trials.smallest(found.check, by=found.by)
        carriers = self._guess() if smallest is None else smallest
        recipe = replace(
            self._recipe,
            login=Login(self._place(self._seen.url), self._seen.steps) if self._seen.steps else None,
            check=found.check,
            keep_alive=KeepAlive(_EVERY[found.by], found.check.url, browser=found.by == "browser"),
            session=self._rules(carriers),
        )
        why, notes = self._why(found, carriers, minimal=smallest is not None), self._notes(carriers, minimal=smallest is not None)
        text = recipe_text(recipe, comments=[f"Learned on {datetime.now(UTC):%Y-%m-%d}.", *why, *(f"Note: {note}." for note in notes)])
        recipe = parse_recipe(text, source="what was learned").recipe
        return Learned(
            recipe, text, self._seen.roles, carriers, smallest is not None, self._trials.looks, why, notes, self._trials.ended, self._trials.state, self._device
        )

    # -- the check ----------------------------------------------------------------------------------------------

    async def _find_check(self) -> Found | None:
        """By plain HTTP where that can tell, else in a browser."""
        pages = list(dict.fromkeys(self._place(url) for url in (self._landing, self._recipe.base_url, self._asked)))
        used = [one.url for one in self._sent if self._token and one.method == "GET" and one.header == self._token[0].header]
        calls = list(dict.fromkeys(self._place(url) for url in used))[:_MOST_API_URLS]
        for url in [*pages, *calls]:
            outside = await self._trials.see(url, by="http", inside=False)
            inside = await self._trials.see(url, by="http", inside=True)
            if found := choose_check(self._recipe, url, inside=inside, outside=outside, by="http"):
                return found
        for url in pages:
            form = self._seen.password_field
            outside = await self._trials.see(url, by="browser", form=form, inside=False)
            inside = await self._trials.see(url, by="browser", form=form, inside=True)
            if found := choose_check(self._recipe, url, inside=inside, outside=outside, by="browser", form=form):
                return found
        return None

    def _place(self, url: str) -> str:
        """A URL as the recipe has it: a path at the site itself, without what belongs to this one visit."""
        parts = urlsplit(url)
        kept = all(value.startswith("/") or (value.isalpha() and len(value) < 12) for _, value in parse_qsl(parts.query))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query and kept else "")
        return path if origin_of(url) == origin_of(self._recipe.base_url) else f"{origin_of(url)}{path}"

    # -- what carries it ----------------------------------------------------------------------------------------

    def _guess(self) -> tuple[Item, ...]:
        """What looks like a credential; more than is needed, so that nothing is missing."""
        state = self._trials.state
        likely = [item for item in self._items if is_token_like(text_of(value_of(state, item))) and not is_csrf(item)]
        return tuple(dict.fromkeys([*self._trials.rotated, *([self._token[1]] if self._token else []), *likely]))

    def _rules(self, carriers: Sequence[Item]) -> SessionRules:
        cookies = tuple(dict.fromkeys(lasting_name(item.name, self._recipe.base_url) for item in carriers if item.part.kind is PartKind.COOKIES))
        bearer = self._token[0] if self._token else None
        in_turn = any(isinstance(value_of(self._trials.state, item), Cookie) for item in self._trials.rotated)
        return SessionRules(auth_cookies=cookies, bearer=bearer, in_turn=in_turn)

    def _why(self, found: Found, carriers: Sequence[Item], *, minimal: bool) -> tuple[str, ...]:
        names = ", ".join(map(str, carriers)) or "nothing"
        tried = f"Tried with copies, {self._trials.looks} times: without any one of these nobody is signed in, and nothing else is needed"
        said = [f"Check, by {'plain HTTP' if found.by == 'http' else 'a browser'}: {found.why}."]
        said += [f"The login is carried by {names}. " + (f"{tried}." if minimal else "That is a guess.")]
        if self._token:
            said.append(f"The {self._token[1]} goes along as the header {self._token[0].header}, as the page itself sent it.")
        return tuple(said)

    def _notes(self, carriers: Sequence[Item], *, minimal: bool) -> tuple[str, ...]:
        notes = list(self._seen.notes)
        if not minimal:
            reason = self._trials.stopped or f"the site replaces {', '.join(map(str, self._trials.rotated))} with use"
            notes.append(f"what carries the login was not tried out, so that the login is not harmed: {reason}")
        known = {self._token[1]} if self._token else set()
        unseen = [item for item in carriers if item.part.kind is not PartKind.COOKIES and item not in known]
        notes += [f"{item} is needed and no header was seen to carry it; it is kept all the same, but only a browser can use it" for item in unseen]
        return tuple(notes)


def save_recipe(learned: Learned, home: Path, *, replace_old: bool = False) -> Path:
    """Put the recipe among those of the home directory; the file. Blocking.

    Raises:
        ConfigError: there is one of this name, and it is not to be replaced.
    """
    folder = make_home(make_home(home) / "sites")
    path = folder / f"{learned.recipe.name}.toml"
    data = learned.text.encode()
    if replace_old:
        replace_private(path, data)
    elif not create_private(path, data):
        raise ConfigError(f"there is a recipe at {path} already; give another --name, or say --replace")
    return path
