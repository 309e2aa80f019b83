"""Pages of agents do not leave their site: a server elsewhere is never asked for a document, however a page tries to get there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

WAYS = ("link", "redirect", "redirect twice", "meta refresh", "header refresh", "location", "form", "window.open", "new window", "no opener", "named frame")


def test_no_way_out_of_the_site_sends_anything(agent_site: Any, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky", url="/ways"))["handle"]
            for way in WAYS:
                state = await agent.call("click", handle=page, target=f'css=[data-way="{way}"]')
                while not state["refused"]:  # a page takes its time
                    state = await agent.call("screenshot", handle=page)
                assert (state["refused"], state["outside"]) == ([agent_site.outside], False), way
                assert "Ways out" in await agent.text(page) or way.endswith("refresh"), way
                if way.endswith("refresh"):
                    await agent.call("navigate", handle=page, url="/ways")

    play(flow())
    assert agent_site.elsewhere == []


def test_a_page_that_is_no_document_of_the_site_cannot_be_read_or_used(agent_site: Any, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky", url="/ways"))["handle"]
            state = await agent.call("click", handle=page, target="css=#broken")  # the browser shows a page of its own
            assert (state["outside"], state["title"]) == (True, "")
            for name, more in (("read_page", {}), ("screenshot", {}), ("click", {"target": "p"}), ("fill", {"target": "p", "value": "x"})):
                with pytest.raises(failed, match="outside of leaky"):
                    await agent.call(name, handle=page, **more)
            assert (await agent.call("navigate", handle=page, url="/home"))["outside"] is False

    play(flow())
    assert agent_site.typed == []


def test_a_page_that_showed_no_document_of_the_site_is_opened_again_where_it_was_in_it(agent_site: Any, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio("--max-sessions", "1") as agent:
            for profile, username in (("a", "ann"), ("b", "ben")):
                await agent.call("start_login", site="leaky", profile=profile, username=username)
            page = (await agent.call("open_page", site="leaky", profile="a", url="/ways"))["handle"]
            assert (await agent.call("click", handle=page, target="css=#broken"))["outside"]
            await agent.call("open_page", site="leaky", profile="b")  # the other session hibernates
            back = await agent.call("read_page", handle=page)
            assert (back["reopened"], "Ways out" in back["text"]) == (True, True)

    play(flow())
    assert agent_site.elsewhere == []


def test_an_address_that_leads_out_says_where_to(agent_site: Any, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            with pytest.raises(failed, match=f"leads on to {agent_site.outside}") as error:
                await agent.call("open_page", site="leaky", url="/away")
            assert error.value.code == "forbidden"
            page = (await agent.call("open_page", site="leaky", url="/home"))["handle"]
            with pytest.raises(failed, match=f"leads on to {agent_site.outside}"):
                await agent.call("navigate", handle=page, url="/away")
            assert "Home" in await agent.text(page)  # it is where it was

    play(flow())
    assert agent_site.elsewhere == []


def test_a_page_that_does_not_open_is_not_blamed_for_where_another_wants_to_go(agent_site: Any, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky", url="/home"))["handle"]
            assert (await agent.call("open_page", site="leaky", url="/restless"))["refused"] == [agent_site.outside]
            with pytest.raises(failed) as error:
                await agent.call("navigate", handle=page, url="/broken")
            assert error.value.code == "operation-failed"

    play(flow())
    assert agent_site.elsewhere == []


def test_what_a_page_is_made_of_comes_from_elsewhere_as_before(agent_site: Any, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky", url="/parts"))["handle"]
            text = await agent.text(page)
            while "Script of elsewhere" not in text or "Elsewhere /frame" not in text:
                text = await agent.text(page)
            assert (await agent.call("screenshot", handle=page))["refused"] == []

    play(flow())
    assert {"/script.js", "/frame", "/frame-redirected"} <= set(agent_site.elsewhere)


def test_other_domains_that_a_site_declares_are_its_own(agent_site: Any, home: Path, line: Any, play: Any) -> None:
    recipe = agent_site.recipe.replace('["127.0.0.1"]', '["127.0.0.1", "sso.localhost"]')
    (home / "sites" / "leaky.toml").write_text(recipe)
    port = urlsplit(agent_site.outside).port

    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            state = await agent.call("open_page", site="leaky", url="/to-sso")
            assert (state["url"], state["refused"]) == (f"http://sso.localhost:{port}/login", [])
            assert "Elsewhere /login" in await agent.text(state["handle"])

    play(flow())
    assert agent_site.elsewhere == ["/login"]


def test_where_pages_may_go_anywhere_they_do(agent_site: Any, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio("--navigate", "anywhere") as agent:
            await agent.call("start_login", site="leaky", username="ann")
            state = await agent.call("open_page", site="leaky", url="/away")
            assert (state["url"], state["refused"]) == (f"{agent_site.outside}/redirected", [])

    play(flow())
    assert agent_site.elsewhere == ["/redirected"]
