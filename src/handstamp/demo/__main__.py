"""Run the stand-in sites: ``python -m handstamp.demo``. See ``--help`` for the knobs."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from handstamp.demo.extra import require_extra
from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs, SiteKnobs, turned
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handstamp.demo.server import Listening

_KNOBS: dict[str, type[SiteKnobs]] = {"portside": PortsideKnobs, "interpals": InterpalsKnobs}


def parser() -> argparse.ArgumentParser:
    """All flags; one for each knob of each site."""
    made = argparse.ArgumentParser(
        prog="python -m handstamp.demo",
        usage="%(prog)s [options]",
        description="Stand-in web sites on this machine's loopback, for tests and demonstrations: portside and interpals.",
        epilog="Who can sign in is on portside's page /about.",
    )
    made.add_argument("--port", type=int, default=0, metavar="N", help="port of portside (default: a free one)")
    made.add_argument("--interpals-port", type=int, default=0, metavar="N", help="port of interpals (default: a free one)")
    made.add_argument("--control-port", type=int, default=0, metavar="N", help="port of the control endpoint (default: a free one)")
    made.add_argument("--json", action="store_true", help="print the start line as JSON")
    made.add_argument("--log", metavar="FILE", help="write an access log to this file, without names and secrets")
    made.add_argument("--managed", action="store_true", help="for programs: read knobs as one JSON line from stdin, and stop when stdin ends")
    for site, kind in _KNOBS.items():
        group = made.add_argument_group(f"knobs of {site}")
        for item in fields(kind):
            _add_flag(group, f"--{site}-{item.name.replace('_', '-')}", default=item.default, about=item.metadata["about"])
    return made


def _add_flag(group: argparse._ArgumentGroup, flag: str, *, default: object, about: str) -> None:
    name = f"knob_{flag[2:].replace('-', '_')}"
    if isinstance(default, bool):
        group.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=about)
        return
    shown = f" (default {default:g})" if isinstance(default, int | float) else ""
    group.add_argument(flag, dest=name, type=type(default), default=argparse.SUPPRESS, metavar=type(default).__name__.upper(), help=about + shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until stopped; the exit status."""
    options = parser().parse_args(argv)
    try:
        require_extra()
        _run(options)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 0
    return 0


def _run(options: argparse.Namespace) -> None:
    from handstamp.demo.server import Ports, serve  # noqa: PLC0415  (needs the extra, which was looked for only now)

    _set_up_log(options.log)
    given = _managed_knobs() if options.managed else {}
    chosen = {site: {**_flags(options, site), **given.get(site, {})} for site in _KNOBS}
    serve(
        ports=Ports(portside=options.port, interpals=options.interpals_port, control=options.control_port),
        portside_knobs=turned(PortsideKnobs(), chosen["portside"]),
        interpals_knobs=turned(InterpalsKnobs(), chosen["interpals"]),
        ready=lambda where: _tell(where, as_json=options.json),
        managed=options.managed,
    )


def _flags(options: argparse.Namespace, site: str) -> dict[str, Any]:
    front = f"knob_{site}_"
    return {name.removeprefix(front): value for name, value in vars(options).items() if name.startswith(front)}


def _managed_knobs() -> Mapping[str, Mapping[str, Any]]:
    """Knobs from stdin and not from the command line, which every local user can read: a canary is worth hiding."""
    line = sys.stdin.readline()
    try:
        given = json.loads(line)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(name in _KNOBS and isinstance(value, dict) for name, value in given.items()):
        raise ConfigError("the first line of stdin takes a JSON object of the sites' knobs")
    return given


def _set_up_log(path: str | None) -> None:
    logger = logging.getLogger("handstamp.demo")
    logger.propagate = False
    if path is None:
        logger.addHandler(logging.NullHandler())
        return
    try:
        stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "a", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the log {path} cannot be written: {error.strerror}") from error
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _tell(where: Listening, *, as_json: bool) -> None:
    start = where.as_json()
    if as_json:
        sys.stdout.write(json.dumps(start) + "\n")
    else:
        about = f"{start['portside']['url']}/about"
        sys.stdout.write(f"portside   {start['portside']['url']}\ninterpals  {start['interpals']['url']}\n")
        sys.stdout.write(f"control    {start['control']['url']}  (token {where.token})\n")
        sys.stdout.write(f"Who can sign in: {about}. Stop with Ctrl-C.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
