"""Bearer tokens of the vault, as the SDK wants to verify them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mcp.server.auth.provider import AccessToken

if TYPE_CHECKING:
    from handstamp.vault import Vault


class VaultTokens:
    """A `TokenVerifier` over the tokens of `handstamp serve`.

    Args:
        vault: where they are.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def verify_token(self, token: str) -> AccessToken | None:
        """What a token is; None when it does not work."""
        found = await asyncio.to_thread(self._vault.token, token)
        if found is None:
            return None
        ends = None if found.ends_at is None else int(found.ends_at.timestamp())
        return AccessToken(token=token, client_id=found.name, scopes=sorted(found.scopes), expires_at=ends)
