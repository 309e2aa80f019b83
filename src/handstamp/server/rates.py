"""How often somebody may: a bucket of tokens for each, which fills again with time. Values and no clock.

What is spent is counted for at most so many callers; the one that was quiet longest is forgotten first. Somebody who calls from
very many addresses can thus have more than one address may, and no more memory than all.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """Counts for many callers.

    Args:
        per_minute: how many calls each may make in a minute; as many at once after a quiet one.
        most: callers that are remembered.
    """

    def __init__(self, per_minute: int, *, most: int = 10_000) -> None:
        self._full = float(per_minute)
        self._per_second = per_minute / 60.0
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, who: str, now: float) -> float:
        """Count one call.

        Args:
            who: calls.
            now: seconds of a clock that only goes forward.

        Returns:
            0 when it is allowed, else the seconds until it will be.
        """
        bucket = self._filled(who, now)
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return 0.0
        return (1.0 - bucket.left) / self._per_second

    def _filled(self, who: str, now: float) -> _Bucket:
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = _Bucket(self._full, now)
            while len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(who)
        bucket.left = min(self._full, bucket.left + max(0.0, now - bucket.at) * self._per_second)
        bucket.at = now
        return bucket
