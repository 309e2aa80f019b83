"""`call` for programs without an event loop; the same as the async one in all else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError
from handstamp.operations import calling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handstamp.operations.files import Files
    from handstamp.operations.outcome import Outcome
    from handstamp.vault import Vault

__all__ = ["call"]


def call(  # noqa: D103  (its docstring is that of the async twin, see below)
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
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(
            calling.call(
                site,
                operation,
                profile=profile,
                given=given,
                workflow_id=workflow_id,
                files=files,
                evidence=evidence,
                vault=vault,
                headless=headless,
                username=username,
                password=password,
                tell=tell,
            )
        )
    message = "an event loop runs in this thread (Jupyter, asyncio, or a sync_playwright() of your own); use `await handstamp.operations.call(…)` in it"
    raise ConfigError(message)


call.__doc__ = calling.call.__doc__
