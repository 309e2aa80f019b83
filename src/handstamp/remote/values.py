"""What a server's answers say, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handstamp.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from os import PathLike
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that is open at the server.

    Args:
        session_id: names it in later calls.
        is_new: it was opened by this call; False when it was there already for the same credentials.
        username: whose.
        created_at: when it was opened first.
        message: about it, for people.
    """

    session_id: str
    is_new: bool
    username: str
    created_at: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class ServedSession:
    """How a session of the server stands.

    Args:
        session_id: names it in calls.
        username: whose.
        site: where.
        keep_alive: the server looks after it; otherwise it is closed when it was not used for a while.
        created_at: when it was opened first.
        last_used: by a call.
        age_seconds: since it was opened first.
        last_refresh: when it was seen or made to be good.
        health: ``valid``, ``expired``, ``challenged``, ``blocked`` or ``unknown``.
        state: ``live`` or ``hibernated``.
        in_use: a call uses it now.
    """

    session_id: str
    username: str
    site: str
    keep_alive: bool
    created_at: datetime | None
    last_used: datetime | None
    age_seconds: float
    last_refresh: datetime | None
    health: str
    state: str
    in_use: bool


class _Answered(Mapping[str, Any]):
    """What an operation gave, by name, and the facts around it as attributes. Its `repr` shows names, no values."""

    def __init__(self, operation: str, document: Mapping[str, Any]) -> None:
        self.operation = operation
        self._document = {name: value for name, value in document.items() if name != "success"}

    def __getitem__(self, name: str) -> Any:
        return self._document[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.operation}: {', '.join(self._document)}>"

    @property
    def session_id(self) -> str:
        """Of the session that it ran in."""
        return _text(self._document.get("session_id"))

    @property
    def is_new_session(self) -> bool:
        """Whether that session was opened for it."""
        return self._document.get("is_new_session") is True

    @property
    def appointment_session_id(self) -> str:
        """Of the workflow; empty when it was none."""
        return _text(self._document.get("appointment_session_id"))

    @property
    def debug_bundle_url(self) -> str:
        """Of the evidence that it left, for `download`; empty when there is none."""
        return _text(self._document.get("debug_bundle_url"))

    def _place(self, url_or_name: str) -> str:
        value = self._document.get(url_or_name, url_or_name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"'{url_or_name}' of {self.operation} names no file")
        return value


class Result(_Answered):
    """What an operation gave: a mapping of its fields, with the facts around it as attributes. Its `repr` shows names, no values."""

    def __init__(self, operation: str, document: Mapping[str, Any], download: Callable[[str, str | PathLike[str]], Path]) -> None:
        super().__init__(operation, document)
        self._download = download

    def download(self, url_or_name: str, path: str | PathLike[str]) -> Path:
        """Fetch a file of this result; where it is now. See `Remote.download`.

        Args:
            url_or_name: of the file, or the field that says it: ``"file_url"``.
            path: of the file to write.
        """
        return self._download(self._place(url_or_name), path)


class AsyncResult(_Answered):
    """What an operation gave: a mapping of its fields, with the facts around it as attributes. Its `repr` shows names, no values."""

    def __init__(self, operation: str, document: Mapping[str, Any], download: Callable[[str, str | PathLike[str]], Awaitable[Path]]) -> None:
        super().__init__(operation, document)
        self._download = download

    async def download(self, url_or_name: str, path: str | PathLike[str]) -> Path:
        """Fetch a file of this result; where it is now. See `Remote.download`.

        Args:
            url_or_name: of the file, or the field that says it: ``"file_url"``.
            path: of the file to write.
        """
        return await self._download(self._place(url_or_name), path)


def opened(document: Mapping[str, Any]) -> OpenedSession:
    """The answer to `get_session`.

    Raises:
        ServerError: it does not say which session.
    """
    if not (session_id := _text(document.get("session_id"))):
        raise ServerError("the server answered without a session_id; it is none that this client knows how to talk to")
    return OpenedSession(
        session_id=session_id,
        is_new=document.get("is_new") is True,
        username=_text(document.get("username")),
        created_at=maybe_instant(document.get("created_at")),
        message=_text(document.get("message")),
    )


def served(document: Mapping[str, Any]) -> list[ServedSession]:
    """The answer to `sessions`."""
    items = document.get("active_sessions")
    return [_served(item) for item in (items if isinstance(items, list) else []) if isinstance(item, dict)]


def _served(item: Mapping[str, Any]) -> ServedSession:
    age = item.get("age_seconds")
    return ServedSession(
        session_id=_text(item.get("session_id")),
        username=_text(item.get("username")),
        site=_text(item.get("site")),
        keep_alive=item.get("keep_alive") is True,
        created_at=maybe_instant(item.get("created_at")),
        last_used=maybe_instant(item.get("last_used")),
        age_seconds=float(age) if isinstance(age, int | float) else 0.0,
        last_refresh=maybe_instant(item.get("last_refresh")),
        health=_text(item.get("health")),
        state=_text(item.get("state")),
        in_use=item.get("in_use") is True,
    )


def maybe_instant(value: object) -> datetime | None:
    """An ISO time with its zone; None for all else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
