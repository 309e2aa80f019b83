"""See handstamp work, on stand-in web sites that run on this machine.

It logs in once and comes back from a fresh process and a fresh browser, also after a `kill -9`. The server's own log counts
the logins.

`--serve` only starts the sites, to try things by hand, until Ctrl-C.
"""

from __future__ import annotations

import stat
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli.demonstration import Show, tell
from handstamp.cli.progress import Progress
from handstamp.cli.tables import columns, heading
from handstamp.cli.words import count, size
from handstamp.demo import BUILT_IN, start
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.demo import DemoServers

PICTURES = "handstamp-demo"
_WHAT = {"vault.db": "the vault: sessions, cookies, storage, all sealed", "vault.key": "its key, where no keyring and no HANDSTAMP_KEY is there"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--out", default=PICTURES, metavar="DIR", help=f"where the screenshots go ({PICTURES})")
    parser.add_argument("--keep", metavar="DIR", help="use this home directory, and leave it; by default one that goes at the end")
    parser.add_argument("--serve", action="store_true", help="start the sites and wait for Ctrl-C")


def run(call: Call, *, out: str, keep: str | None, serve: bool) -> None:
    """Show it."""
    if serve:
        _serve(call)
        return
    pictures = _folder(out)
    with _folders(keep) as (home, temporary), Progress(call.output) as steps:
        steps.begin("Start the stand-in sites")
        with start() as demo:
            steps.end(f"portside at {demo.portside.url}")
            show = Show(demo, home, temporary, pictures)
            ended = []
            for step in tell(show, begun=steps.begin):
                steps.end(step.found)
                ended.append(step)
            stats = demo.control.stats().portside
        requests = sum(stats.requests.values())
        kept = [(file.name, size(file.stat().st_size), stat.filemode(file.stat().st_mode), _WHAT.get(file.name, "")) for file in sorted(home.iterdir())]
    facts = {
        "logins": stats.logins,
        "attempts": stats.attempts,
        "requests": requests,
        "steps": [asdict(step) for step in ended],
        "screenshots": [str(file) for file in show.screenshots],
        "home": keep,
    }
    counted = f"portside's own log: {count(stats.logins, 'login')}, {count(requests, 'request')}."
    call.output.show(facts, lambda: _picture(show, counted, kept, keep))


def _picture(show: Show, counted: str, kept: Sequence[tuple[str, ...]], keep: str | None) -> Iterator[RenderableType]:
    yield f"\n{counted}"
    yield f"Two screenshots of the signed-in page: {show.screenshots[0]} and {show.screenshots[1]}"
    yield heading(f"What was kept, in {keep}" if keep else "What was kept (in a temporary home directory, gone by now; --keep DIR leaves it)")
    yield columns(("FILE", "SIZE", "MODE", "WHAT"), kept)


def _folder(name: str) -> Path:
    path = Path(name)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be made for the screenshots: {error.strerror}; name another folder with --out") from None
    return path


@contextmanager
def _folders(keep: str | None) -> Iterator[tuple[Path, Path]]:
    """A home directory and one for temporary files."""
    with tempfile.TemporaryDirectory(prefix="handstamp-demo-") as folder:
        temporary = Path(folder, "tmp")
        temporary.mkdir(mode=0o700)
        yield Path(keep).absolute() if keep else Path(folder, "home"), temporary


def _serve(call: Call) -> None:
    with start() as demo:
        accounts = [{"username": account.username, "password": account.password} for account in BUILT_IN]
        facts = {"portside": asdict(demo.portside), "interpals": asdict(demo.interpals), "accounts": accounts, "pid": demo.pid}
        call.output.show(facts, lambda: _served(demo))
        threading.Event().wait()


def _served(demo: DemoServers) -> Iterator[RenderableType]:
    yield columns(("SITE", "ADDRESS"), [("portside", demo.portside.url), ("interpals", demo.interpals.plain_url)])
    yield heading("Who can sign in (these are no secrets)")
    yield columns(("USER", "PASSWORD"), [(account.username, account.password) for account in BUILT_IN])
    yield "\nTo use them from another terminal:"
    yield f"  export HANDSTAMP_PORTSIDE_BASE_URL={demo.portside.url}"
    yield "  handstamp login portside --username demo"
    yield "\nStop with Ctrl-C. `python -m handstamp.demo --help` lists what can be made to fail."
