"""What servers keep in a vault: the sessions that they have, workflows that wait, who may call."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError
from handstamp.vault import MasterKey, Waiting, new_id

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.state import Session
    from handstamp.vault import Vault

    from .conftest import OpenVault


def made(vault: Vault, profile: str = "work") -> Session:
    return vault.update_session(profile, "portside", lambda session: replace(session, username=profile))


def waiting(session: Session, *, phase: int = 1, revision: int = 1, workflow_id: str = "") -> Waiting:
    given = {"container_id": "canary-container", "own_chassis": True}
    return Waiting(workflow_id or new_id(), session.session_id, "check_appointments", phase, given, datetime.now(UTC), revision=revision)


def test_a_served_session_is_known_to_every_program_on_the_vault(open_vault: OpenVault) -> None:
    session = made(open_vault())
    open_vault().serve(session.session_id, keep_alive=True)
    found = open_vault().served(session.session_id)
    assert found is not None
    assert (found.keep_alive, found.ended_at) == (True, None)
    assert [(one.profile, one.site, one.username) for one in open_vault().served_sessions()] == [("work", "portside", "work")]


def test_an_ended_session_is_not_listed_until_it_is_served_again(vault: Vault) -> None:
    session = made(vault)
    first = vault.serve(session.session_id, keep_alive=False)
    assert vault.end_served(session.session_id)
    assert not vault.end_served(session.session_id)
    assert vault.served_sessions() == []
    assert vault.not_kept_alive() == {session.session_id}
    again = vault.serve(session.session_id, keep_alive=True)
    assert again.ended_at is None
    assert again.served_at >= first.served_at
    assert vault.count_served() == 1
    assert vault.not_kept_alive() == set()


def test_only_idle_sessions_without_keep_alive_end(vault: Vault) -> None:
    kept, idle, busy = made(vault, "kept"), made(vault, "idle"), made(vault, "busy")
    vault.serve(kept.session_id, keep_alive=True)
    vault.serve(idle.session_id, keep_alive=False)
    vault.serve(busy.session_id, keep_alive=False)
    time.sleep(0.05)
    vault.note_served([busy.session_id])
    assert vault.end_idle_served(seconds=0.04) == [idle.session_id]
    assert {one.profile for one in vault.served_sessions()} == {"kept", "busy"}


def test_a_forgotten_session_is_no_server_s(vault: Vault) -> None:
    session = made(vault)
    vault.serve(session.session_id, keep_alive=True)
    vault.put_workflow(held := waiting(session), seconds=60)
    vault.forget_session("work", "portside")
    assert vault.served(session.session_id) is None
    assert vault.workflow(held.workflow_id) is None


def test_a_workflow_waits_with_what_was_given(open_vault: OpenVault) -> None:
    session = made(open_vault())
    kept = waiting(session)
    assert open_vault().put_workflow(kept, seconds=60)
    found = open_vault().workflow(kept.workflow_id)
    assert found is not None
    assert (found.session_id, found.operation, found.phase, found.given, found.ended) == (session.session_id, "check_appointments", 1, kept.given, False)
    assert open_vault().end_workflow(kept.workflow_id)
    assert open_vault().workflow(kept.workflow_id) is None


def test_of_two_who_go_on_with_a_workflow_one_does(vault: Vault) -> None:
    kept = waiting(made(vault))
    vault.put_workflow(kept, seconds=60)
    assert vault.put_workflow(replace(kept, phase=2, revision=2), seconds=60)
    assert not vault.put_workflow(replace(kept, phase=1, revision=2), seconds=60)
    found = vault.workflow(kept.workflow_id)
    assert found is not None
    assert (found.phase, found.revision) == (2, 2)


def test_a_workflow_ends_by_the_database_s_clock(vault: Vault) -> None:
    kept = waiting(made(vault))
    vault.put_workflow(kept, seconds=0.02)
    time.sleep(0.05)
    found = vault.workflow(kept.workflow_id)
    assert found is not None
    assert found.ended


def test_a_workflow_opens_after_the_key_was_rotated(open_vault: OpenVault) -> None:
    vault = open_vault()
    kept = waiting(made(vault))
    vault.put_workflow(kept, seconds=60)
    vault.rotate_key()
    found = open_vault().workflow(kept.workflow_id)
    assert found is not None
    assert found.given == kept.given


def test_a_token_works_until_it_is_revoked(open_vault: OpenVault) -> None:
    token = open_vault().add_token("ci", {"use", "read"})
    found = open_vault().token(token)
    assert found is not None
    assert (found.name, found.scopes) == ("ci", frozenset({"use", "read"}))
    assert open_vault().token(token + "x") is None
    assert open_vault().revoke_token("ci")
    assert not open_vault().revoke_token("ci")
    assert open_vault().token(token) is None


def test_a_token_ends_with_its_time(vault: Vault) -> None:
    token = vault.add_token("short", {"files"}, seconds=0.02)
    time.sleep(0.05)
    assert vault.token(token) is None


def test_two_tokens_do_not_share_a_name(vault: Vault) -> None:
    token = vault.add_token("ci", {"use"})
    with pytest.raises(ConfigError, match="'ci'"):
        vault.add_token("ci", {"admin"})
    found = vault.token(token)
    assert found is not None
    assert found.scopes == {"use"}


def test_a_backup_brings_back_served_sessions_and_tokens(vault: Vault, tmp_path: Path) -> None:
    session = made(vault)
    vault.serve(session.session_id, keep_alive=False)
    token = vault.add_token("ci", {"use"})
    vault.backup(tmp_path / "all.backup")
    vault.end_served(session.session_id)
    vault.revoke_token("ci")
    vault.restore(tmp_path / "all.backup", replace=True)
    assert vault.token(token) is not None
    assert [one.served.session_id for one in vault.served_sessions()] == [session.session_id]


def test_neither_tokens_nor_what_was_given_lie_open_in_the_file(tmp_path: Path) -> None:
    from handstamp.vault import Vault

    with Vault(f"sqlite:///{tmp_path}/vault.db", home=tmp_path / "home", key=MasterKey.generate()) as vault:
        token = vault.add_token("ci", {"use"})
        vault.put_workflow(waiting(made(vault)), seconds=60)
    data = b"".join(path.read_bytes() for path in tmp_path.glob("vault.db*"))
    assert token.encode() not in data
    assert b"canary-container" not in data
