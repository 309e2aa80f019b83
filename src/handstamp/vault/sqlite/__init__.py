"""The vault's SQLite adapter: one file, no set-up, many threads and processes of one machine."""

from handstamp.vault.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
