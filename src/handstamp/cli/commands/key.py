"""Show where the vault's key comes from, export it, check a copy of it, or have everything sealed under a new one.

`export`: with the key, a copied vault opens on another machine (as HANDSTAMP_KEY). Keep it apart from the vault and its
backups. Without the key nobody opens the vault again, you included. `check` tells whether the key is to be had, and with
--copy FILE whether a copy is that key. `rotate` makes a new key while other programs go on, and ends a rotation that was
interrupted. The old key is not destroyed: backups from before need it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.parser import Usage
from handstamp.cli.private_file import add_destination, deliver, write_private
from handstamp.cli.tables import pairs
from handstamp.cli.words import count
from handstamp.errors import ConfigError, KeyMissing
from handstamp.vault import MasterKey, export_key, key_record

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.vault import KeyRecord, Vault
    from handstamp.vault.rotation import Rotation

SOURCES = {
    "environment": "the variable HANDSTAMP_KEY",
    "credential": "the systemd credential 'handstamp-key'",
    "passphrase": "a passphrase, in HANDSTAMP_PASSPHRASE",
    "keyring": "the system's keyring",
    "file": "a key file in the home directory",
    "given": "the program that made the vault",
}
_WRITTEN_OUT = ("environment", "credential", "given")  # sources that handstamp cannot write to
NEW_PASSPHRASE = "HANDSTAMP_NEW_PASSPHRASE"  # noqa: S105  (a variable's name)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    actions = ("show", "export", "check", "rotate")
    parser.add_argument("action", nargs="?", choices=actions, default="show", help="show (the default), export, check or rotate")
    add_destination(parser)
    parser.add_argument("--copy", metavar="FILE", help="for check: a file that should hold the key")
    parser.add_argument("--to", choices=tuple(SOURCES)[:-1], help="for rotate: where the new key is to come from; by default where the old one does")
    parser.add_argument("--leaked", action="store_true", help="for rotate: do not hand the new key to programs that have the old one")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(call: Call, *, action: str, output: str | None, reveal: bool, copy: str | None, to: str | None, leaked: bool, yes: bool) -> None:
    """Show, export, check or rotate."""
    destination = Path(output) if output else None
    with call.vault() as vault:
        if action == "export":
            key = export_key(vault).encode() + b"\n"
            deliver(call, key, output=destination, reveal=reveal, what="the vault's key", facts=_facts(vault))
        elif action == "check":
            _check(call, vault, Path(copy) if copy else None)
        elif action == "rotate":
            _rotate(call, vault, to, destination, leaked=leaked, yes=yes)
        else:
            facts = _facts(vault)
            rows = [("vault", facts["vault"]), ("key", facts["key_id"]), ("comes from", SOURCES[facts["source"]])]
            call.output.show(facts, lambda: [pairs(rows)])


def _facts(vault: Vault) -> dict[str, str]:
    record = key_record(vault)
    return {"vault": vault.where, "key_id": record.key_id, "source": record.source.value}


def _check(call: Call, vault: Vault, copy: Path | None) -> None:
    facts = _facts(vault)  # raises when the key is not to be had, or is another's
    if copy is not None:
        try:
            found = MasterKey.parse(copy.read_text("ascii"), source=str(copy))
        except (OSError, UnicodeError):
            raise ConfigError(f"{copy} cannot be read as a key; name the file that `handstamp key export -o FILE` made") from None
        if found.id != facts["key_id"]:
            raise KeyMissing(f"{copy} holds key {found.id}, and this vault's is {facts['key_id']}: that copy does not open it")
    said = f"Key {facts['key_id']} comes from {SOURCES[facts['source']]}, and opens {facts['vault']}."
    call.output.show(facts | {"copy": copy and str(copy)}, lambda: [said, *([f"{copy} is a copy of it."] if copy else [])])


def _rotate(call: Call, vault: Vault, to: str | None, destination: Path | None, *, leaked: bool, yes: bool) -> None:
    resuming = bool(vault.rotating())
    source = to or key_record(vault).source.value
    written_out = source in _WRITTEN_OUT and not resuming
    if written_out and destination is None:
        raise Usage(f"a new key from {SOURCES[source]} has to go there by your hand: say `-o FILE` for where to write it first")
    if not yes and not resuming and not ask.confirm(f"Seal everything in {vault.where} under a new key from {SOURCES[source]}?"):
        call.output.show({"rotated": False}, lambda: ["Nothing was changed."])
        return
    phrase = _new_passphrase() if source == "passphrase" and not resuming else None
    key = MasterKey.generate() if written_out else None
    if key is not None and destination is not None:
        if destination.exists():
            raise ConfigError(f"{destination} is there already; name a new file for the new key")
        write_private(destination, key.text().encode() + b"\n")
    with call.output.working("Sealing anew …"):
        done = vault.rotate_key(source, key=key, passphrase=phrase, hand_over=not leaked)
    facts = {"rotated": True, "resumed": done.resumed, "key_id": done.new.key_id, "source": done.new.source.value, "resealed": done.resealed}
    old = [{"key_id": record.key_id, "source": record.source.value, "where": _where(call, record)} for record in done.old]
    call.output.show(facts | {"damaged": done.damaged, "old": old}, lambda: _said(call, done, destination))


def _new_passphrase() -> str:
    if phrase := os.environ.get(NEW_PASSPHRASE):
        return phrase
    if not ask.at_terminal():
        raise ConfigError(f"a new passphrase is asked at a terminal, or taken from {NEW_PASSPHRASE}")
    phrase = ask.hidden("New passphrase")
    if ask.hidden("The same again") != phrase:
        raise ConfigError("the two passphrases differ; nothing was changed")
    return phrase


def _said(call: Call, done: Rotation, destination: Path | None) -> list[str]:
    lines = [f"{count(done.resealed, 'record')} sealed anew: the vault's key is {done.new.key_id}, from {SOURCES[done.new.source]}."]
    if done.resumed:
        lines.insert(0, "A rotation that had been interrupted was brought to its end; run this again for another key.")
    if destination is not None and not done.resumed:
        lines.append(f"It is in {destination}: put it where your programs get it, then remove that file.")
    if done.damaged:
        lines.append(f"{count(done.damaged, 'record')} did not open and were left as they are; `handstamp doctor --deep` names them.")
    return lines + [
        f"The old key {record.key_id} opens backups from before. Do away with it when you need none of them: {_where(call, record)}." for record in done.old
    ]


def _where(call: Call, record: KeyRecord) -> str:
    """Where an old key lies."""
    if record.source == "file":
        name = record.facts.get("file")
        return f"it is in {call.home / str(name)}" if name else f"it is in {call.home / 'vault.key'}, which other vaults of this home may use, too"
    if record.source == "keyring":
        return f"`keyring del handstamp {record.facts.get('entry')}` removes it"
    return f"it comes from {SOURCES[record.source]}"
