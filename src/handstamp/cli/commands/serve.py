"""Serve sessions and operations to programs, over HTTP, until stopped (Ctrl-C, SIGTERM). It needs the extra `server`.

By default it listens on this machine alone, and wants a token. The first start makes one and puts it into the file server.token of
the home directory; more are made with --add-token, and shown once. Scopes: admin for everything; use for sessions, operations and
their files; read for lists and numbers; files for what operations left. After a signal, what runs may end; a second one ends at once.

Settings come from [server] in handstamp.toml, HANDSTAMP_SERVER_<NAME>, and the flags.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.cli.output import write
from handstamp.cli.parser import Usage
from handstamp.cli.private_file import add_destination, deliver
from handstamp.cli.tables import columns
from handstamp.cli.words import when
from handstamp.errors import ConfigError
from handstamp.server import server_settings
from handstamp.server.gate import SCOPES
from handstamp.server.settings import setting_names

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.server.serving import Ready
    from handstamp.vault import Token, Vault

DAY = 86_400.0
_NEEDED = ("fastapi", "prometheus_client", "pydantic", "uvicorn")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--no-auth", action="store_true", help="want no token; on an address of this machine only")
    tokens = parser.add_argument_group("tokens (no server is started)")
    tokens.add_argument("--add-token", metavar="NAME", help="make a token; say where it goes with -o FILE or --reveal")
    tokens.add_argument("--scopes", metavar="LIST", default="use", help="what it may do: of admin, use, read, files, with commas (use)")
    tokens.add_argument("--token-days", metavar="N", type=float, help="after how many days it ends; by default never")
    tokens.add_argument("--tokens", action="store_true", help="list them")
    tokens.add_argument("--revoke", metavar="NAME", help="let a token work no more; within 3 s at running servers")
    add_destination(tokens)
    settings = parser.add_argument_group("settings")
    for name, about in setting_names():
        settings.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", dest=f"set_{name}", help=about)


def run(
    call: Call,
    *,
    no_auth: bool,
    add_token: str | None,
    scopes: str,
    token_days: float | None,
    tokens: bool,
    revoke: str | None,
    output: str | None,
    reveal: bool,
    **given: Any,
) -> None:
    """Serve; or see to the tokens."""
    if sum((add_token is not None, tokens, revoke is not None)) > 1:
        raise Usage("--add-token, --tokens and --revoke are three calls")
    with call.vault() as vault:
        if add_token is not None:
            _add(call, vault, add_token, scopes, token_days, output=Path(output) if output else None, reveal=reveal)
        elif tokens:
            _list(call, vault)
        elif revoke is not None:
            _revoke(call, vault, revoke)
        else:
            flags = {name.removeprefix("set_"): value for name, value in given.items() if value is not None}
            _serve(call, vault, flags, with_tokens=not no_auth)


def _serve(call: Call, vault: Vault, flags: dict[str, str], *, with_tokens: bool) -> None:
    settings = server_settings(flags, path=call.home)
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f"the server needs {' and '.join(missing)}, which is not installed; install it with `pip install 'handstamp[server]'`")
    from handstamp.server.logs import log_to_stderr  # noqa: PLC0415  (the rest of this command does without)
    from handstamp.server.serving import serve  # noqa: PLC0415  (FastAPI and the engine: a second)

    log_to_stderr(settings.log_format)
    serve(vault, call.home, settings, with_tokens=with_tokens, ready=lambda ready: _tell(call, ready))


def _tell(call: Call, ready: Ready) -> None:
    if call.output.as_json:
        write(sys.stdout, json.dumps(ready.facts()) + "\n")  # a line: whoever started this waits for its end
        return
    call.output.show(None, lambda: _where(ready))


def _where(ready: Ready) -> list[str]:
    lines = [f"Listening at {ready.address.url}; what there is to call: {ready.address.url}/docs"]
    if ready.token_file is None:
        lines.append("No token is wanted: every program and user of this machine can use the sessions.")
    elif ready.token_works:
        lines.append(f"A token for everything is in {ready.token_file}.")
    else:
        lines.append(f"The token in {ready.token_file} does not work here (revoked, or another vault's). Remove the file, and the next start makes one.")
    return [*lines, "Stop with Ctrl-C."]


def _add(call: Call, vault: Vault, name: str, scopes: str, days: float | None, *, output: Path | None, reveal: bool) -> None:
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    if unknown := sorted(set(wanted) - set(SCOPES)):
        raise ConfigError(f"there is no scope '{unknown[0]}'; scopes are {', '.join(SCOPES)}")
    if not wanted:
        raise ConfigError(f"a token needs a scope: --scopes with one or more of {', '.join(SCOPES)}")
    if days is not None and not 0 < days < 36_500:
        raise ConfigError("--token-days must be above 0 and less than 36500")
    if (output is None) is not reveal:
        raise ConfigError("a token is shown once: say where to with `-o FILE` (made readable for you only), or `--reveal` to print it here")
    made = vault.add_token(name, wanted, seconds=None if days is None else days * DAY)
    facts = {"name": name, "scopes": wanted}
    try:
        deliver(call, f"{made}\n".encode("ascii"), output=output, reveal=reveal, what=f"the token '{name}'", facts=facts)
    except ConfigError:
        vault.revoke_token(name)  # nobody has seen it
        raise


def _list(call: Call, vault: Vault) -> None:
    every = vault.tokens()
    facts = [
        {"name": one.name, "scopes": sorted(one.scopes), "created_at": one.created_at.isoformat(), "ends_at": one.ends_at and one.ends_at.isoformat()}
        for one in every
    ]
    call.output.show({"tokens": facts}, lambda: [columns(("NAME", "SCOPES", "MADE", "ENDS"), [_row(call, one) for one in every])])


def _row(call: Call, token: Token) -> tuple[str, str, str, str]:
    return token.name, ", ".join(sorted(token.scopes)), when(token.created_at, call.now), when(token.ends_at, call.now)


def _revoke(call: Call, vault: Vault, name: str) -> None:
    if not vault.revoke_token(name):
        raise ConfigError(f"there is no token '{name}'; `handstamp serve --tokens` lists them")
    call.output.show({"revoked": name}, lambda: [f"The token '{name}' works no more."])
