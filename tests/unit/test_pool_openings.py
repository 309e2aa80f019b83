"""Sites that nobody wrote a recipe for, by URL: each caller gets the address that they said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from handstamp.pool.openings import Openings
from handstamp.pool.settings import PoolSettings
from handstamp.pool.values import Counters
from handstamp.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("https", "http"), [("https://shop.example", "http://shop.example"), ("https://shop.example:8443", "http://shop.example:8443")])
def test_one_callers_plain_http_is_not_anothers(tmp_path: Path, https: str, http: str) -> None:
    with Vault(f"sqlite:///{tmp_path}/vault.db") as vault:
        openings = Openings(vault, PoolSettings(), Counters(), home=tmp_path, solver=None)
        assert openings.site_at(http).base_url == http
        found = openings.site_at(https)
        assert found.base_url == https
        assert openings.site_at(http).base_url == http
        assert openings.site(found.name).base_url == https
