"""A browser session that has a name: whatever happens in it is saved by itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from handstamp.browser.playwright_errors import playwright_error
from handstamp.keeper.keeper import device_of
from handstamp.managers.aside import Aside
from handstamp.managers.persistent import noted

if TYPE_CHECKING:
    from handstamp.browser import EagerContext
    from handstamp.managers.persistent import PersistentSession
    from handstamp.managers.recorder import BrowserSession
    from handstamp.managers.records import Records
    from handstamp.state import Device


class Keeping:
    """Saves one browser session: its record under its names, and the state of its context in its profile.

    Belongs to the thread, or event loop, that the context belongs to.

    Args:
        session: it tells of what happens.
        context: its context, looked at.
        records: where its record goes.
        device: what sites saw when it was last used.
        waits: whether the context is of Playwright's async API.

    Attributes:
        names: the caller's names of the session.
    """

    def __init__(self, session: BrowserSession, context: EagerContext, records: Records, device: Device, *, waits: bool) -> None:
        self.names: set[str] = set()
        self._profile_name = session.profile_name
        self._epoch = context.mirror.state().epoch
        self._session = session
        self._context = context
        self._records = records
        self._device = device
        self._device_is_seen = False
        self._waits = waits
        self._looking = self._again = False
        self._aside = Aside(session.context)

    def serves(self, records: Records, epoch: int) -> bool:
        """Whether what happens is saved there, in the profile that the session has now, of which nothing was forgotten since."""
        return self._records is records and self._context.failed is None and (self._profile_name, self._epoch) == (self._session.profile_name, epoch)

    @property
    def knows_device(self) -> bool:
        """Whether sites' view of it was seen in this context; before, it is that of the record."""
        return self._device_is_seen

    @property
    def is_saved(self) -> bool:
        """Whether all that was seen in the context is in the vault."""
        return self._context.failed is None and not self._context.mirror.dirty

    def note(self) -> None:
        """Something happened: the record is saved soon."""
        for name in self.names:
            self._records.save_soon(noted(name, self._session, self._device))

    def look_soon(self) -> None:
        """Something may have changed in the context: it is looked at, and what has changed is saved. What comes meanwhile is seen together."""
        if self._looking:
            self._again = True
            return
        self._looking = True
        self._aside.run(self._look_again())

    def context_closed(self) -> None:
        """Nothing more will happen: the record is saved now."""
        if self._waits:
            asyncio.get_running_loop().run_in_executor(None, self._records.write_behind)
        else:
            self._records.write_behind()

    async def _look_again(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                await self._context.look()
                if not self._device_is_seen:
                    await self._see_device()
                    self.note()
        finally:
            self._looking = False

    async def look(self) -> None:
        """Look at all that the context holds, and save it."""
        await self._context.look(last=True)

    async def named(self, session_id: str) -> PersistentSession:
        """The session's record as it is now, under a name by which it is saved from now on."""
        self.names.add(session_id)
        await self._see_device()
        return noted(session_id, self._session, self._device)

    async def _see_device(self) -> None:
        if self._session.context.pages:
            with contextlib.suppress(playwright_error()):  # the page goes elsewhere, or away, meanwhile
                self._device = await device_of(self._session.context.pages[-1])
                self._device_is_seen = True

    async def end(self) -> None:
        """Save what is left to save, and let go of the context."""
        self.names.clear()
        await self._context.finish()
