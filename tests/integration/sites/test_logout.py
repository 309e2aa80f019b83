"""A logout that a person makes in an open session: what is saved of it, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.demo import BUILT_IN
from handstamp.sync_api import signed_in

if TYPE_CHECKING:
    from handstamp.vault import Vault
    from handstamp.vault.model import Version


def log_in_and_out() -> None:
    with signed_in("portside", username=BUILT_IN[0].username, password=BUILT_IN[0].password) as context:
        page = context.new_page()
        page.goto("/account")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login?reason=signed-out")


def sid(vault: Vault) -> list[str]:
    return [cookie.value for cookie in vault.load("default").cookies() if cookie.name == "sid"]


def health(vault: Vault) -> str:
    session = vault.session("default", "portside")
    assert session is not None
    return str(session.health)


def pinned_cookies(vault: Vault) -> Version:
    """The one pinned version of the site's cookies."""
    (found,) = [version for version in vault.history("default") if version.pinned and version.part is not None and version.part.kind == "cookies"]
    return found


def test_a_logout_in_the_page_is_saved_and_what_was_good_stays_pinned(demo, vault) -> None:
    log_in_and_out()
    assert (health(vault), sid(vault)) == ("expired", [])
    assert [event.kind for event in vault.events() if event.kind in {"login", "logged-out"}] == ["logged-out", "login"]  # the newest first
    assert demo.control.stats().portside.logouts == 1
    assert not pinned_cookies(vault).current


def test_going_back_to_what_was_pinned_brings_the_login_back_where_the_site_still_takes_it(demo, vault) -> None:
    demo.control.set(lazy_logout=True)
    log_in_and_out()
    vault.rollback("default", to=pinned_cookies(vault).written_at)
    assert len(sid(vault)) == 1
    with signed_in("portside") as context:  # without the password
        page = context.new_page()
        page.goto("/account")
        assert page.get_by_role("button", name="Log out").count() == 1
    assert health(vault) == "valid"
    assert demo.control.stats().portside.logins == 1


def test_what_the_next_login_was_takes_the_place_of_what_was_pinned(demo, vault) -> None:
    log_in_and_out()
    first = pinned_cookies(vault)
    log_in_and_out()
    assert pinned_cookies(vault).written_at > first.written_at
    assert demo.control.stats().portside.logins == 2
