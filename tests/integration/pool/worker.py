"""A pool in a process of its own, for tests of several on one vault.

Orders, a JSON line each: {"do": "admit", "username": …, "password": …} and {"do": "whoami", "session_id": …} and {"do": "pids"}.
Answers: {"session_id", "is_new"}, {"username"}, {"pids"}, or {"error": code, "text": …}.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from handstamp._signed_in import engine
from handstamp.errors import HandstampError
from handstamp.home import home
from handstamp.operations import Files
from handstamp.pool import Pool, PoolSettings
from handstamp.vault import Vault

WHO = "() => fetch('/api/account', {headers: {Authorization: `Bearer ${localStorage.getItem('token')}`}}).then((answer) => answer.json())"


async def done(pool: Pool, order: dict[str, Any]) -> dict[str, Any]:
    if order["do"] == "pids":
        return {"pids": list(engine().pids())}
    if order["do"] == "admit":
        found = await pool.admit("portside", order["username"], order["password"])
        return {"session_id": found.session.session_id, "is_new": found.is_new}
    async with pool.use(order["session_id"]) as live:
        page = await live.context.new_page()
        await page.goto(live.site.url("/account"))
        told = await page.evaluate(WHO)
        await page.close()
        return {"username": told.get("username")}


async def main() -> None:
    loop = asyncio.get_running_loop()
    with Vault() as vault:
        async with Pool(vault, PoolSettings(max_sessions=2), files=Files(Path(home()) / "files")) as pool:
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                try:
                    answer = await done(pool, json.loads(line))
                except HandstampError as error:
                    answer = {"error": error.code, "text": str(error)}
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()


asyncio.run(main())
