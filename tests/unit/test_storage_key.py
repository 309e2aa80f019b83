"""Which storage a framed document has, by what it is in."""

from __future__ import annotations

import pytest

from handstamp.browser.storage_key import scope_under

TOP = "https://www.top.example"


@pytest.mark.parametrize(
    ("parent", "origin", "scope"),
    [
        (TOP, TOP, TOP),
        (TOP, "https://login.top.example", "https://login.top.example"),
        (TOP, "https://other.example", "https://other.example^0https://top.example"),
        (TOP, "http://login.top.example", "http://login.top.example^0https://top.example"),
        ("https://other.example^0https://top.example", "https://third.example", "https://third.example^0https://top.example"),
        ("https://other.example^0https://top.example", TOP, f"{TOP}^31"),
        (f"{TOP}^31", TOP, f"{TOP}^31"),
        (f"{TOP}^31", "https://other.example", "https://other.example^0https://top.example"),
        ("http://127.0.0.1:80", "http://127.0.0.2:80", "http://127.0.0.2:80^0http://127.0.0.1"),
    ],
)
def test_a_frame_has_the_storage_of_its_own_origin_under_the_top_site(parent: str, origin: str, scope: str) -> None:
    assert scope_under(parent, origin) == scope
