"""Which database serves a vault URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from handstamp.vault.store import Store


def open_store(url: str | None, home: Path) -> Store:
    """The adapter for a URL; raises `ConfigError` for one that no adapter serves."""
    from handstamp.vault.sqlite import SqliteStore  # noqa: PLC0415  (a vault needs one adapter)

    if url is None:
        return SqliteStore(home / "vault.db")
    scheme, _, rest = url.partition("://")
    if scheme in {"postgresql", "postgres"}:
        return _postgres(url)
    path = rest.removeprefix("/")
    if scheme != "sqlite" or not rest.startswith("/") or not path or path.startswith(":"):
        shown = f"{scheme}://…" if "://" in url else repr(url)
        raise ConfigError(f"{shown} is not a vault URL; use postgresql://…, or sqlite:///PATH, with a fourth slash when PATH is absolute")
    return SqliteStore(Path.cwd() / Path(path).expanduser())


def _postgres(url: str) -> Store:
    try:
        from handstamp.vault.postgres import PostgresStore  # noqa: PLC0415  (who keeps a file does without psycopg)
    except ImportError:
        raise ConfigError("a vault on PostgreSQL needs psycopg; install it with `pip install 'handstamp[postgres]'`") from None
    return PostgresStore(url)
