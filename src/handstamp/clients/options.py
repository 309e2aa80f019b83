"""What a client takes besides site and profile: the library's own options, under the library's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class ClientOptions(TypedDict, total=False):
    """Options of `httpx.Client` and `httpx2.Client`; each means what it means there. `base_url` is by default the site's."""

    auth: Any
    params: Any
    headers: Any
    cookies: Any
    verify: Any
    cert: Any
    trust_env: bool
    http1: bool
    http2: bool
    proxy: Any
    mounts: Mapping[str, Any] | None
    timeout: Any
    follow_redirects: bool
    limits: Any
    max_redirects: int
    event_hooks: Mapping[str, list[Callable[..., Any]]] | None
    base_url: Any
    transport: Any
    default_encoding: str | Callable[[bytes], str]
