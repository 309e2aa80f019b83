"""The vault on PostgreSQL 13 or later, for many machines; `psycopg` is imported when such a vault is opened."""

from handstamp.vault.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
