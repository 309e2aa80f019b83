"""The token that a page keeps, sent along by a check in the browser, as the page's own scripts and the check over HTTP send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.sites.bearer import origin_of
from handstamp.sites.playwright_errors import page_error, raise_if_gone

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

    from handstamp.sites.recipe import Recipe

_READ = "([storage, name]) => window[storage].getItem(name)"


async def bear_token(recipe: Recipe, page: Page, url: str) -> None:
    """Let the next document from `url` be asked for with the token that `page` holds now: an API's address tells nothing without it.

    Once, for that document at the site's own origin; what comes after it goes as it is. Does nothing where the recipe names no token in
    a storage, or the page is not at the site: a fresh page has none, and for a saved session the check over HTTP has asked with it.

    Args:
        recipe: says where the token is kept, and which header carries it.
        page: at the site, after a login.
        url: of the check.
    """
    bearer = recipe.session.bearer
    origin = origin_of(recipe.base_url)
    if bearer is None or bearer.cookie or {origin_of(url), origin_of(page.url)} != {origin}:
        return
    place = ["localStorage", bearer.local_storage] if bearer.local_storage else ["sessionStorage", bearer.session_storage]
    try:
        token = await page.evaluate(_READ, place)
    except page_error() as error:
        raise_if_gone(error, page)
        return  # the page is on its way elsewhere
    if not token or not token.isprintable():
        return
    header = {bearer.header: bearer.format.replace("{value}", token)}

    async def send(route: Route) -> None:
        await route.continue_(headers={**route.request.headers, **header})

    await page.route(lambda asked: asked == url, send, times=1)
