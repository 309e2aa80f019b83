"""Operations of one site are at the root; which one is a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import DemoServers

    from .conftest import Running


@pytest.mark.parametrize(("site", "at_the_root"), [("portside", True), ("interpals", False)])
def test_the_default_site_s_operations_need_no_site(serving: Callable[..., Running], demo: DemoServers, site: str, *, at_the_root: bool) -> None:
    del demo
    server = serving(default_site=site)
    paths = set(server.get("/openapi.json").json()["paths"])
    assert "/sites/portside/get_containers" in paths
    assert ("/get_containers" in paths) is at_the_root
    assert (server.post("/get_containers", {"session_id": "0" * 32}).status_code == 400) is at_the_root
