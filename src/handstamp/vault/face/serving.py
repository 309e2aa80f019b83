"""Calls for servers: the sessions they have, operations that wait for input, who may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import ConfigError
from handstamp.vault import events, names, served, tokens, workflows
from handstamp.vault.face.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.vault.served import Served, ServedSession
    from handstamp.vault.store import Transaction
    from handstamp.vault.tokens import Token
    from handstamp.vault.workflows import Waiting


class ServingCalls(Access):
    """Served sessions, waiting workflows, tokens."""

    def serve(self, session_id: str, *, keep_alive: bool) -> Served:
        """A session is asked for: its id is taken from now on, also when it had ended.

        Args:
            session_id: of a session that is kept.
            keep_alive: see `Served`.
        """
        return self._write(lambda transaction: served.serve(transaction, session_id, keep_alive=keep_alive))

    def served(self, session_id: str) -> Served | None:
        """What servers know of a session; None when none was asked for it."""
        return self._read(lambda transaction: served.find(transaction, session_id))

    def served_sessions(self) -> list[ServedSession]:
        """The sessions whose ids servers take, the oldest first."""
        return self._read(served.listed)

    def count_served(self) -> int:
        """How many they are."""
        return int(self._read(lambda transaction: transaction.rows("count_served"))[0][0])

    def not_kept_alive(self) -> set[str]:
        """Ids of the sessions that their users do not want kept alive, or have ended."""
        return {str(session_id) for (session_id,) in self._read(lambda transaction: transaction.rows("not_kept_alive"))}

    def note_served(self, session_ids: Iterable[str]) -> None:
        """These were asked for now."""
        every = list(session_ids)

        def noting(transaction: Transaction) -> None:
            now = transaction.now()
            for session_id in every:
                transaction.run("note_served", session_id=session_id, now=now)

        self._write(noting)

    def end_served(self, session_id: str) -> bool:
        """Its id is not taken any more, until it is served again; False when it was not taken."""
        return self._write(lambda transaction: bool(transaction.run("end_served", session_id=session_id, now=transaction.now())))

    def end_idle_served(self, *, seconds: float) -> list[str]:
        """End the sessions without keep-alive that nobody asked for in so many seconds; their ids."""
        return self._write(lambda transaction: served.end_idle(transaction, seconds=seconds))

    def put_workflow(self, waiting: Waiting, *, seconds: float) -> bool:
        """Keep a workflow that waits, for so many seconds from now.

        Args:
            waiting: with a revision one above the kept one's, 1 for a new one; its `ends_at` does not count.
            seconds: until it ends.

        Returns:
            False when somebody else has gone on with it meanwhile; nothing is kept then.
        """
        return self._write_sealed(lambda transaction, unlocked: workflows.put(transaction, unlocked.seals, waiting, seconds=seconds))

    def workflow(self, workflow_id: str) -> Waiting | None:
        """A workflow, also one whose time is over; None when there is none of this id.

        Raises:
            SealBroken: what was given does not open.
        """
        return self._read_sealed(lambda transaction, unlocked: workflows.find(transaction, unlocked.seals, workflow_id))

    def end_workflow(self, workflow_id: str) -> bool:
        """It is done; whether there was one."""
        return bool(self._write(lambda transaction: transaction.run("delete_workflow", workflow_id=workflow_id)))

    def add_token(self, name: str, scopes: Iterable[str], *, seconds: float | None = None, token: str | None = None) -> str:
        """A new token, which is shown this once.

        Args:
            name: for people, and to revoke it by.
            scopes: what it may do.
            seconds: how long it works; None for ever.
            token: one that was made elsewhere (`handstamp.vault.tokens.new_token`).

        Raises:
            ConfigError: another has this name.
        """
        names.account_name(name)
        made, wanted = token or tokens.new_token(), frozenset(scopes)

        def adding(transaction: Transaction) -> None:
            if not tokens.add(transaction, made, name, wanted, seconds=seconds):
                raise ConfigError(f"there is a token '{name}' already; revoke it first, or take another name")
            events.record(transaction, "token-added", data={"name": name, "scopes": " ".join(sorted(wanted))})

        self._write(adding)
        return made

    def token(self, token: str) -> Token | None:
        """What a token is; None when it does not work, or not any more."""
        return self._read(lambda transaction: tokens.find(transaction, token))

    def tokens(self) -> list[Token]:
        """All tokens, by name; without what only their holders know."""
        return self._read(tokens.listed)

    def revoke_token(self, name: str) -> bool:
        """A token stops working; whether there was one of this name."""

        def revoking(transaction: Transaction) -> bool:
            gone = bool(transaction.run("delete_token", name=name))
            if gone:
                events.record(transaction, "token-revoked", data={"name": name})
            return gone

        return self._write(revoking)
