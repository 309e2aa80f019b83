"""Secrets in files outside the vault, sealed by its key: a service client's session file."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from handstamp.errors import SealBroken
from handstamp.vault.identity import Identity, Purpose

if TYPE_CHECKING:
    from handstamp.vault.vault import Vault

MARK = "sealed:"
"""What a sealed text begins with."""


def seal_text(vault: Vault, name: str, text: str) -> str:
    """`text` sealed, as ASCII.

    Args:
        vault: whose key; an empty one gets one first.
        name: what it is; it opens as nothing else.
    """
    sealed = vault._unlock().seals.seal(Purpose.FILE, _identity(name), text.encode("utf-8", "surrogatepass"))  # noqa: SLF001  (beside `export_key`)
    return MARK + base64.urlsafe_b64encode(sealed).decode()


def open_text(vault: Vault, name: str, sealed: str) -> str:
    """What was sealed; a text without the mark is open, and comes back as it is.

    Raises:
        SealBroken: it was changed, is something else, or another vault's key sealed it.
    """
    if not sealed.startswith(MARK):
        return sealed
    try:
        data = base64.b64decode(sealed.removeprefix(MARK), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken("a sealed text in a file does not open: it was changed, or another key sealed it") from None
    return vault._unlock().seals.open(Purpose.FILE, _identity(name), data).decode("utf-8", "surrogatepass")  # noqa: SLF001  (as above)


def _identity(name: str) -> Identity:
    return Identity(hashlib.sha256(f"loose {name}".encode()).digest()[:16])
