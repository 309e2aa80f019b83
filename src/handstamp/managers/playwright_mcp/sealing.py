"""What goes through an MCP session is sealed between this process and the server's browser.

Hosts of MCP keep transcripts, and servers write logs, of every message. A key agreed on for each browser context (ECDH on P-256,
HKDF, AES-256-GCM; at the other end Web Crypto) keeps cookies and storage out of them. It protects from who reads messages; who
can change them on their way to the server can run code there anyhow.
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_IV = 12  # bytes
_TO, _FROM = b"to", b"from"  # which way: an answer cannot be taken for a question


class Sealing:
    """One agreement on a key with one browser context.

    Attributes:
        id: by which the other end knows it.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._own = generate_private_key(SECP256R1())
        self._key: AESGCM | None = None

    @property
    def greeting(self) -> str:
        """Our half of the key, for everybody to see."""
        return base64.b64encode(self._own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).decode()

    def agree(self, answer: str) -> None:
        """Take the other half; from now on messages can be sealed."""
        theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), base64.b64decode(answer))
        shared = self._own.exchange(ECDH(), theirs)
        self._key = AESGCM(HKDF(SHA256(), length=32, salt=None, info=self.id.encode()).derive(shared))

    def seal(self, message: Any) -> str:
        """A message for the other end."""
        iv = os.urandom(_IV)
        return base64.b64encode(iv + self._agreed().encrypt(iv, json.dumps(message).encode(), _TO)).decode()

    def open(self, sealed: str) -> Any:
        """What the other end says."""
        given = base64.b64decode(sealed)
        return json.loads(self._agreed().decrypt(given[:_IV], given[_IV:], _FROM))

    def _agreed(self) -> AESGCM:
        if self._key is None:
            raise RuntimeError("no key has been agreed on")
        return self._key
