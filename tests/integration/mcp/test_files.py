"""What an operation leaves is its caller's: as a tool's answer, as a resource, and nobody else's."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from mcp.shared.exceptions import MCPError
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(120)
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def rows_of(data: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(data), read_only=True).active.iter_rows(values_only=True))  # type: ignore[union-attr]


def test_an_agent_reads_what_an_operation_left(demo: DemoServers, home: Path, vault: Vault, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            answer = await agent.answer("portside_get_containers")
            done = answer.structured_content
            uri = done["result"]["file_url"]
            (link,) = [block for block in answer.content if block.type == "resource_link"]
            (facts,) = done["files"]
            assert (link.uri, link.mime_type, facts["uri"], facts["mime_type"], facts["size"]) == (uri, SHEET, uri, SHEET, link.size)
            read = await agent.answer("read_file", uri=uri)
            data = base64.b64decode(read.content[1].resource.blob)
            assert len(data) == facts["size"]
            assert rows_of(data)[1][0] == done["result"]["containers"][0]["number"]
            assert (home / "files" / uri.rpartition("/")[2]).read_bytes() == data
            assert read.structured_content["path"] == facts["path"] == str(home / "files" / uri.rpartition("/")[2])
            assert [one.uri for one in (await agent.client.list_resources()).resources] == [uri]
            assert (await agent.client.list_resource_templates()).resource_templates[0].uri_template == "handstamp://files/{name}"
            assert base64.b64decode((await agent.client.read_resource(uri)).contents[0].blob) == data
            number = done["result"]["containers"][0]["number"]
            seen = await agent.call("portside_get_container_timeline", container_id=number)
            picture = (await agent.answer("read_file", uri=seen["result"]["screenshot_url"])).content[1]
            assert (picture.type, picture.mime_type) == ("image", "image/png")
            assert Image.open(io.BytesIO(base64.b64decode(picture.data))).width > 300
            for wrong in (uri.replace("xlsx", "zip"), f"{uri}/../../vault.db", "handstamp://files/../vault.db", "file:///etc/passwd"):
                with pytest.raises(failed, match="input-invalid"):
                    await agent.call("read_file", uri=wrong)
                with pytest.raises(MCPError, match="no such file"):
                    await agent.client.read_resource(wrong)
        async with line.stdio() as agent:  # another process, of which nobody knows who calls
            with pytest.raises(failed, match="input-invalid"):
                await agent.call("read_file", uri=uri)

    play(flow())
    reads = [event for event in vault.events(kind="mcp-use") if event.data["tool"] == "read_file" and event.data["outcome"] == "done"]
    assert [(event.site, event.profile) for event in reads] == [("portside", "default")] * 3
    assert demo.control.stats().portside.logins == 1


def test_a_file_is_nobody_elses(demo: DemoServers, vault: Vault, line: Any, play: Any, failed: Any) -> None:
    tokens = {name: vault.add_token(name, ["use"]) for name in ("first", "second")}
    reading = vault.add_token("reads", ["read"])

    async def flow(url: str) -> None:
        async with line.http(url, tokens["first"]) as first, line.http(url, tokens["second"], mode="legacy") as second, line.http(url, reading) as third:
            done = await first.call("portside_get_containers")
            uri = done["result"]["file_url"]
            assert done["files"][0]["path"] is None  # it is another machine's, maybe
            with pytest.raises(failed, match="input-invalid"):
                await second.call("read_file", uri=uri)
            for other, words in ((second, "no such file"), (third, "Unknown resource")):
                assert (await other.client.list_resources()).resources == []
                with pytest.raises(MCPError, match=words):
                    await other.client.read_resource(uri)
            assert (await third.client.list_resource_templates()).resource_templates == []
            assert len(rows_of(base64.b64decode((await first.client.read_resource(uri)).contents[0].blob))) > 20

    with line.server() as (url, _):
        play(flow(url))
    assert demo.control.stats().portside.logins == 1


def test_who_may_not_read_files_is_given_no_links(demo: DemoServers, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio("--deny", "read_file") as agent:
            answer = await agent.answer("portside_get_containers")
            assert answer.structured_content["files"] == []
            assert [block.type for block in answer.content] == ["text"]
            with pytest.raises(MCPError, match="Unknown resource"):
                await agent.client.read_resource(answer.structured_content["result"]["file_url"])

    play(flow())
    assert demo.control.stats().portside.logins == 1
