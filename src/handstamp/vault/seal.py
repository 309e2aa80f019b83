"""The seal: zstd, then AES-256-GCM, bound to what the record is.

    byte 0       format, 1
    bytes 1-8    id of the master key
    bytes 9-20   nonce, random
    the rest     ciphertext and tag

The associated data are those 9 first bytes, the vault's id, the record's row key, its generation and its profile: a record
that is moved to another place, profile or vault, or brought back under a later generation, does not open. Each
purpose has its own AES key, derived by HKDF-SHA256 (RFC 5869) from the master key. Random nonces are safe for 2^32 records
of one purpose and key (NIST SP 800-38D §8.3).
"""

from __future__ import annotations

import os
import struct
import threading
from typing import TYPE_CHECKING, NoReturn

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handstamp.errors import SealBroken
from handstamp.vault.identity import RECORD_HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.vault.identity import Identity, Purpose
    from handstamp.vault.master_key import MasterKey

FORMAT = 1
NONCE_BYTES = 12
_HEAD_BYTES = 9
_LEVEL = 1
_STEP = 512  # bytes; zstd knows where its data ends


class Seals:
    """Seals with the first of its master keys and opens with any. Safe across threads.

    Args:
        vault_id: 16 bytes that name the vault.
        keys: the current master key first, then earlier ones.
    """

    def __init__(self, vault_id: bytes, keys: Iterable[MasterKey]) -> None:
        self._vault_id = vault_id
        self._keys = {bytes.fromhex(key.id): key for key in keys}
        self._current = next(iter(self._keys))
        self._ciphers: dict[tuple[bytes, Purpose], AESGCM] = {}
        self._zstd = _Zstd()

    def under(self, key: MasterKey) -> Seals:
        """The same vault's, with another key."""
        return Seals(self._vault_id, [key])

    def seal(self, purpose: Purpose, identity: Identity, data: bytes) -> bytes:
        """`data` sealed as `identity`; in steps of size, which tell less of it, and let a version take the room of an earlier one."""
        packed = self._zstd.compressor.compress(data)
        return self._sealed(purpose, identity, packed + bytes(-len(packed) % (_STEP if len(packed) > _STEP else 1)))

    def open(self, purpose: Purpose, identity: Identity, sealed: bytes | None) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: it is missing, was changed, is another record, or another key sealed it. Which, is not told.
        """
        try:
            return self._zstd.decompressor.decompress(self._packed(purpose, identity, sealed))
        except zstandard.ZstdError:
            _broken()

    def resealed(self, purpose: Purpose, identity: Identity, sealed: bytes) -> bytes:
        """The same content under the current key, `sealed` itself when it is; raises as `open`."""
        if sealed[1:_HEAD_BYTES] == self._current:
            return sealed
        return self._sealed(purpose, identity, self._packed(purpose, identity, sealed))

    def _sealed(self, purpose: Purpose, identity: Identity, packed: bytes) -> bytes:
        head, nonce = bytes((FORMAT,)) + self._current, os.urandom(NONCE_BYTES)
        return head + nonce + self._cipher(self._current, purpose).encrypt(nonce, packed, self._associated(head, identity))

    def _packed(self, purpose: Purpose, identity: Identity, sealed: bytes | None) -> bytes:
        if not isinstance(sealed, bytes) or len(sealed) < RECORD_HEAD or sealed[0] != FORMAT or sealed[1:_HEAD_BYTES] not in self._keys:
            _broken()
        head, nonce = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:RECORD_HEAD]
        try:
            return self._cipher(head[1:], purpose).decrypt(nonce, sealed[RECORD_HEAD:], self._associated(head, identity))
        except (InvalidTag, struct.error, TypeError):  # the last two: the row gave no identity
            _broken()

    def _associated(self, head: bytes, identity: Identity) -> bytes:
        return head + self._vault_id + identity.row_key + struct.pack(">Q", identity.generation) + identity.profile.encode()

    def _cipher(self, key_id: bytes, purpose: Purpose) -> AESGCM:
        cipher = self._ciphers.get((key_id, purpose))
        if cipher is None:
            derived = HKDF(SHA256(), 32, salt=None, info=b"handstamp 1 " + purpose.encode()).derive(self._keys[key_id].secret)
            cipher = self._ciphers[key_id, purpose] = AESGCM(derived)
        return cipher


class _Zstd(threading.local):
    """Its contexts are dear to make and must not be shared by threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


def _broken() -> NoReturn:
    raise SealBroken("a record of the vault does not open: it was changed, or another key sealed it") from None
