"""Who calls, and what they may: bearer tokens with scopes, see `handstamp.vault.tokens`.

A token that does not work gets the same answer whatever is wrong with it. It is looked up by its hash, so that comparing takes no
time that would tell of others. A token that was revoked works for `LOOKUP_SECONDS` more at most.

Failures are counted by address, and behind a proxy all callers have the same. So they never keep out a token that works: each is
looked up, which is one read by its hash, and only those that do not work are told to wait.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import Forbidden, Unauthorized
from handstamp.server.rates import Rates
from handstamp.server.refusals import TooMany
from handstamp.vault.tokens import IMPLIED, LONGEST, hash_of, implied

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault
    from handstamp.vault.tokens import Token

LOOKUP_SECONDS = 3.0
"""How long what was looked up is believed."""
FAILURES_PER_MINUTE = 30
"""Tokens that do not work, by address; those beyond are told to wait."""
SCOPES = tuple(IMPLIED)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        name: of the token; for the log.
        scopes: with all that they imply.
    """

    name: str
    scopes: frozenset[str]

    def needs(self, scope: str) -> None:
        """Let nobody pass who may not.

        Raises:
            Forbidden: the token has not this scope.
        """
        if scope not in self.scopes:
            raise Forbidden(f"this needs a token with the scope '{scope}'; the one that was sent has not")


ANYBODY = Caller("-", IMPLIED["admin"])
"""Every caller of a server that wants no token."""


@dataclass(slots=True)
class _Seen:
    token: Token | None
    at: float


class Gate:
    """Looks up tokens.

    Args:
        vault: where they are; None lets everybody in.
        clock: seconds, only going forward.
    """

    def __init__(self, vault: Vault | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._vault = vault
        self._clock = clock
        self._seen: dict[bytes, _Seen] = {}  # tokens that work or have worked, so no more than were ever made
        self._failures = Rates(FAILURES_PER_MINUTE)

    async def caller(self, header: str | None, address: str) -> Caller | None:
        """Who sent a request; None when it has no token.

        Args:
            header: its ``Authorization``.
            address: of the client.

        Raises:
            Unauthorized: it has one that does not work.
            TooMany: the same, and too many of those came from there.
        """
        if self._vault is None:
            return ANYBODY
        if header is None:
            return None
        token = _token(header)
        found = None if token is None else await self._looked_up(self._vault, token)
        if found is None:
            if seconds := self._failures.take(address, self._clock()):
                raise TooMany("too many tokens from this address did not work; send one that does, or wait", retry_after=seconds)
            raise refused()
        return Caller(found.name, implied(found.scopes))

    async def _looked_up(self, vault: Vault, token: str) -> Token | None:
        key = hash_of(token)
        seen = self._seen.get(key)
        if seen is not None and self._clock() - seen.at < LOOKUP_SECONDS:
            return seen.token
        found = await asyncio.to_thread(vault.token, token)
        if found is not None or seen is not None:
            self._seen[key] = _Seen(found, self._clock())
        return found


def refused() -> Unauthorized:
    """The one answer to callers without a token that works."""
    return Unauthorized("this server wants a token that it knows: send `Authorization: Bearer …`")


def _token(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token and len(token) <= LONGEST else None
