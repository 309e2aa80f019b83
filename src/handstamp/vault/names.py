"""Which names profiles, sites and accounts may have."""

from __future__ import annotations

from handstamp.errors import ConfigError

LONGEST = 128


def profile_name(name: str) -> str:
    """`name` itself when a profile may be called so.

    Raises:
        ConfigError: it is empty, longer than 128 characters, a path, padded, or holds control characters.
    """
    _check("profile", name)
    if name in {".", ".."} or "/" in name or "\\" in name:
        raise ConfigError(f"profile name {name!r} is a path; use a plain name such as 'work'")
    return name


def site_name(name: str) -> str:
    """`name` itself when a site may be called so: a recipe's name, a domain, or a URL.

    Raises:
        ConfigError: it is empty, longer than 128 characters, padded, or holds control characters.
    """
    _check("site", name)
    return name


def account_name(name: str) -> str:
    """`name` itself when an account of a site, or a secret of it, may be called so; raises as `site_name`."""
    _check("account", name)
    return name


def _check(what: str, name: str) -> None:
    if reason := _reason(name):
        shown = repr(name if len(name) <= LONGEST else name[:20] + "…")
        raise ConfigError(f"{what} name {shown} {reason}; use a plain name such as 'work'")


def _reason(name: str) -> str | None:
    if not name:
        return "is empty"
    if len(name) > LONGEST:
        return f"has {len(name)} characters, more than {LONGEST}"
    if name != name.strip():
        return "begins or ends with a space"
    if any(not character.isprintable() for character in name):  # control characters, lone surrogates, line separators
        return "holds characters that do not print"
    return None
