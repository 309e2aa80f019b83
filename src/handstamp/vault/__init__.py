"""Where sessions are kept: sealed, durable, versioned, leased.

`Vault` is the face; a database adapter lives in `sqlite/` behind the port in `store`. Nothing else in handstamp knows SQL.
"""

from handstamp.vault.face.leases import LEASE_LIFE
from handstamp.vault.keys import KeyRecord, MasterKey
from handstamp.vault.leases import Holder, Lease, LeaseInfo, Standing
from handstamp.vault.model import JSON, Event, SaveResult, Version
from handstamp.vault.vault import Vault, export_key, key_record

__all__ = [
    "JSON",
    "LEASE_LIFE",
    "Event",
    "Holder",
    "KeyRecord",
    "Lease",
    "LeaseInfo",
    "MasterKey",
    "SaveResult",
    "Standing",
    "Vault",
    "Version",
    "export_key",
    "key_record",
]
