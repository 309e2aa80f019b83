"""Run another program in a session: curl, wget and yt-dlp get its cookies and user agent, and what they change is kept.

    handstamp exec portside -- curl -s https://portside.example/account
    handstamp exec portside -- sh -c 'mytool --cookie-file "$COOKIES_FILE"'

The cookies are in a private file (cookies.txt) that is removed afterwards; its path stands in the environment variable
COOKIES_FILE, and for {cookies} in the command. The program inherits none of handstamp's own variables, which may hold secrets.
Its exit status is that of this command.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.parser import Usage
from handstamp.errors import ConfigError, SessionNotFound, StateError
from handstamp.formats import read, write
from handstamp.home import create_private
from handstamp.http.children import changes, command, environment, file_for, file_from
from handstamp.http.private_folder import private_folder
from handstamp.state import Clock, Device, PartKind, StorageState

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from handstamp.cli.call import Call
    from handstamp.sites import Site
    from handstamp.vault import Vault

_SIGNALLED = 128  # and the signal's number, as shells count


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="-- and the program with its options")
    add_profile(parser)


def run(call: Call, *, site: str, words: list[str], profile: str) -> int:
    """Run it."""
    if not words:
        raise Usage("say which program: `handstamp exec SITE -- curl https://…`")
    if shutil.which(words[0]) is None:
        raise ConfigError(f"there is no program '{words[0]}' to run; install it, or give its path")
    known = call.site(site)
    with call.vault() as vault:
        state = vault.load(profile, domains=known.domains)
        if not state.cookies():
            raise SessionNotFound(f"no cookie is saved for {known.name} in profile '{profile}'; `handstamp ls` lists what is saved")
        session = vault.session(profile, known.name)
        with _cookie_file(state, known, words) as file:
            try:
                status = _run(command(words, str(file), session.device if session else Device()), file)
            finally:
                _read_back(call, vault, profile, state, file)
    return status


@contextlib.contextmanager
def _cookie_file(state: StorageState, site: Site, words: list[str]) -> Iterator[Path]:
    """The cookies in a file that nobody else can read, in a folder that goes with it."""
    cookies = StorageState.of(state.of_kind(PartKind.COOKIES))
    with private_folder() as folder:
        file = folder / "cookies.txt"
        create_private(file, file_for(words, write(cookies, format="netscape", now=time.time(), domains=site.domains).data))
        yield file


def _run(words: list[str], file: Path) -> int:
    # A program that is stopped by Ctrl-C gets the time to write its file: the signal goes to it as well as to us.
    with subprocess.Popen(words, env={**environment(os.environ), "COOKIES_FILE": str(file)}) as process:
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
    return status if status >= 0 else _SIGNALLED - status


def _read_back(call: Call, vault: Vault, profile: str, state: StorageState, file: Path) -> None:
    clock = Clock(os.urandom(4).hex())
    try:
        found = read(file_from(file.read_bytes()), name="the program's cookie file", format="netscape", now=time.time(), clock=clock).state
    except (OSError, StateError) as error:
        call.output.note(f"what the program did to its cookies is not kept: {error}")
        return
    if changed := changes(state.cookies(), found.cookies(), state, clock):
        vault.save(profile, changed)
