"""The server: sessions and operations over HTTP, from a pool of live browsers. `handstamp serve` runs it.

A face: it says who may call, reads a request, calls the pool, and writes the answer.
"""

from handstamp.server.settings import ServerSettings, server_settings

__all__ = ["ServerSettings", "server_settings"]
