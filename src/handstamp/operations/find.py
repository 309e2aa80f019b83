"""Finding a site's operations: a file of this machine, installed packages, the bundled ones, and the site's own class.

In this order, so that a person can put a better operation over a bundled one by giving it the same name:

    <home>/sites/<name>.py                beside the recipe, with a tuple OPERATIONS
    entry points of handstamp.operations  named like the site: such a module, or the tuple
    handstamp.sites.<name>.operations     the bundled ones
    Site.operations                       an attribute of a site that is a class
"""

from __future__ import annotations

import difflib
import importlib.util
import logging
import os
import stat
import sys
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, HandstampError, RecipeInvalid
from handstamp.operations.extra import require
from handstamp.sites import find_site, list_sites
from handstamp.sites.operation import Operation
from handstamp.sites.parse import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handstamp.sites import Site

_log = logging.getLogger(__name__)

GROUP = "handstamp.operations"
BUNDLED = {"portside": "handstamp.sites.portside.operations"}


def find_operations(site: Site, *, home: Path | None = None) -> dict[str, Operation]:
    """The operations of a site by name, in the order of their declaration.

    Args:
        site: as `find_site` gives it.
        home: handstamp's home directory; None to leave it out.

    Raises:
        RecipeInvalid: a declaration is wrong, or its file is one that others can write; names the source.
        ConfigError: the extra ``operations`` is not installed.
    """
    require()
    found: dict[str, Operation] = {}
    for declared in _declared(site, home):
        for name, operation in declared.items():
            found.setdefault(name, operation)
    return found


def find_operation(site: str, name: str, *, home: Path) -> tuple[Site, Operation]:
    """A site and its operation of this name.

    Args:
        site: see `find_site`.
        name: of the operation.
        home: handstamp's home directory.

    Raises:
        SiteUnknown: see `find_site`.
        ConfigError: the site has no such operation; names what comes near.
        RecipeInvalid: see `find_operations`.
    """
    there = find_site(site, home=home)
    operations = find_operations(there, home=home)
    if name in operations:
        return there, operations[name]
    if not operations:
        raise ConfigError(f"{there.name} has no operations; write them to {home / 'sites' / (there.name + '.py')} (docs/how-to/operations.md)")
    near = difflib.get_close_matches(name, list(operations), n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(operations)}"
    raise ConfigError(f"{there.name} has no operation '{name}'; {hint}")


def every_operation(home: Path | None = None) -> dict[str, dict[str, Operation]]:
    """The operations of all known sites that have any, by the site's name. What is wrong is left out, and the log says why.

    Raises:
        ConfigError: the extra ``operations`` is not installed.
    """
    require()
    found = {}
    for known in list_sites(home=home):
        if known.site is None:
            continue
        try:
            operations = find_operations(known.site, home=home)
        except HandstampError as error:
            _log.warning("operations of '%s' are left out: %s", known.name, error)
            continue
        if operations:
            found[known.name] = operations
    return found


def _declared(site: Site, home: Path | None) -> Iterator[dict[str, Operation]]:
    if home is not None and NAME.fullmatch(site.name):
        file = home / "sites" / f"{site.name}.py"
        if os.path.lexists(file):
            yield read_declared(_from_file(file, site.name), str(file))
    yield _from_packages(site.name)
    if site.name in BUNDLED:
        yield _bundled(BUNDLED[site.name])
    if (own := getattr(site, "operations", None)) is not None:
        yield read_declared(own, f"{type(site).__name__}.operations")


def read_declared(declared: object, source: str) -> dict[str, Operation]:
    """Operations by name, of a module with ``OPERATIONS``, or of the tuple itself.

    Raises:
        RecipeInvalid: it is neither, or two have one name; names `source`.
    """
    if isinstance(declared, ModuleType):
        declared = getattr(declared, "OPERATIONS", None)
    if not isinstance(declared, tuple | list):
        raise RecipeInvalid(f"{source} declares no operations; write OPERATIONS = (…,) with what @operation or workflow(…) made")
    found: dict[str, Operation] = {}
    for item in declared:
        if not isinstance(item, Operation):
            raise RecipeInvalid(f"{source}: OPERATIONS has a {type(item).__name__} in it; put @operation(gives=…) above the function")
        if item.name in found:
            raise RecipeInvalid(f"{source} declares '{item.name}' twice; give one of them another name")
        found[item.name] = item
    return found


def _bundled(name: str) -> dict[str, Operation]:
    if importlib.util.find_spec(name) is None:
        return {}
    return read_declared(import_module(name), f"{name} (bundled)")


def _from_packages(site: str) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    sources: dict[str, str] = {}
    for entry in entry_points(group=GROUP, name=site):
        source = f"package {entry.dist.name}" if entry.dist else entry.value
        try:
            loaded = entry.load()
        except Exception as error:  # noqa: BLE001  (somebody else's code, run on import)
            raise RecipeInvalid(f"operations of '{site}' in {source} cannot be loaded ({_what(error)}); update or remove that package") from None
        for name, operation in read_declared(loaded, source).items():
            if name in found:
                raise RecipeInvalid(f"{source} and {sources[name]} both declare '{name}' of '{site}'; remove one of the packages")
            found[name], sources[name] = operation, source
    return found


def _from_file(file: Path, site: str) -> ModuleType:
    """The module in a file of this user, run once for each time that it was written.

    Raises:
        RecipeInvalid: others can write it, or it does not run; names the file.
    """
    mark = _private(file)
    name = f"_handstamp_operations_{site.replace('.', '_').replace('-', '_')}"
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__handstamp_mark__", None) == mark:
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RecipeInvalid(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks there for the names in a model's annotations
    try:
        spec.loader.exec_module(module)
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001  (a user's own code)
        del sys.modules[name]
        raise RecipeInvalid(f"{file} does not run ({_what(error)}); correct it, or move it away") from None
    vars(module)["__handstamp_mark__"] = mark
    return module


def _private(file: Path) -> tuple[str, int, int, int]:
    """What tells this version of a file from others, once it is sure that only this user (or root) writes it."""
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise RecipeInvalid(f"{file} is no plain file (a symbolic link?); it is code that would run here, so put the real file there")
    if sys.platform != "win32":
        for path, found in ((file, status), (file.parent, file.parent.lstat())):
            if found.st_uid not in {os.geteuid(), 0}:
                raise RecipeInvalid(f"{path} belongs to user {found.st_uid}, not to you, and holds code that would run here; chown it, or move it away")
            if found.st_mode & 0o022:
                raise RecipeInvalid(f"{path} can be written by other users, and holds code that would run here; do `chmod go-w {path}`")
    return str(file), status.st_ino, status.st_size, status.st_mtime_ns


def _what(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
