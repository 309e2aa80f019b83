"""What servers know of sessions by their ids, in the vault. Blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import SessionNotFound

if TYPE_CHECKING:
    from handstamp.state import Session
    from handstamp.vault import Served, Vault

UNKNOWN_ID = "Invalid or expired session_id"


def take_on(vault: Vault, session_id: str, *, keep_alive: bool | None) -> Served:
    """Take a session on, also one that has ended for servers.

    Args:
        vault: where it is.
        session_id: of it.
        keep_alive: see `Served`; None leaves it as it is, for a new session True.
    """
    if keep_alive is None:
        before = vault.served(session_id)
        keep_alive = before.keep_alive if before else True
    return vault.serve(session_id, keep_alive=keep_alive)


def usable(vault: Vault, session_id: str) -> Session:
    """The facts of a session that may be used; one that no server knew is taken on.

    Raises:
        SessionNotFound: there is none of this id, or it has ended for servers.
    """
    served = vault.served(session_id)
    if served is not None and served.ended_at is not None:
        raise SessionNotFound(UNKNOWN_ID)
    session = there(vault, session_id)
    if served is None:
        vault.serve(session_id, keep_alive=True)
    return session


def there(vault: Vault, session_id: str) -> Session:
    """The facts of a session, whether or not it has ended for servers.

    Raises:
        SessionNotFound: there is none of this id.
    """
    try:
        return vault.session_by_id(session_id)
    except SessionNotFound:
        raise SessionNotFound(UNKNOWN_ID) from None
