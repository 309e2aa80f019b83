"""Show where the vault's key comes from, or export it: with the key, a copied vault opens on another machine (as HANDSTAMP_KEY).

Keep an exported key apart from the vault and its backups. Without the key nobody opens the vault again, you included.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli.private_file import add_destination, deliver
from handstamp.cli.tables import pairs
from handstamp.vault import export_key, key_record

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.vault import Vault

SOURCES = {
    "environment": "the variable HANDSTAMP_KEY",
    "passphrase": "a passphrase, in HANDSTAMP_PASSPHRASE",
    "keyring": "the system's keyring",
    "file": "the key file beside the vault",
    "given": "the program that made the vault",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("action", nargs="?", choices=("show", "export"), default="show", help="show (the default) or export")
    add_destination(parser)


def run(call: Call, *, action: str, output: str | None, reveal: bool) -> None:
    """Show or export."""
    with call.vault() as vault:
        if action == "export":
            key = export_key(vault).encode() + b"\n"
            deliver(call, key, output=Path(output) if output else None, reveal=reveal, what="the vault's key", facts=_facts(vault))
            return
        facts = _facts(vault)
    call.output.show(facts, lambda: [pairs([("vault", facts["vault"]), ("key", facts["key_id"]), ("comes from", SOURCES[facts["source"]])])])


def _facts(vault: Vault) -> dict[str, str]:
    record = key_record(vault)
    return {"vault": vault.where, "key_id": record.key_id, "source": record.source.value}
