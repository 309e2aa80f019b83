"""The master key: 32 bytes that everything in a vault is sealed under."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from handstamp.errors import ConfigError

KEY_BYTES = 32


@dataclass(frozen=True)
class MasterKey:
    """The key itself.

    Args:
        secret: 32 bytes.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ConfigError(f"a master key has {KEY_BYTES} bytes, not {len(self.secret)}")

    @cached_property
    def id(self) -> str:
        """16 hex digits that name the key and tell nothing of it."""
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  (30 ms that listing sessions does not need)
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        return HKDF(SHA256(), 8, salt=None, info=b"handstamp 1 key id").derive(self.secret).hex()

    @classmethod
    def generate(cls) -> MasterKey:
        """A new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def parse(cls, text: str, *, source: str = "the key") -> MasterKey:
        """The key that `text` writes as base64url (with or without padding) or hex.

        Raises:
            ConfigError: it is neither, or not 32 bytes; the message names `source`.
        """
        text = text.strip()
        try:
            data = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            data = b""
        if len(data) != KEY_BYTES:
            raise ConfigError(f"{source} is not {KEY_BYTES} bytes in base64url or hex; `handstamp key export` prints a vault's key")
        return cls(data)

    def text(self) -> str:
        """The key as base64url without padding; a secret."""
        return base64.urlsafe_b64encode(self.secret).rstrip(b"=").decode()
