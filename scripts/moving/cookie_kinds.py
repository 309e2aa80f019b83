"""Cookies, attribute by attribute. A page cannot see attributes, so the browser is asked for them (CDP `Network.getAllCookies`)."""

from __future__ import annotations

from moving.kinds import Kind, Where

_GROUP = "Cookies"
_IN_A_YEAR = "Expires=Fri, 01 Jan 2100 00:00:00 GMT"  # browsers bring it forward to 400 days from now
_VALUE = ("value",)


def _kind(name: str, host: str, *lines: str, fields: tuple[str, ...] = (), where: Where = Where.PAGE, subdomain: str = "") -> Kind:
    return Kind(_GROUP, name, host, cookies=lines, fields=_VALUE + fields, where=where, subdomain=subdomain)


KINDS = (
    _kind("name, value, path, end", "plain", f"c=v 1; Path=/account; {_IN_A_YEAR}", fields=("name", "path", "session", "expires")),
    _kind("session-only (ends with the browser)", "session-only", "c=v", fields=("session",)),
    _kind("host-only", "host-only", f"c=v; {_IN_A_YEAR}", fields=("domain",)),
    _kind("of a domain and its subdomains", "domain", f"c=v; Domain=domain.localhost; {_IN_A_YEAR}", fields=("domain",), subdomain="login."),
    _kind("HttpOnly", "http-only", f"c=v; HttpOnly; {_IN_A_YEAR}", fields=("httpOnly",)),
    _kind("Secure", "secure", f"c=v; Secure; {_IN_A_YEAR}", fields=("secure",)),
    _kind("SameSite=Strict, Lax, None", "same-site", *(f"{s}=v; Secure; SameSite={s}; {_IN_A_YEAR}" for s in ("Strict", "Lax", "None")), fields=("sameSite",)),
    _kind("SameSite not said", "same-site-unsaid", f"c=v; {_IN_A_YEAR}", fields=("sameSite",)),
    _kind("Priority=Low, High", "priority", *(f"{p}=v; Priority={p}; {_IN_A_YEAR}" for p in ("Low", "High")), fields=("priority",)),
    _kind("port of its source", "source-port", f"c=v; {_IN_A_YEAR}", fields=("sourcePort",)),
    _kind("scheme of its source", "source-scheme", f"c=v; {_IN_A_YEAR}", f"s=v; Secure; {_IN_A_YEAR}", fields=("sourceScheme",)),
    _kind("`__Host-` and `__Secure-`", "prefixes", f"__Host-c=v; Secure; Path=/; {_IN_A_YEAR}", f"__Secure-c=v; Secure; {_IN_A_YEAR}",
          fields=("domain", "path")),
    _kind("partitioned, of the page itself", "partitioned", f"c=v; Secure; SameSite=None; Partitioned; {_IN_A_YEAR}", fields=("partitionKey",)),
    _kind("partitioned, of a frame in another site's page", "partitioned-frame", f"c=v; Secure; SameSite=None; Partitioned; {_IN_A_YEAR}",
          fields=("partitionKey",), where=Where.FRAME),
    _kind("one name on two paths", "two-paths", f"c=one; Path=/one; {_IN_A_YEAR}", f"c=two; Path=/two; {_IN_A_YEAR}", fields=("path",)),
    _kind("no name; empty value; quotes; UTF-8", "odd", f"=nameless; {_IN_A_YEAR}", f"empty=; {_IN_A_YEAR}", f'quoted="a b"; {_IN_A_YEAR}',
          f"utf8=zoë; {_IN_A_YEAR}", fields=("name",)),
    _kind("as long as it may be (4,096 bytes)", "long", f"c={'x' * 4095}; {_IN_A_YEAR}"),
    _kind("150 at one site", "many", *(f"c{number}=v; {_IN_A_YEAR}" for number in range(150)), fields=("name",)),
)  # fmt: skip
