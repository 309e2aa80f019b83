"""A key from a passphrase: Argon2id, its salt and costs recorded in the vault."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, VaultUnavailable
from handstamp.vault.master_key import KEY_BYTES, MasterKey

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Argon2Costs:
    """Argon2id (RFC 9106 §4, the second recommended option: 64 MiB and 3 passes; here with a random 16-byte salt)."""

    salt: str
    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 65536


def new_from(passphrase: str) -> tuple[MasterKey, dict[str, str | int]]:
    """The key of a passphrase under a new salt, and the facts to record of it.

    Raises:
        ConfigError: the passphrase is empty.
    """
    if not passphrase:
        raise ConfigError("an empty passphrase seals nothing; give one")
    costs = Argon2Costs(secrets.token_hex(16))
    return derive(passphrase, costs), asdict(costs)


def derive(passphrase: str, costs: Argon2Costs) -> MasterKey:
    """The key of a passphrase; takes some tenths of a second on purpose."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415  (only vaults with a passphrase need it)

    kdf = Argon2id(salt=bytes.fromhex(costs.salt), length=KEY_BYTES, iterations=costs.iterations, lanes=costs.lanes, memory_cost=costs.memory_kib)
    return MasterKey(kdf.derive(passphrase.encode("utf-8", "surrogateescape")))


def recorded_costs(facts: Mapping[str, str | int]) -> Argon2Costs:
    """The recorded costs, within bounds that a damaged or planted record cannot use to stall or starve us.

    Raises:
        VaultUnavailable: they are not.
    """
    try:
        costs = Argon2Costs(**facts)  # type: ignore[arg-type]
        if len(bytes.fromhex(costs.salt)) >= 16 and 0 < costs.iterations <= 100 and 0 < costs.lanes <= 64 and 8 * costs.lanes <= costs.memory_kib <= 1 << 22:
            return costs
    except (TypeError, ValueError):
        pass
    raise VaultUnavailable("the vault's record of its passphrase's costs is damaged; restore a backup. Nothing was changed")
