"""A session of a site that nobody wrote a recipe for is open to agents like any other, if the settings let it be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def kept(agent_site: Any, home: Path, vault: Vault) -> str:
    """Name of a site without recipe, of which a session is kept; so is one of shop.example."""
    (home / "sites" / "leaky.toml").unlink()
    cookie = Cookie("sid", agent_site.sid, "127.0.0.1", expires=time.time() + 86400)
    vault.save("default", StorageState.of([Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Stamp(1))})]))
    other = Cookie("sid", "planted-of-the-shop", ".shop.example", expires=time.time() + 86400)
    vault.save("default", StorageState.of([Part(PartId(PartKind.COOKIES, "shop.example"), {other.key: Entry(other, Stamp(1))})]))
    name = f"127.0.0.1-{agent_site.url.rpartition(':')[2]}"
    for site in (name, "shop.example"):
        vault.update_session("default", site, lambda session: session)
    return name


def test_a_session_without_recipe_is_used_by_the_sites_url(agent_site: Any, kept: str, vault: Vault, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            assert {one["site"] for one in (await agent.call("list_sessions"))["sessions"]} == {kept, "shop.example"}
            page = await agent.call("open_page", site=f"{agent_site.url}/any?secret=planted-in-the-address")
            assert "Your session is …" in await agent.text(page["handle"])
            out = await agent.call("click", handle=page["handle"], target='link "Way out"')
            assert out["refused"] == [agent_site.outside]
            again = await agent.call("open_page", site=kept, url="/other")  # by name, now that its address is known
            assert "Other page" in await agent.text(again["handle"])
            assert (await agent.call("list_sessions"))["your_pages"][0]["site"] == kept

    play(flow())
    assert agent_site.elsewhere == []
    events = vault.events(kind="mcp-use")
    assert {event.site for event in events} == {None, kept}
    assert "planted-in" not in repr(events)


def test_what_has_no_session_or_is_not_open_to_the_agent_is_not_opened_by_a_url_either(agent_site: Any, kept: str, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            for code, site, profile in [
                ("site-unknown", agent_site.outside, "default"),
                ("site-unknown", agent_site.url, "other"),
                ("site-unknown", kept, "default"),  # a port does not say of which scheme
                ("site-unknown", "elsewhere.example", "default"),
                ("site-unknown", "https://[", "default"),
                ("site-unknown", "https://user:planted@shop.example:x/", "default"),
                ("operation-failed", "shop.example", "default"),  # tried, and nobody is there
            ]:
                with pytest.raises(failed) as error:
                    await agent.call("open_page", site=site, profile=profile)
                assert error.value.code == code, site
        async with line.stdio("--site", "portside", "--site", "shop.example") as agent:
            with pytest.raises(failed, match="forbidden"):
                await agent.call("open_page", site=agent_site.url)
            with pytest.raises(failed, match="operation-failed"):
                await agent.call("open_page", site="https://shop.example")

    play(flow())
    assert agent_site.elsewhere == []
