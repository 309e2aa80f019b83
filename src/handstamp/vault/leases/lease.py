"""A lease that is held: its token, its heart beating in a thread, and letting go."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING, Self

from handstamp.errors import LeaseLost, VaultError
from handstamp.vault import retry
from handstamp.vault.leases import rows
from handstamp.vault.leases.machine import Ask, Do, decide, standing

if TYPE_CHECKING:
    from types import TracebackType

    from handstamp.vault.leases.holder import Holder
    from handstamp.vault.leases.rows import Place
    from handstamp.vault.store import Store, Transaction

_log = logging.getLogger(__name__)


class Lease:
    """The right to write a profile, or to log in to a site, held by this process until released.

    A context manager: leaving it releases. It is released at a normal end of the process, too; a process that is killed
    is found dead. A forked child does not have it. Safe across threads.

    Attributes:
        place: what it is for.
        token: the fencing token: greater than that of every earlier holder.
        holder: this process.
        life: seconds that a sign of life counts where this process cannot be looked at; one is given each third of it.
    """

    def __init__(self, store: Store, place: Place, *, token: int, holder: Holder, life: float) -> None:
        self.place = place
        self.token = token
        self.holder = holder
        self.life = life
        self._store = store
        self._pid = os.getpid()
        self._lost: str | None = None
        self._release = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"handstamp-lease-{token}", daemon=True)
        self._heart.start()
        atexit.register(self.release)

    def __repr__(self) -> str:
        return f"Lease({self.place}, token={self.token}, lost={self.lost!r})"

    @property
    def profile(self) -> str:
        """The profile that it is for."""
        return self.place.profile

    @property
    def lost(self) -> str | None:
        """Why we have it no longer, as far as we know yet; None while we have it."""
        return "this process was forked from the one that holds it" if os.getpid() != self._pid else self._lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Let go; more often than once does nothing. If the vault cannot be reached now, it is tried again behind."""
        if self._release.is_set() or os.getpid() != self._pid:
            return
        self._release.set()
        atexit.unregister(self.release)
        self._let_go()

    def check(self, transaction: Transaction) -> None:
        """See, within a transaction that writes, that we still have it.

        Raises:
            LeaseLost: we do not.
        """
        if (reason := self.lost) is None and self._lost_now(transaction, Ask.WRITE):
            reason = self._lost
        if reason is None and self._release.is_set():
            reason = "it was released"
        if reason is not None:
            message = f"the lease of {self.place} is lost: {reason}. Nothing was written; open it again"
            raise LeaseLost(message, reason=reason)

    def _lost_now(self, transaction: Transaction, ask: Ask) -> bool:
        row = rows.read(transaction, self.place)
        stands = standing(row, now=transaction.now(), me=self.holder, alive=lambda _: True, token=self.token)
        if decide(stands, ask) is not Do.LOST:
            return False
        self._lost = "it was broken or released" if row.holder is None else f"{row.holder} took it over"
        return True

    def _beat(self) -> None:
        while self._lost is None and not self._release.wait(self.life / 3):
            with contextlib.suppress(VaultError):  # it may be back at the next beat; who may have taken over is seen then
                retry.write(self._store, self._renew, patience=self.life / 3)
        if self._lost is not None and not self._release.is_set():
            _log.warning("the lease of %s is lost: %s", self.place, self._lost)

    def _renew(self, transaction: Transaction) -> None:
        if not self._lost_now(transaction, Ask.BEAT):
            rows.beat(transaction, self.place, self.token)

    def _free(self, transaction: Transaction) -> None:
        rows.free(transaction, self.place, self.token)

    def _let_go(self) -> None:
        try:
            retry.write(self._store, self._free, patience=0)
        except VaultError as error:
            _log.warning("the lease of %s could not be released yet: %s", self.place, error)
            if threading.current_thread() is not self._heart:
                self._heart = threading.Thread(target=self._let_go_behind, name=f"handstamp-release-{self.token}", daemon=True)
                self._heart.start()

    def _let_go_behind(self) -> None:
        pause = threading.Event()
        while not pause.wait(self.life / 3):
            with contextlib.suppress(VaultError):
                retry.write(self._store, self._free)
                return
