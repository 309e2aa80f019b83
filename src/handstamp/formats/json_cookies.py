"""A cookie as JSON objects say it: the fields that Playwright, CDP, browser extensions, Selenium and we ourselves use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handstamp.state import Cookie, PartitionKey
from handstamp.state.cookie_match import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import Priority, SameSite, SourceScheme

SAME_SITES: Mapping[str, SameSite | None] = {
    "strict": "Strict",
    "lax": "Lax",
    "none": "None",
    "no_restriction": "None",
    "unspecified": None,
    "": None,
}
PRIORITIES: Mapping[str, Priority] = {"low": "Low", "medium": "Medium", "high": "High"}
SCHEMES: Mapping[str, SourceScheme] = {"unset": "Unset", "nonsecure": "NonSecure", "secure": "Secure"}

_FIREFOX_PARTITION = re.compile(r"\((https?),([^,)]+)(?:,\d+)?\)")
_HIGHEST_PORT = 65_535


def read_cookie(node: Node, intake: Intake, *, end: str, known: frozenset[str]) -> None:
    """Reads one cookie object into `intake`.

    Args:
        node: the object.
        intake: takes it.
        end: name of the field with the time when it ends.
        known: fields that are meant to be there; others are noted.
    """
    domain, host_only, secure = _domain(node)
    session = node.field("session").flag(default=False)
    cookie = Cookie(
        node.field("name").text(),
        node.field("value").text(),
        domain,
        host_only=host_only,
        path=node.field("path").text("/") or "/",
        expires=None if session else intake.end(node.field(end).number()),
        secure=node.field("secure").flag(default=secure),
        http_only=node.field("httpOnly").flag(default=False),
        same_site=node.field("sameSite").choice(SAME_SITES, None),
        partition_key=partition_key(node),
        priority=node.field("priority").choice(PRIORITIES, "Medium"),
        source_scheme=node.field("sourceScheme").choice(SCHEMES, "Unset"),
        source_port=port(node.field("sourcePort")),
    )
    intake.unknown_fields(node.names() - known)
    intake.add_cookie(cookie, node.refuse)


def _domain(node: Node) -> tuple[str, bool, bool]:
    """Domain, host-only flag, and whether to take it as Secure when nothing says; from `url` where there is no domain."""
    if node.field("domain").absent and not node.field("url").absent:
        try:
            where = target(node.field("url").text())
        except ValueError:
            node.field("url").fail("a URL")
        return where.host, True, where.cryptographic
    domain = node.field("domain").text()
    return domain, node.field("hostOnly").flag(default=not domain.startswith(".")), False


def partition_key(node: Node) -> PartitionKey | None:
    """The partition key of a cookie object: an object as CDP and extensions have it, or a text as Playwright has it."""
    found = node.field("partitionKey")
    if found.absent or found.value in ("", {}):
        return None
    if isinstance(found.value, dict):
        if found.field("topLevelSite").text("") == "":
            return None
        return PartitionKey(_site(found.field("topLevelSite")), found.field("hasCrossSiteAncestor").flag(default=False))
    # Playwright takes a partitioned cookie for one of an embedded page where nothing else is said.
    return PartitionKey(_site(found), node.field("_crHasCrossSiteAncestor").flag(default=True))


def _site(node: Node) -> str:
    firefox = _FIREFOX_PARTITION.fullmatch(node.text())
    site = f"{firefox[1]}://{firefox[2]}" if firefox else node.text()
    if "://" not in site:
        node.fail("a site such as 'https://example.com'")
    return site


def port(node: Node) -> int:
    """A port number; -1 where it is absent or unknown."""
    number = node.number()
    if number is None or number == -1:
        return -1
    if number != int(number) or not 0 <= number <= _HIGHEST_PORT:
        node.fail("a port number")
    return int(number)
