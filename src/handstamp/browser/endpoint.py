"""Finding a browser's own debugging WebSocket from what people know of it: `http://127.0.0.1:9222`, or a `ws://…` URL."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from handstamp.errors import BrowserGone, ConfigError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

ANSWER_WITHIN = 10.0  # seconds, for the endpoint to answer
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_TO_START_ONE = "start the browser with --remote-debugging-port=9222 and a --user-data-dir of its own, and give http://127.0.0.1:9222"


def is_endpoint(text: str) -> bool:
    """Whether this is a URL at which a browser could listen, rather than the path of a program."""
    return urlsplit(text).scheme.lower() in _SCHEMES


async def socket_url(endpoint: str) -> str:
    """The WebSocket URL of the browser at an endpoint.

    Args:
        endpoint: ``http://host:port`` of a debugging port, or the ``ws://`` URL of a browser (not of one page).

    Raises:
        ConfigError: this is no such URL, or what answers there is no browser.
        BrowserGone: nothing listens there.
    """
    parts = urlsplit(endpoint)
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
        raise ConfigError(f"'{_without_secrets(endpoint)}' is not the URL of a browser's debugging port; {_TO_START_ONE}")
    if "/devtools/page/" in parts.path:
        raise ConfigError("this is the debugging URL of one page; give that of the browser: the webSocketDebuggerUrl under /json/version, or http://host:port")
    if parts.scheme.lower() in {"ws", "wss"} and (parts.path.strip("/") or parts.query):
        return endpoint
    secure = parts.scheme.lower() in {"https", "wss"}
    base = urlunsplit(("https" if secure else "http", parts.netloc, "", "", ""))
    told = await asyncio.to_thread(_version, base)
    path = urlsplit(str(told.get("webSocketDebuggerUrl", ""))).path
    if not path:
        raise ConfigError(f"what answers at {_without_secrets(base)} is not a browser's debugging port; {_TO_START_ONE}")
    return urlunsplit(("wss" if secure else "ws", parts.netloc, path, "", ""))  # its own idea of host and port may be that behind a tunnel


async def open_socket(url: str) -> ClientConnection:
    """A connected WebSocket for `cdp.WebSocketTransport`.

    Raises:
        ConfigError: what listens there does not speak WebSocket.
        BrowserGone: nothing listens there.
    """
    import websockets  # noqa: PLC0415  (40 ms)

    try:
        return await websockets.connect(url, max_size=None, compression=None, ping_interval=None, proxy=None, open_timeout=ANSWER_WITHIN)
    except (OSError, TimeoutError) as error:
        raise BrowserGone(_nobody(url)) from error
    except websockets.WebSocketException as error:
        raise ConfigError(f"at {_without_secrets(url)} no browser can be reached by this URL (was it started anew?); {_TO_START_ONE}") from error


def _version(base: str) -> dict[str, Any]:
    """What `/json/version` says; past any proxy, since the port is a private matter."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base}/json/version", timeout=ANSWER_WITHIN) as answer:
            told = json.load(answer)
    except (urllib.error.HTTPError, ValueError) as error:
        raise ConfigError(f"what answers at {_without_secrets(base)} is not a browser's debugging port; {_TO_START_ONE}") from error
    except OSError as error:
        raise BrowserGone(_nobody(base)) from error
    return told if isinstance(told, dict) else {}


def _nobody(url: str) -> str:
    return f"no browser listens at {_without_secrets(url)}; {_TO_START_ONE}"


def _without_secrets(url: str) -> str:
    """Scheme, host and port: a path or query may be the way in, and a user part a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else parts.path
