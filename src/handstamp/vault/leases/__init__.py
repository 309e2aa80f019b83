"""Leases: the right to write a profile, or to log it in at a site, for a while. `machine` says who may; the rest does it."""

from handstamp.vault.leases.awaited import awaited
from handstamp.vault.leases.holder import Holder
from handstamp.vault.leases.lease import Lease
from handstamp.vault.leases.machine import Purpose, Standing
from handstamp.vault.leases.rows import LeaseInfo, Place

__all__ = ["Holder", "Lease", "LeaseInfo", "Place", "Purpose", "Standing", "awaited"]
