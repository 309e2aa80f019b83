"""Give agents sessions, over the Model Context Protocol: on stdin and stdout for the client that starts this, or over HTTP.

An agent gets handles: it can list sessions, begin logins, open pages, read and use them, and run sites' operations; it never gets a
cookie, a token or a password. What it may do is set in [mcp] of handstamp.toml, by variables HANDSTAMP_MCP_<NAME>, and by
the options here. It needs the extra `mcp`.

Over HTTP a token is wanted, the same as by `handstamp serve`, which makes more of them (--add-token); the first is in the file
server.token of the home directory.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from handstamp.cli.output import write
from handstamp.cli.parser import Usage
from handstamp.errors import ConfigError, HandstampError
from handstamp.mcp.settings import ANYWHERE, SITE, mcp_settings

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.listening import Address

DEFAULT = "127.0.0.1:8901"
_NEEDED = ("mcp", "mcp_types", "pydantic", "uvicorn")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--http", nargs="?", const=DEFAULT, metavar="HOST:PORT", help=f"listen there instead ({DEFAULT}; port 0 takes a free one)")
    parser.add_argument("--no-auth", action="store_true", help="with --http: want no token; on an address of this machine only")
    may = parser.add_argument_group("what agents may do, above HANDSTAMP_MCP_<NAME> and [mcp] in handstamp.toml")
    may.add_argument("--allow", action="append", metavar="NAME", help="only these tools: a name, or a group (read, act, login, operations); repeatable")
    may.add_argument("--deny", action="append", metavar="NAME", help="not these tools; repeatable")
    may.add_argument("--read-only", action="store_true", help="only the tools that look: --allow read")
    may.add_argument("--site", action="append", dest="sites", metavar="NAME", help="only this site; repeatable")
    may.add_argument("--profile", action="append", dest="profiles", metavar="NAME", help="only this profile; repeatable")
    may.add_argument("--navigate", choices=(SITE, ANYWHERE), help="whether pages have to stay within their session's site (site)")
    may.add_argument("--max-sessions", type=int, metavar="N", help="sessions that are open in browsers at a time (5)")


def run(call: Call, *, http: str | None, no_auth: bool, read_only: bool, **given: Any) -> int:
    """Serve. Over stdin and stdout nothing is printed there but the protocol, whatever goes wrong."""
    try:
        _serve(call, http=http, no_auth=no_auth, read_only=read_only, given=given)
    except HandstampError as error:
        if http is not None or not call.output.as_json:
            raise
        call.output.note(json.dumps({"error": str(error), "code": error.code}))
        return error.exit_status
    return 0


def _serve(call: Call, *, http: str | None, no_auth: bool, read_only: bool, given: dict[str, Any]) -> None:
    if no_auth and http is None:
        raise Usage("--no-auth goes with --http; on stdin and stdout there is one client, which has started this")
    if read_only:
        if given["allow"]:
            raise Usage("--read-only is --allow read; give one of the two")
        given["allow"] = ["read"]
    settings = mcp_settings({name: value for name, value in given.items() if value is not None}, path=call.home)
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f"this needs {' and '.join(missing)}, which is not installed; install it with `pip install 'handstamp[mcp]'`")
    from handstamp.mcp.serving import serve_http, serve_stdio  # noqa: PLC0415  (the SDK and the engine: a second)

    with call.vault() as vault:
        if http is None:
            serve_stdio(vault, call.home, settings)
            return
        if not no_auth:
            from handstamp.server.first_token import ensure_token  # noqa: PLC0415  (of a sibling: the two share their tokens)

            ensure_token(vault, call.home)
        serve_http(vault, call.home, settings, _address(http), with_tokens=not no_auth, ready=lambda there: _tell(call, there, with_tokens=not no_auth))


def _address(text: str) -> Address:
    from handstamp.listening import Address  # noqa: PLC0415  (see above)

    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise Usage(f"--http takes HOST:PORT, such as {DEFAULT}, and not {text!r}")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _tell(call: Call, there: Address, *, with_tokens: bool) -> None:
    token_file = str(call.home / "server.token") if with_tokens else None
    if call.output.as_json:
        write(sys.stdout, json.dumps({"url": there.url, "token_file": token_file}) + "\n")  # a line: whoever started this waits for its end
        return
    call.output.say(f"Listening at {there.url}")
    call.output.say(f"A token for everything is in {token_file}." if token_file else "No token is wanted: every program of this machine can use the sessions.")
    call.output.say("Stop with Ctrl-C.")
