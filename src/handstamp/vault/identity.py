"""What a sealed record is, and what it is for. Apart from the seal itself, which is slow to import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

RECORD_HEAD = 21  # octets that tell a sealed record from every other: format, key id, random nonce (see handstamp.vault.seal)


class Purpose(StrEnum):
    """What a record is for; each has a key of its own."""

    PART = "part"
    NAME = "part name"
    SESSION = "session"
    SECRET = "secret"  # noqa: S105  (a purpose's name)
    FORGET = "forget"
    CHALLENGE = "challenge"
    WORKFLOW = "workflow"
    INDEX = "index"
    FILE = "file"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a sealed record is; it opens as nothing else.

    Args:
        row_key: 16 bytes that name the record, see `handstamp.vault.index`.
        generation: counts the record's versions.
        profile: whose it is, empty when it is nobody's.
    """

    row_key: bytes
    generation: int = 0
    profile: str = ""
