"""Write everything that the vault holds to one file, while other programs go on. `handstamp restore` brings it back.

What is sealed stays sealed, and the key is not in the file: keep `handstamp key export` in another place. Nothing is asked
for, so it can run by the clock; an earlier backup of that name is replaced when the new one is whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli.facts import instant
from handstamp.cli.words import size

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("file", metavar="FILE", help="the backup; made readable for you only")


def run(call: Call, *, file: str) -> None:
    """Make one."""
    path = Path(file)
    with call.output.working("Writing …"), call.vault() as vault:
        made = vault.backup(path)
    octets = path.stat().st_size
    facts = {"file": file, "size": octets, "vault_id": made.vault_id, "key_id": made.key_id, "made_at": instant(made.made_at), "rows": dict(made.rows)}
    said = f"{file}: {size(octets)}, sealed with key {made.key_id}, which is not in it. Keep a copy of the key elsewhere: `handstamp key export`."
    call.output.show(facts, lambda: [said])
