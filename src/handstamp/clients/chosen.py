"""`Client` and `AsyncClient` on the library that is there: httpx2, else httpx."""

try:
    from handstamp.clients.modern import AsyncClient, Client
except ModuleNotFoundError as error:
    if error.name != "httpx2":
        raise
    from handstamp.httpx_client import AsyncClient, Client  # type: ignore[assignment]  # the same face on the other library

__all__ = ["AsyncClient", "Client"]
