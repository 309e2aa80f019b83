"""Numbers for Prometheus, in a registry of their own. Names of operations and paths, never of users or sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from handstamp._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric

    from handstamp.pool import PoolFacts

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_GAUGES = {
    "live": "Sessions that have a browser window.",
    "in_use": "Sessions that a call is using.",
    "waiting": "Calls that wait for a browser window.",
    "max_sessions": "Sessions that may have a window at a time.",
    "memory_mb": "What the browsers took when it was last measured.",
}
_COUNTERS = {
    "opened": "Windows that were opened.",
    "revived": "Sessions that came back without a login.",
    "evicted": "Idle sessions that made room for others.",
    "handed_over": "Sessions that another server asked for.",
    "crashes": "Windows that ended by themselves.",
    "logins": "Logins that were made.",
    "brought_back": "Sessions that keep-alive brought back.",
    "operations": "Operations that were begun.",
    "repeated": "Operations that were done again after a browser had ended.",
    "refused": "Calls for which no window came free in time.",
}


class Metrics:
    """The server's numbers.

    Args:
        pool: its facts, when they are asked for.
    """

    def __init__(self, pool: Callable[[], PoolFacts]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("handstamp_requests", "Requests that were answered.", ("method", "path", "status"), registry=self._registry)
        self._seconds = Histogram("handstamp_request_seconds", "Time until the answer was sent.", ("path",), buckets=_SECONDS, registry=self._registry)
        self._operations = Counter("handstamp_operations", "Operations that came to an end.", ("site", "operation", "outcome"), registry=self._registry)
        self._registry.register(_PoolNumbers(pool))

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: of it.
            path: the template of its path.
            status: of the answer.
            seconds: that it took.
        """
        self._requests.labels(method if method in _METHODS else "other", path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def operation(self, site: str, name: str, outcome: str) -> None:
        """Count an operation by what it came to: ``done``, or an error's code."""
        self._operations.labels(site, name, outcome).inc()

    def text(self) -> bytes:
        """All, as Prometheus reads them."""
        return generate_latest(self._registry)


class _PoolNumbers(Collector):
    def __init__(self, pool: Callable[[], PoolFacts]) -> None:
        self._pool = pool

    def collect(self) -> Iterable[Metric]:
        facts = self._pool()
        yield _info()
        for name, about in _GAUGES.items():
            yield GaugeMetricFamily(f"handstamp_pool_{name}", about, value=getattr(facts, name))
        for name, about in _COUNTERS.items():
            yield CounterMetricFamily(f"handstamp_pool_{name}", about, value=getattr(facts.counters, name))


def _info() -> Metric:
    info = GaugeMetricFamily("handstamp_info", "Which handstamp this is.", labels=("version",))
    info.add_metric((__version__,), 1)
    return info
