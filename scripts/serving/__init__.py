"""A server in a process of its own, as scripts, benchmarks and tests start one: with the stand-in sites, and ended by its pid."""

from serving.process import ServerProcess
from serving.remains import remains

__all__ = ["ServerProcess", "remains"]
