"""The master key: 32 bytes that everything in a vault is sealed under, and where they come from.

A vault records its key's id and its source. When it is empty, the key comes from the first of these that is there:

1. `HANDSTAMP_KEY`: 32 bytes as base64url or hex (what `handstamp key export` prints);
2. `HANDSTAMP_PASSPHRASE`: Argon2id, its salt and costs recorded in the vault;
3. the keyring of the operating system, a new key;
4. the file `vault.key` in the home directory, a new key.

Later it comes from the recorded source and no other. Two variables may stand in for it, since who sets them says so and
the key's id proves it: `HANDSTAMP_KEY`, whatever the source (that is how a copied vault opens on another machine), and
`HANDSTAMP_PASSPHRASE` for a vault that was made with one. A key that is not this vault's is an error, never a new key.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, KeyMissing, VaultUnavailable
from handstamp.home import create_private, make_home, refuse_symlink
from handstamp.vault import keyring_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY_BYTES = 32
KEY_FILE = "vault.key"
ENV_KEY = "HANDSTAMP_KEY"
ENV_PASSPHRASE = "HANDSTAMP_PASSPHRASE"  # noqa: S105  (a variable's name)


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


class Source(StrEnum):
    """Where a vault's key comes from."""

    ENVIRONMENT = "environment"
    PASSPHRASE = "passphrase"  # noqa: S105  (a source's name)
    KEYRING = "keyring"
    FILE = "file"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Argon2Costs:
    """Argon2id (RFC 9106 §4, the second recommended option: 64 MiB and 3 passes; here with a random 16-byte salt)."""

    salt: str
    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 65536


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What a vault records of its key.

    Args:
        key_id: `MasterKey.id`.
        source: where it comes from.
        facts: what that source needs: the costs of a passphrase, the name in the keyring.
    """

    key_id: str
    source: Source
    facts: Mapping[str, str | int] = field(default_factory=dict)


def derive(passphrase: str, costs: Argon2Costs) -> MasterKey:
    """The key of a passphrase; takes some tenths of a second on purpose."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415  (only vaults with a passphrase need it)

    kdf = Argon2id(salt=bytes.fromhex(costs.salt), length=KEY_BYTES, iterations=costs.iterations, lanes=costs.lanes, memory_cost=costs.memory_kib)
    return MasterKey(kdf.derive(passphrase.encode("utf-8", "surrogateescape")))


def new_key(home: Path, vault_id: bytes, *, given: MasterKey | None = None) -> tuple[MasterKey, KeyRecord]:
    """The key for an empty vault, and what to record of it.

    A key file that is there already is used: it is the key of another vault in this home, or of this one when the
    process died between making the file and recording it.

    Raises:
        ConfigError, KeyMissing: a source is there but cannot be used.
    """
    if given is not None:
        return given, KeyRecord(given.id, Source.GIVEN)
    if text := os.environ.get(ENV_KEY):
        key = MasterKey.parse(text, source=ENV_KEY)
        return key, KeyRecord(key.id, Source.ENVIRONMENT)
    if passphrase := os.environ.get(ENV_PASSPHRASE):
        costs = Argon2Costs(secrets.token_hex(16))
        key = derive(passphrase, costs)
        return key, KeyRecord(key.id, Source.PASSPHRASE, asdict(costs))
    if keyring_source.usable():
        key, entry = MasterKey.generate(), f"vault-{vault_id.hex()}"
        keyring_source.put(entry, key.text())
        return key, KeyRecord(key.id, Source.KEYRING, {"entry": entry})
    key = _make_key_file(home)
    return key, KeyRecord(key.id, Source.FILE)


def find_key(home: Path, record: KeyRecord, *, given: MasterKey | None = None) -> MasterKey:
    """The key of a vault that has one.

    Raises:
        KeyMissing: it is not where the record says, or what is there is another key; names source and remedy.
        ConfigError: a variable holds no key at all.
    """
    key, origin = _look_up(home, record, given)
    if key.id != record.key_id:
        raise KeyMissing(f"{origin} is not this vault's key: the vault is sealed with key {record.key_id}, this is {key.id}. Nothing was changed. {_REMEDY}")
    return key


_REMEDY = "Set HANDSTAMP_KEY to what `handstamp key export` prints where the vault still opens, or restore a backup of the key"


def _look_up(home: Path, record: KeyRecord, given: MasterKey | None) -> tuple[MasterKey, str]:
    if given is not None:
        return given, "the key that was given"
    if text := os.environ.get(ENV_KEY):
        return MasterKey.parse(text, source=ENV_KEY), ENV_KEY
    if record.source is Source.PASSPHRASE:
        return _from_passphrase(record), f"the key of {ENV_PASSPHRASE}"
    if record.source is Source.KEYRING:
        return _from_keyring(record), "the key in the system's keyring"
    if record.source is Source.FILE:
        return _from_file(home / KEY_FILE, record), f"the key in {home / KEY_FILE}"
    raise KeyMissing(f"this vault is sealed with key {record.key_id}, which comes from {ENV_KEY}, and that is not set. {_REMEDY}")


def _from_passphrase(record: KeyRecord) -> MasterKey:
    passphrase = os.environ.get(ENV_PASSPHRASE)
    if not passphrase:
        raise KeyMissing(f"this vault is sealed with a passphrase, and {ENV_PASSPHRASE} is not set; set it, or set HANDSTAMP_KEY to the vault's exported key")
    return derive(passphrase, _costs(record))


def _costs(record: KeyRecord) -> Argon2Costs:
    """The recorded costs, within bounds that a damaged or planted record cannot use to stall or starve us."""
    try:
        costs = Argon2Costs(**record.facts)  # type: ignore[arg-type]
        if len(bytes.fromhex(costs.salt)) >= 16 and 0 < costs.iterations <= 100 and 0 < costs.lanes <= 64 and 8 * costs.lanes <= costs.memory_kib <= 1 << 22:
            return costs
    except (TypeError, ValueError):
        pass
    raise VaultUnavailable("the vault's record of its passphrase's costs is damaged; restore a backup. Nothing was changed")


def _from_keyring(record: KeyRecord) -> MasterKey:
    entry = str(record.facts.get("entry"))
    text = keyring_source.get(entry)
    if text is None:
        raise KeyMissing(f"this vault is sealed with key {record.key_id} from the system's keyring, which has no entry '{entry}'. {_REMEDY}")
    return MasterKey.parse(text, source="the entry in the system's keyring")


def _from_file(file: Path, record: KeyRecord) -> MasterKey:
    key = _read_key_file(file)
    if key is None:
        raise KeyMissing(f"this vault is sealed with key {record.key_id} from the key file {file}, which is not there. {_REMEDY}")
    return key


def _make_key_file(home: Path) -> MasterKey:
    file, key = make_home(home) / KEY_FILE, MasterKey.generate()
    refuse_symlink(file)
    try:
        made = create_private(file, key.text().encode() + b"\n")
    except OSError as error:
        raise KeyMissing(f"the key file {file} cannot be made ({error.strerror}); make {home} writable, or set {ENV_KEY}") from None
    if made:
        return key
    there = _read_key_file(file)
    return key if there is None else there


def _read_key_file(file: Path) -> MasterKey | None:
    refuse_symlink(file)
    try:
        text = file.read_text("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise KeyMissing(f"the key file {file} cannot be read ({reason}); make it readable for you, or set {ENV_KEY}") from None
    try:
        return MasterKey.parse(text, source=str(file))
    except ConfigError as error:
        raise KeyMissing(str(error)) from None
