"""Where a vault's master key comes from: when the vault is empty, later, and when the key is rotated.

A vault records its key's id and its source. When it is empty, the key comes from the first of these that is there:

1. `HANDSTAMP_KEY`: 32 bytes as base64url or hex (what `handstamp key export` prints);
2. the systemd credential `handstamp-key` (systemd.io/CREDENTIALS): the same text, in a file of `$CREDENTIALS_DIRECTORY`;
3. `HANDSTAMP_PASSPHRASE`: Argon2id, its salt and costs recorded in the vault;
4. the keyring of the operating system, a new key;
5. the file `vault.key` in the home directory, a new key.

Later it comes from the recorded source and no other. Some may stand in for it, since who sets them says so and the key's
id proves it: `HANDSTAMP_KEY` and then the credential, whatever the source (that is how a copied vault opens on another
machine), and `HANDSTAMP_PASSPHRASE` for a vault that was made with one. A key that is not this vault's is an error, never a
new key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, KeyMissing
from handstamp.vault import keyring_source, passphrase
from handstamp.vault.key_file import new_key_file, read_key_file, recorded_file, rotated_key_file
from handstamp.vault.master_key import MasterKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ENV_KEY = "HANDSTAMP_KEY"
ENV_PASSPHRASE = "HANDSTAMP_PASSPHRASE"  # noqa: S105  (a variable's name)
CREDENTIAL = "handstamp-key"
_REMEDY = "Set HANDSTAMP_KEY to what `handstamp key export` prints where the vault still opens, or restore a backup of the key"


class Source(StrEnum):
    """Where a vault's key comes from."""

    ENVIRONMENT = "environment"
    CREDENTIAL = "credential"
    PASSPHRASE = "passphrase"  # noqa: S105  (a source's name)
    KEYRING = "keyring"
    FILE = "file"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What a vault records of its key.

    Args:
        key_id: `MasterKey.id`.
        source: where it comes from.
        facts: what that source needs: the costs of a passphrase, the name in the keyring, the name of the file.
    """

    key_id: str
    source: Source
    facts: Mapping[str, str | int] = field(default_factory=dict)


def new_key(home: Path, vault_id: bytes, *, given: MasterKey | None = None) -> tuple[MasterKey, KeyRecord]:
    """The key for an empty vault, and what to record of it.

    Raises:
        ConfigError, KeyMissing: a source is there but cannot be used.
    """
    if given is not None:
        return given, KeyRecord(given.id, Source.GIVEN)
    if text := os.environ.get(ENV_KEY):
        key = MasterKey.parse(text, source=ENV_KEY)
        return key, KeyRecord(key.id, Source.ENVIRONMENT)
    if (credential := _credential()) is not None:
        return credential, KeyRecord(credential.id, Source.CREDENTIAL)
    if text := os.environ.get(ENV_PASSPHRASE):
        key, facts = passphrase.new_from(text)
        return key, KeyRecord(key.id, Source.PASSPHRASE, facts)
    if keyring_source.usable():
        key, entry = MasterKey.generate(), f"vault-{vault_id.hex()}"
        keyring_source.put(entry, key.text())
        return key, KeyRecord(key.id, Source.KEYRING, {"entry": entry})
    key = new_key_file(home)
    return key, KeyRecord(key.id, Source.FILE)


def next_key(home: Path, vault_id: bytes, source: Source, *, key: MasterKey | None = None, phrase: str | None = None) -> tuple[MasterKey, KeyRecord]:
    """A key to take the place of a vault's present one, already where it is to come from, and what to record of it.

    Args:
        home: where key files are.
        vault_id: names the entry in a keyring.
        source: where it is to come from.
        key: the key itself, for the sources that handstamp cannot write: environment, credential, given.
        phrase: the passphrase, for that source.

    Raises:
        ConfigError: what the source needs was not given, or something that it does not need.
        KeyMissing: the source cannot be used.
    """
    if (key is not None) != (source in {Source.ENVIRONMENT, Source.CREDENTIAL, Source.GIVEN}) or (phrase is not None) != (source is Source.PASSPHRASE):
        raise ConfigError(f"a new key from the source '{source}' needs {_NEEDS.get(source, 'nothing else')}, and only that")
    if key is not None:
        return key, KeyRecord(key.id, source)
    if phrase is not None:
        made, facts = passphrase.new_from(phrase)
        return made, KeyRecord(made.id, source, facts)
    if source is Source.KEYRING:
        made = MasterKey.generate()
        entry = f"vault-{vault_id.hex()}-{made.id}"
        keyring_source.put(entry, made.text())
        return made, KeyRecord(made.id, source, {"entry": entry})
    made, name = rotated_key_file(home)
    return made, KeyRecord(made.id, source, {"file": name})


_NEEDS = {Source.PASSPHRASE: "the new passphrase"} | dict.fromkeys((Source.ENVIRONMENT, Source.CREDENTIAL, Source.GIVEN), "the new key")


def find_key(home: Path, record: KeyRecord, *, given: MasterKey | None = None, former: Collection[str] = ()) -> MasterKey:
    """The key of a vault that has one.

    Args:
        home: where key files are.
        record: what the vault says of its key.
        given: the key, from the caller.
        former: ids of keys that were the vault's before.

    Raises:
        KeyMissing: the key is not where the record says, or what is there is another key; names source and remedy.
        ConfigError: a variable holds no key at all.
    """
    key, origin = _look_up(home, record, given)
    if key.id != record.key_id:
        which = f"{key.id}, which was rotated out" if key.id in former else key.id
        raise KeyMissing(f"{origin} is not this vault's key: the vault is sealed with key {record.key_id}, this is {which}. Nothing was changed. {_REMEDY}")
    return key


def _look_up(home: Path, record: KeyRecord, given: MasterKey | None) -> tuple[MasterKey, str]:
    if given is not None:
        return given, "the key that was given"
    if text := os.environ.get(ENV_KEY):
        return MasterKey.parse(text, source=ENV_KEY), ENV_KEY
    if (credential := _credential()) is not None:
        return credential, f"the credential '{CREDENTIAL}'"
    if record.source is Source.PASSPHRASE:
        return _from_passphrase(record), f"the key of {ENV_PASSPHRASE}"
    if record.source is Source.KEYRING:
        return _from_keyring(record), "the key in the system's keyring"
    if record.source is Source.FILE:
        file = recorded_file(home, record.facts)
        return _from_file(file, record), f"the key in {file}"
    where = f"the credential '{CREDENTIAL}', and this process has none" if record.source is Source.CREDENTIAL else f"{ENV_KEY}, and that is not set"
    raise KeyMissing(f"this vault is sealed with key {record.key_id}, which comes from {where}. {_REMEDY}")


def _credential() -> MasterKey | None:
    """The key that systemd hands to a service by ``LoadCredential=`` or ``LoadCredentialEncrypted=``."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return read_key_file(Path(directory) / CREDENTIAL) if directory else None


def _from_passphrase(record: KeyRecord) -> MasterKey:
    phrase = os.environ.get(ENV_PASSPHRASE)
    if not phrase:
        raise KeyMissing(f"this vault is sealed with a passphrase, and {ENV_PASSPHRASE} is not set; set it, or set HANDSTAMP_KEY to the vault's exported key")
    return passphrase.derive(phrase, passphrase.recorded_costs(record.facts))


def _from_keyring(record: KeyRecord) -> MasterKey:
    entry = str(record.facts.get("entry"))
    text = keyring_source.get(entry)
    if text is None:
        raise KeyMissing(f"this vault is sealed with key {record.key_id} from the system's keyring, which has no entry '{entry}'. {_REMEDY}")
    return MasterKey.parse(text, source="the entry in the system's keyring")


def _from_file(file: Path, record: KeyRecord) -> MasterKey:
    key = read_key_file(file)
    if key is None:
        raise KeyMissing(f"this vault is sealed with key {record.key_id} from the key file {file}, which is not there. {_REMEDY}")
    return key
