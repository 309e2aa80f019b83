"""Where sessions are kept: sealed, durable, versioned, leased.

`Vault` is the face; a database adapter lives in `sqlite/` behind the port in `store`. Nothing else in handstamp knows SQL.
"""

from handstamp.vault.attempts import Attempts
from handstamp.vault.challenges import OpenChallenge, Question
from handstamp.vault.cleanup import ArchivedSession, Cleanup
from handstamp.vault.face.leases import LEASE_LIFE
from handstamp.vault.keys import KeyRecord
from handstamp.vault.leases import Holder, Lease, LeaseInfo, Standing, awaited
from handstamp.vault.master_key import MasterKey
from handstamp.vault.model import JSON, Event, Listed, PartChange, SaveResult, Version
from handstamp.vault.served import Served, ServedSession
from handstamp.vault.tokens import Token, new_token
from handstamp.vault.turns import Ended, Turn
from handstamp.vault.vault import Vault, export_key, key_record
from handstamp.vault.workflows import Waiting, new_id

__all__ = [
    "JSON",
    "LEASE_LIFE",
    "ArchivedSession",
    "Attempts",
    "Cleanup",
    "Ended",
    "Event",
    "Holder",
    "KeyRecord",
    "Lease",
    "LeaseInfo",
    "Listed",
    "MasterKey",
    "OpenChallenge",
    "PartChange",
    "Question",
    "SaveResult",
    "Served",
    "ServedSession",
    "Standing",
    "Token",
    "Turn",
    "Vault",
    "Version",
    "Waiting",
    "awaited",
    "export_key",
    "key_record",
    "new_id",
    "new_token",
]
