"""Finding a site by name, file or URL.

In this order: a file, ``<home>/sites/<name>.toml``, entry points of the group ``handstamp.sites``, the bundled ones. So a
person can put a better recipe over a bundled one by giving it the same name.
"""

from __future__ import annotations

import contextlib
import difflib
import logging
import os
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.errors import ConfigError, RecipeInvalid, SiteUnknown
from handstamp.sites.bearer import origin_of
from handstamp.sites.credentials import variable
from handstamp.sites.parse import NAME, base_url_problem
from handstamp.sites.site import Site, ad_hoc_site, parse_recipe
from handstamp.state import registrable_domain, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

log = logging.getLogger(__name__)

GROUP = "handstamp.sites"
BUNDLED = ("interpals", "portside")
_MAX_RECIPE = 1 << 20


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site that can be named.

    Args:
        name: to find it by.
        source: where it comes from: a file's path, a package, ``bundled``.
        site: None when it cannot be read.
        problem: why it cannot be read.
    """

    name: str
    source: str
    site: Site | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A name, where it comes from, and how to get the site; reading waits until it is wanted."""

    name: str
    source: str
    read: Callable[[], Site]


def find_site(name_or_url: str, *, home: Path | None = None, env: Mapping[str, str] | None = None) -> Site:
    """The site of this name, in this file, or at this URL.

    Args:
        name_or_url: a name (``portside``), a path of a recipe (ends in ``.toml``), a URL, or a host that a known site covers.
            A URL that no known site covers gives one without recipe, named by its host.
        home: handstamp's home directory; None to leave it out.
        env: by default the process's. ``HANDSTAMP_<SITE>_BASE_URL`` gives a site another address.

    Raises:
        SiteUnknown: nothing is called so; names what comes near.
        RecipeInvalid: the site was found and its recipe is wrong.
    """
    env = os.environ if env is None else env
    if name_or_url.startswith(("https://", "http://")):
        return _at_url(name_or_url, home, env)
    if name_or_url.endswith(".toml") or "/" in name_or_url or os.sep in name_or_url:
        return _moved(_from_file(Path(name_or_url)), env)
    place = next((place for place in _places(home) if place.name == name_or_url), None)
    if place:
        return _read(place, env)
    covering = _covering(name_or_url, _known(home, env)) if "." in name_or_url else None
    if covering:
        return covering
    raise SiteUnknown(_unknown(name_or_url, home))


def site_at(name_or_domain: str, *, url: str = "", home: Path | None = None, env: Mapping[str, str] | None = None) -> Site:
    """The site that a name or a bare domain means; one without recipe, named by the domain, where no known site covers it.

    Args:
        name_or_domain: ``portside``, ``portside.example``, or a URL.
        url: of a page that is open; tells which of several sites on one host is meant.
        home: see `find_site`.
        env: see `find_site`.

    Raises:
        RecipeInvalid: it is neither, or the recipe is wrong.
    """
    with contextlib.suppress(SiteUnknown):
        return find_site(name_or_domain, home=home, env=env)
    domain = name_or_domain.lower().lstrip(".")
    if within(urlsplit(url).hostname or "", domain) and (found := find_site(url, home=home, env=env)).can_check:
        return found
    named = [site for site in _known(home, os.environ if env is None else env) if domain in site.domains]
    return named[0] if len(named) == 1 else ad_hoc_site(f"https://{domain}")


def list_sites(*, home: Path | None = None, env: Mapping[str, str] | None = None) -> list[KnownSite]:
    """All sites that have a name, by name; one whose recipe cannot be read is listed with its problem."""
    env = os.environ if env is None else env
    return [_looked_at(place, env) for place in sorted(_places(home), key=lambda place: place.name)]


def _looked_at(place: _Place, env: Mapping[str, str]) -> KnownSite:
    try:
        return KnownSite(place.name, place.source, _read(place, env))
    except ConfigError as error:
        return KnownSite(place.name, place.source, problem=str(error))


def _places(home: Path | None) -> list[_Place]:
    """Where named sites are, the first of each name only."""
    found: dict[str, _Place] = {}
    for place in (*_in_home(home), *_in_packages(), *_bundled()):
        found.setdefault(place.name, place)
    return list(found.values())


def _in_home(home: Path | None) -> Iterator[_Place]:
    folder = home / "sites" if home else None
    for path in sorted(folder.glob("*.toml")) if folder else ():
        if NAME.fullmatch(path.stem):
            yield _Place(path.stem, str(path), partial(_from_file, path))
        else:
            log.warning("%s is left out: a recipe's file is named like its site, in lower case", path)


def _in_packages() -> Iterator[_Place]:
    for entry in entry_points(group=GROUP):
        source = f"package {entry.dist.name}" if entry.dist else entry.value
        yield _Place(entry.name, source, partial(_loaded, entry.name, entry.load, source))


def _bundled() -> Iterator[_Place]:
    folder = files(__package__ or "handstamp.sites")
    for name in BUNDLED:
        yield _Place(name, "bundled", partial(_from_resource, folder / name / "recipe.toml", f"{name} (bundled)"))


def _loaded(name: str, load: Callable[[], object], source: str) -> Site:
    """What an entry point gives: a `Site`, a subclass, the path of a recipe, or a package with ``<name>.toml`` in it."""
    try:
        found = load()
    except Exception as error:  # noqa: BLE001  (somebody else's code, run on import)
        message = f"site '{name}' of {source} cannot be loaded ({type(error).__name__}: {error}); update or remove that package"
        raise RecipeInvalid(message) from None
    if isinstance(found, Site):
        return found
    if isinstance(found, type) and issubclass(found, Site):
        return found()
    if isinstance(found, ModuleType) and hasattr(found, "__path__"):
        return _from_resource(files(found) / f"{name}.toml", f"{name}.toml ({source})")
    if isinstance(found, (str, Path)):
        return _from_file(Path(found))
    if isinstance(found, Traversable):
        return _from_resource(found, f"{found.name} ({source})")
    message = f"site '{name}' of {source} is a {type(found).__name__}; an entry point of '{GROUP}' names a Site, a recipe's path, or a package"
    raise RecipeInvalid(message)


def _from_file(path: Path) -> Site:
    try:
        if not path.is_file():
            message = f"there is no recipe at {path}"
            raise SiteUnknown(message)
        if path.stat().st_size > _MAX_RECIPE:
            message = f"{path} is larger than any recipe"
            raise RecipeInvalid(message)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise RecipeInvalid(message) from None
    return _from_resource(path, str(path))


def _from_resource(resource: Traversable, source: str) -> Site:
    try:
        text = resource.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{source} cannot be read: {error.strerror if isinstance(error, OSError) else 'it is not UTF-8 text'}"
        raise RecipeInvalid(message) from None
    return parse_recipe(text, source=source)


def _read(place: _Place, env: Mapping[str, str]) -> Site:
    site = place.read()
    if site.name != place.name:
        message = f"{site.recipe.source or place.source}: name is '{site.name}' and it is found as '{place.name}'; make them the same"
        raise RecipeInvalid(message)
    return _moved(site, env)


def _moved(site: Site, env: Mapping[str, str]) -> Site:
    """The site at the address that the environment gives it."""
    name = variable(site.name, "base_url")
    base_url = env.get(name)
    if not base_url:
        return site
    problem = base_url_problem(base_url)
    if problem:
        message = f"{name} {problem}"
        raise ConfigError(message)
    return site.at(base_url)


def _known(home: Path | None, env: Mapping[str, str]) -> list[Site]:
    known = list_sites(home=home, env=env)
    for broken in (item for item in known if item.problem):
        log.warning("site '%s' is left out: %s", broken.name, broken.problem)
    return [item.site for item in known if item.site]


def _at_url(url: str, home: Path | None, env: Mapping[str, str]) -> Site:
    wanted = ad_hoc_site(url)
    known = _known(home, env)
    # Stand-in servers share a host and differ by port: the very origin counts before the domain.
    exact = next((site for site in known if origin_of(site.base_url) == origin_of(wanted.base_url)), None)
    return exact or _covering(urlsplit(url).hostname or "", known) or wanted


def _covering(host: str, known: list[Site]) -> Site | None:
    """The site with the longest domain that covers `host`."""
    if registrable_domain(host) is None:
        return None  # localhost, an IP address: what listens at another port there is another site
    fitting = [(len(domain), site) for site in known for domain in site.domains if within(host, domain)]
    return max(fitting, key=lambda item: item[0])[1] if fitting else None


def _unknown(name: str, home: Path | None) -> str:
    names = [place.name for place in _places(home)]
    near = difflib.get_close_matches(name.lower(), names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(names))}."
    url = f", or give its URL (https://{name})" if "." in name else ", or give its URL"
    place = f"put a recipe at {home / 'sites' / (name + '.toml')}" if home and NAME.fullmatch(name) else "give the path of a recipe"
    return f"no site is called '{name}'; {hint} Otherwise {place}{url}"
