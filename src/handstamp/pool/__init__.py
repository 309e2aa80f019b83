"""Live sessions: at most so many at once, each used by one caller at a time, the others hibernated and back on their next use."""

from handstamp.pool.live import LiveSession
from handstamp.pool.pool import Pool
from handstamp.pool.settings import PoolSettings
from handstamp.pool.values import Admission, Counters, Listed, PoolFacts

__all__ = ["Admission", "Counters", "Listed", "LiveSession", "Pool", "PoolFacts", "PoolSettings"]
