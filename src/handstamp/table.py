"""A table of handstamp.toml whose settings say themselves what they may be; from file, variables and flags, each above the one before."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from handstamp.errors import ConfigError
from handstamp.home import SETTINGS_FILE, home, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")
_OF_SITES = ("USERNAME", "PASSWORD", "TOTP", "BASE_URL")
"""What the environment says of a site that is called as the table is, or whose name begins so (``mcp-shop``)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting may be.

    Args:
        says: the same, for people.
        fits: whether a value of the file is one.
        read: the value in a text; raises ValueError when it holds none.
    """

    says: str
    fits: Callable[[Any], bool]
    read: Callable[[str], Any]


def setting(default: Any, kind: Kind, about: str) -> Any:
    """A field of a dataclass of settings."""
    return field(default=default, metadata={"kind": kind, "about": about})


def whole(least: int, most: int) -> Kind:
    """A whole number within bounds."""

    def fits(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return Kind(f"a whole number from {least} to {most}", fits, int)


def seconds(least: float) -> Kind:
    """A duration."""

    def fits(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= least

    return Kind(f"a number of seconds from {least:g}", fits, float)


def one_of(*names: str) -> Kind:
    """One of some words."""
    return Kind(" or ".join(f"'{name}'" for name in names), lambda value: value in names, str)


def some(says: str, fits: Callable[[str], bool] = lambda _: True) -> Kind:
    """A list of texts; in a text they stand with commas. One of commas and blanks alone is none: it would lift a limit that somebody meant to set.

    Args:
        says: what it is a list of, for people.
        fits: whether a text may be in it; blank ones may not.
    """

    def all_fit(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(is_text(one) and fits(one) for one in value)

    def read(text: str) -> tuple[str, ...]:
        found = tuple(one.strip() for one in text.split(",") if one.strip())
        if text and not found:
            raise ValueError(text)
        return found

    return Kind(f"a list of {says}", all_fit, read)


def is_text(value: Any) -> bool:
    """Whether it is a text in which something stands."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


TEXT = Kind("a text", is_text, str)


def explained(made: type[Any]) -> Iterator[tuple[str, str]]:
    """Each setting's name, and what it is."""
    for one in fields(made):
        yield one.name, one.metadata["about"]


def read_table(
    name: str,
    made: type[T],
    given: Mapping[str, Any] | None = None,
    *,
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    adding: Container[str] = (),
    spared: tuple[str, ...] = (),
) -> T:
    """What file, environment and flags say; defaults without them.

    Args:
        name: of the table; its variables are ``HANDSTAMP_<TABLE>_<NAME>``.
        made: a dataclass whose fields are each a `setting`.
        given: flags, as texts or values, by the setting's name.
        path: the home directory; None for the usual one.
        environ: by default this process's.
        adding: settings that grow from place to place, in place of being put anew.
        spared: what may follow the variables' prefix besides.

    Raises:
        ConfigError: a setting that is none, or a value that it cannot have; names both, and where it stands.
    """
    folder = home() if path is None else path
    kinds: dict[str, Kind] = {one.name: one.metadata["kind"] for one in fields(made)}  # type: ignore[arg-type]
    chosen: dict[str, Any] = {}

    def choose(setting: str, value: Any, where: str) -> None:
        fitting = _fitting(kinds[setting], value, where)
        chosen[setting] = (*chosen.get(setting, ()), *fitting) if setting in adding else fitting

    for one, value in getattr(settings(folder), name).items():
        where = f"[{name}] in {folder / SETTINGS_FILE}"
        if one not in kinds:
            raise ConfigError(f"{where} sets '{one}', which is no setting; known are {', '.join(kinds)}")
        choose(one, value, f"{where} sets '{one}' to")
    prefix = f"HANDSTAMP_{name.upper()}_"
    for one, text in _of_environment(os.environ if environ is None else environ, prefix, kinds, (*_OF_SITES, *spared)).items():
        choose(one, _read(kinds[one], text, f"{prefix}{one.upper()} is"), f"{prefix}{one.upper()} is")
    for one, value in (given or {}).items():
        where = f"--{one.replace('_', '-')} is"
        choose(one, _read(kinds[one], value, where) if isinstance(value, str) else value, where)
    return made(**chosen)


def _of_environment(environ: Mapping[str, str], prefix: str, kinds: Mapping[str, Kind], spared: Container[str]) -> dict[str, str]:
    ours = {name.removeprefix(prefix): text for name, text in environ.items() if name.startswith(prefix) and text}
    of_sites = tuple(f"_{one}" for one in _OF_SITES)
    for name in ours:
        if name.lower() not in kinds and name not in spared and not name.endswith(of_sites):
            raise ConfigError(f"the variable {prefix}{name} names no setting; known are {', '.join(prefix + known.upper() for known in kinds)}")
    return {name.lower(): text for name, text in ours.items() if name.lower() in kinds}


def _read(kind: Kind, text: str, where: str) -> Any:
    try:
        return kind.read(text)
    except ValueError:
        raise ConfigError(f"{where} something else than {kind.says}") from None


def _fitting(kind: Kind, value: Any, where: str) -> Any:
    if not kind.fits(value):
        raise ConfigError(f"{where} something else than {kind.says}")
    return tuple(value) if isinstance(value, list) else value
