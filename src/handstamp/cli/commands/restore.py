"""Bring back what `handstamp backup` wrote. All of the file is verified first: nothing is changed by one that is damaged.

Into an empty vault, unless you say --replace (what is there is lost) or --merge (what is missing comes back, what is newer
stays). With --check nothing is changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.facts import instant
from handstamp.cli.words import count, when

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.vault.backup import Backup


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("file", metavar="FILE", help="the backup")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="only verify it")
    way.add_argument("--replace", action="store_true", help="in the place of what the vault holds now")
    way.add_argument("--merge", action="store_true", help="into the vault that it was made of: what is newer there stays")
    parser.add_argument("--accept-damage", action="store_true", help="also when records in it do not open")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(call: Call, *, file: str, check: bool, replace: bool, merge: bool, accept_damage: bool, yes: bool) -> int:
    """Restore, or verify."""
    path = Path(file)
    with call.vault() as vault:
        with call.output.working("Verifying …"):
            found = vault.verify_backup(path)
        if check:
            call.output.show(_facts(found, restored=False), lambda: [_about(call, file, found), *_damages(found)])
            return 1 if found.damaged else 0
        if replace and not yes and not ask.confirm(f"{_about(call, file, found)} Replace everything in {vault.where} by it?"):
            call.output.show(_facts(found, restored=False), lambda: ["Nothing was changed."])
            return 0
        with call.output.working("Restoring …"):
            vault.restore(path, replace=replace, merge=merge, accept_damage=accept_damage)
        done = f"{vault.where} is as it was when {file} was made." if not merge else f"What {vault.where} lacked came back from {file}."
    call.output.show(_facts(found, restored=True), lambda: [done, *_damages(found)])
    return 0


def _about(call: Call, file: str, found: Backup) -> str:
    rows = found.rows
    parts, sessions = count(rows.get("parts", 0), "part"), count(rows.get("sessions", 0), "session")
    return f"{file} was made {when(found.made_at, call.now)} and is whole: {parts}, {sessions}, key {found.key_id}."


def _damages(found: Backup) -> list[str]:
    return [f"{count(len(found.damaged), 'record')} in it did not open when it was made: {', '.join(sorted(set(found.damaged)))}."] if found.damaged else []


def _facts(found: Backup, *, restored: bool) -> dict[str, object]:
    about = {"vault_id": found.vault_id, "key_id": found.key_id, "made_at": instant(found.made_at), "rows": dict(found.rows)}
    return {"restored": restored, **about, "damaged": list(found.damaged)}
