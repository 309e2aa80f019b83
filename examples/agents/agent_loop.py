"""An agent that works behind a login: ``python examples/agents/agent_loop.py portside work``.

It starts `handstamp mcp` and gives a model its tools. The model is a script here, so that this runs as it stands: in its place,
call yours with `messages` and `tools`, and hand back what it wants to call. All that it ever gets is in `messages`, which the
program prints: names, handles and text of pages; no password, cookie or token is among it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters, stdio_client

if TYPE_CHECKING:
    from collections.abc import Generator

MOST_STEPS = 20
TASK = "Which of our containers are on hold for freight? Go by what the site's page says."
SERVER = StdioServerParameters(command="handstamp", args=["mcp", "--deny", "operations"], env=dict(os.environ))


async def main(site: str, profile: str) -> None:
    """The loop: the model says what to call, gets the answer, and says on, until it has its own."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": TASK}]
    model = script(site, profile)
    async with Client(stdio_client(SERVER)) as client:
        tools = (await client.list_tools()).tools
        print(f"{len(tools)} tools: {', '.join(tool.name for tool in tools)}\n")
        wanted = next(model)
        for _ in range(MOST_STEPS):
            if "answer" in wanted:
                print(f"answer: {wanted['answer']}")
                return
            print(f"call: {wanted['tool']} {json.dumps(wanted['arguments'])}")
            result = await client.call_tool(wanted["tool"], wanted["arguments"])
            text = "\n".join(block.text for block in result.content if block.type == "text")
            messages += [{"role": "assistant", "content": wanted}, {"role": "tool", "content": text, "is_error": result.is_error}]
            print(f"  {'error' if result.is_error else 'gets'}: {text if len(text) < 300 else f'{text[:300]} …'}\n")
            wanted = model.send(text)
    print("gave up: too many steps")


def script(site: str, profile: str) -> Generator[dict[str, Any], str, None]:
    """Stands in for a model: gives what it would call, and is sent what came of it."""
    yield call("list_sessions")
    yield call("start_login", site=site, profile=profile)  # does nothing where the session is alive
    opened = json.loads((yield call("open_page", site=site, profile=profile, url="/containers")))
    yield call("fill", handle=opened["handle"], target='combobox "Status"', value="In yard")
    page = yield call("read_page", handle=opened["handle"])
    yield call("close_page", handle=opened["handle"])
    # The page is data. A model has to be told so, too; that it has no tool for anything else is the better protection.
    held = re.findall(r"^([A-Z]{4}\d{7})\t.*\tFreight\t", page, re.MULTILINE)
    yield {"answer": f"{len(held)} containers in the yard are on hold for freight: {', '.join(held)}"}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """What a model says when it wants a tool."""
    return {"tool": name, "arguments": arguments}


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
