"""One-time codes by time (RFC 6238 over RFC 4226), as the sites check them.

Written out here and not taken from the library that the login side uses, so that the two ends check each other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

from handstamp.errors import ConfigError

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1
"""How many steps the person's clock may be ahead or behind (RFC 6238 §5.2 recommends at most one)."""


def decode_secret(secret: str) -> bytes:
    """The key in a base32 secret; case, spaces and missing padding do not matter.

    Raises:
        ConfigError: it is not base32. The message does not repeat it.
    """
    packed = secret.replace(" ", "").upper().rstrip("=")
    try:
        key = base64.b32decode(packed + "=" * (-len(packed) % 8))
    except ValueError:
        key = b""
    if not key:
        raise ConfigError("a TOTP secret is base32 text: letters A to Z and digits 2 to 7")
    return key


def step_at(seconds: float) -> int:
    """The time step that this moment falls into; seconds since the Unix epoch."""
    return int(seconds // STEP_SECONDS)


def code_at(secret: str, step: int) -> str:
    """The code of one time step (RFC 4226 §5.3)."""
    digest = hmac.digest(decode_secret(secret), struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int(struct.unpack(">I", digest[offset : offset + 4])[0]) & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: str, code: str, *, seconds: float) -> int | None:
    """The step, at most `DRIFT_STEPS` from now, whose code this is; None when there is none."""
    typed = code.replace(" ", "").encode("utf-8", "surrogatepass")
    now = step_at(seconds)
    # All steps are compared, whichever fits, so that the time taken tells nothing.
    found = [step for step in range(max(0, now - DRIFT_STEPS), now + DRIFT_STEPS + 1) if hmac.compare_digest(code_at(secret, step).encode(), typed)]
    return found[0] if found else None


class UsedCodes:
    """Which codes were already taken: each works once (RFC 6238 §5.2)."""

    def __init__(self) -> None:
        self._used: dict[str, set[int]] = {}

    def take(self, username: str, step: int) -> bool:
        """Mark the code of this step as used; False when it was used before."""
        used = self._used.setdefault(username, set())
        if step in used:
            return False
        used -= {old for old in used if old < step - 2 * DRIFT_STEPS}
        used.add(step)
        return True
