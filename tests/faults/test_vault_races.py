"""Transactions that meet others, or the end of their connection, at the worst moment."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from handstamp.vault import Vault, retry, sessions
from handstamp.vault.parts import listed_profile
from handstamp.vault.postgres import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _postgres import Server

    from handstamp.vault.store import Transaction


@pytest.fixture
def url(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database on PostgreSQL, where others write between two statements of a transaction."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    database = postgres.new_database()
    yield postgres.url(database)
    postgres.drop(database)


def end_connections(url: str) -> None:
    """End all of handstamp's connections to this database, as an administrator may; returns when they are gone."""
    ours = "FROM pg_stat_activity WHERE application_name = 'handstamp' AND datname = current_database()"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) {ours}")


@pytest.mark.parametrize("committed_before", [False, True])
def test_a_connection_that_ends_just_before_the_commit_is_no_commit(url: str, tmp_path: Path, *, committed_before: bool) -> None:
    with Vault(url, home=tmp_path / "home") as vault:
        if committed_before:
            vault.record_event("before")
        attempts = []

        def work(transaction: Transaction) -> None:
            transaction.rows("profile_names")
            transaction.later(("add_event", {"now": 1, "kind": "late", "profile": None, "site": None, "data": "{}"}))
            attempts.append(1)
            if len(attempts) == 1:
                end_connections(url)

        retry.write(vault._store(), work)
        assert len(attempts) == 2
        assert len(vault.events(kind="late")) == 1


def test_a_session_that_is_used_while_others_are_archived_stays(url: str, tmp_path: Path) -> None:
    with Vault(url, home=tmp_path / "home") as vault, Vault(url, home=tmp_path / "home") as cleaner:
        long_ago = datetime.now(UTC) - timedelta(days=100)
        for profile in ("idle", "used"):
            vault.update_session(profile, "portside", lambda session: replace(session, last_used=long_ago))
        cleaning = threading.Thread(target=lambda: cleaner.cleanup(inactive=timedelta(days=30)))
        seals = vault._unlock().seals
        with vault._store().write() as transaction:
            sessions.update(transaction, seals, listed_profile(transaction, "used"), "portside", lambda session: replace(session, last_used=datetime.now(UTC)))
            cleaning.start()
            cleaning.join(2)
        cleaning.join()
        assert [session.profile for session in vault.sessions()] == ["used"]
        assert [session.profile for session in vault.archived_sessions()] == ["idle"]


def test_who_waited_for_another_to_migrate_sees_that_it_is_done_whatever_the_servers_isolation(url: str, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def opening() -> None:
        try:
            Vault(url, home=tmp_path / "home").profiles()
        except BaseException as error:  # noqa: BLE001  (the test tells)
            failures.append(error)

    with psycopg.connect(url, autocommit=True) as gate:
        gate.execute(f"ALTER DATABASE {gate.info.dbname} SET default_transaction_isolation = 'repeatable read'")
        gate.execute("SELECT pg_advisory_lock(%s)", [schema._LOCK])
        threads = [threading.Thread(target=opening) for _ in range(2)]
        for thread in threads:
            thread.start()
        while gate.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone() != (2,):
            pass
        gate.execute("SELECT pg_advisory_unlock(%s)", [schema._LOCK])
        for thread in threads:
            thread.join()
    assert failures == []
