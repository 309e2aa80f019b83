"""``header``: the Cookie header that a browser would send with a request, for `curl -H` and the like. Written only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import ConfigError
from handstamp.state import cookie_header, cookies_to_send
from handstamp.state.cookie_match import target

if TYPE_CHECKING:
    from handstamp.state import StorageState

NAME = "header"


def dump(state: StorageState, notes: list[str], *, now: float, url: str | None) -> str:
    """The line ``Cookie: …`` for a request to `url` that no other site started; empty when no cookie goes with it.

    Raises:
        ConfigError: no `url`, or none that can be read.
    """
    if url is None:
        raise ConfigError("format header needs the URL of the request: which cookies go with it depends on that")
    try:
        host = target(url).host
    except ValueError:
        host = ""
    if not host:
        raise ConfigError("the URL for format header has no host that can be read; write it as https://example.com/path")
    value = cookie_header(cookies_to_send(state.cookies(), url, now=now))
    if not value:
        notes.append(f"no cookie goes with a request to {host}")
        return ""
    return f"Cookie: {value}\n"
