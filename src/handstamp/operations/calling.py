"""An operation as one Python call: opens the session, does it, saves and closes. The command line is a face of this."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from handstamp.async_api import signed_in
from handstamp.errors import SessionNotFound
from handstamp.home import home
from handstamp.operations import fields
from handstamp.operations.files import Files
from handstamp.operations.find import find_operation
from handstamp.operations.performing import perform
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handstamp.operations.outcome import Outcome


async def call(
    site: str,
    operation: str,
    *,
    profile: str = "default",
    given: Mapping[str, Any] | None = None,
    workflow_id: str | None = None,
    files: Files | None = None,
    evidence: bool = False,
    vault: Vault | str | None = None,
    headless: bool = True,
    username: str | None = None,
    password: str | None = None,
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """What an operation of a site came to, done in the session of a profile, which is opened for it (and logged in, if need be).

        outcome = await call("portside", "get_containers", given={"infinite_scrolling": True})
        print(outcome.result, outcome.bundle)

    Args:
        site: name of a known site, or a URL.
        operation: its name, see `find_operations`.
        profile: the jar of state.
        given: fields of the operation by name.
        workflow_id: goes on with a workflow that waits; its page is gone by now, so its earlier phases are done again.
        files: keeps what the operation makes; by default the folder ``files`` in the home directory.
        evidence: leave a debug bundle also when nothing fails.
        vault: a `Vault` or its URL; by default that of the settings.
        headless: False opens a window.
        username: see `signed_in`.
        password: see `signed_in`.
        tell: gets the operation's sentences about how far it is.

    Raises:
        ConfigError: the site has no such operation; names what comes near.
        OperationError: see `perform`.
        LoginError, LeaseHeld, BrowserError: see `signed_in`.
    """
    there, wanted = await asyncio.to_thread(find_operation, site, operation, home=home())
    known = fields.plain(wanted, given or {})
    if not (wanted.is_workflow or workflow_id):
        fields.model_of(wanted, known)  # what cannot be done needs no browser
    opened = vault if isinstance(vault, Vault) else Vault(vault)
    try:
        async with signed_in(site, profile=profile, username=username, password=password, headless=headless, vault=opened) as context:
            session = await asyncio.to_thread(opened.session, profile, there.name)
            if session is None:
                raise SessionNotFound(f"no session of {there.name} is kept in profile '{profile}'; `handstamp login {there.name}` begins one")
            kept = files or Files(home() / "files")
            return await perform(
                wanted, there, session, context, known, vault=opened, files=kept, pages={}, workflow_id=workflow_id, evidence=evidence, tell=tell
            )
    finally:
        if opened is not vault:
            await asyncio.to_thread(opened.close)
