"""Plain HTTP: one request with a session's cookies, as its browser would send it, and what the answer changes.

`httpx2` is loaded with the first request, not with this package.
"""

from handstamp.http.observation import Failure, Observation
from handstamp.http.probe import MAX_BODY, Probed, probe
from handstamp.http.transports import Transports

__all__ = ["MAX_BODY", "Failure", "Observation", "Probed", "Transports", "probe"]
