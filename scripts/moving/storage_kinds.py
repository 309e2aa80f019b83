"""localStorage and sessionStorage, first-party and of a frame in another site's page."""

from __future__ import annotations

from moving.kinds import Kind, Where

_QUOTA = 5 * 1024 * 1024  # characters of names and values together that Chromium allows one origin


def _read(area: str) -> str:
    return f"return {area}.length === 0 ? null : Array.from({{ length: {area}.length }}, (_, at) => [{area}.key(at), {area}.getItem({area}.key(at))]).sort()"


def _write(area: str, items: str) -> str:
    return f"for (const [key, value] of {items}) {area}.setItem(key, value)"


def _local(name: str, host: str, items: str, read: str = "", where: Where = Where.PAGE) -> Kind:
    return Kind("localStorage", name, host, read or _read("localStorage"), _write("localStorage", items), where)


def _session(name: str, host: str, items: str, read: str = "", *, where: Where = Where.PAGE, then: str = "") -> Kind:
    return Kind("sessionStorage", name, host, read or _read("sessionStorage"), f"{_write('sessionStorage', items)}; {then}", where)


# A value at the quota is told by its length and its two ends.
_LENGTHS = "return {0}.length === 0 ? null : Object.keys({0}).map((key) => [key, {0}[key].length, {0}[key].slice(-3)])"

_POPUP = """
  globalThis.opened = open('/');
  while (opened.location.href === 'about:blank' || opened.document.readyState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 20));
  opened.sessionStorage.setItem('p', 'of the popup');
"""

KINDS = (
    _local("names and values", "local", "[['token', 'T'], ['zoë', '😀']]"),
    _local(
        "names `length`, `key`, `__proto__`, `getItem`", "local-names", "['length', 'key', '__proto__', 'getItem', 'constructor'].map((name) => [name, name])"
    ),
    _local("empty name, empty value, NUL", "local-empty", "[['', 'named by nothing'], ['nothing', ''], ['\\0', 'a\\0b']]"),
    _local("lone surrogates", "local-surrogates", r"[['\ud800', '\udfff x \ud800']]"),
    _local("1,000 items", "local-many", "Array.from({ length: 1000 }, (_, at) => ['k' + at, 'v'.repeat(100)])"),
    _local("a value at the quota (5 Mi characters)", "local-quota", f"[['k', 'ä'.repeat({_QUOTA} - 1)]]", _LENGTHS.format("localStorage")),
    _local("of a frame in another site's page", "local-frame", "[['third', 'party']]", where=Where.FRAME),
    _session("of a tab", "session", "[['s', 'S'], ['length', '1'], ['', '\\ud800']]"),
    _session("of two tabs, each its own", "session-tabs", "[['s', 'of tab ' + tab]]", where=Where.TABS),
    _session("of a popup, which begins with its opener's", "session-popup", "[['s', 'S']]", where=Where.POPUP, then=_POPUP),
    _session("a value at the quota (5 Mi characters)", "session-quota", f"[['k', 'ä'.repeat({_QUOTA} - 1)]]", _LENGTHS.format("sessionStorage")),
    _session("of a frame in another site's page", "session-frame", "[['third', 'party']]", where=Where.FRAME),
)
