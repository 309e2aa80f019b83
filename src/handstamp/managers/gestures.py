"""What a person, or a script, does in a page: clicks and fields that were filled, told by a world of our own that the page's scripts cannot see.

Over the CDP session that Playwright gives for a page of its own; other browsers than Chromium have none, and tell nothing. Frames of
other sites in a page are not listened to.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from handstamp.browser import now
from handstamp.browser.playwright_errors import playwright_error

if TYPE_CHECKING:
    from collections.abc import Callable

_WORLD, _TELL = "handstamp-gestures", "handstampGesture"
# Names are those that the page's author gave, and only if they are words: numbers may be somebody's.
_SOURCE = """(() => {
  const plain = (name) => (/^[a-z][a-z_-]{0,39}$/i.test(name ?? '') ? name : '');
  const named = (element) => {
    const [id, name] = [plain(element.getAttribute('id')), plain(element.getAttribute('name'))];
    return element.localName + (id ? `#${id}` : name ? `[name=${name}]` : '');
  };
  const told = (what) => (event) => {
    const target = event.composedPath()[0];
    const element = target?.nodeType === Node.ELEMENT_NODE ? target : target?.parentElement;
    const meant = element?.closest('a,button,input,select,textarea,label,summary,[role=button]') ?? element;
    if (event.isTrusted && meant) globalThis.TELL(JSON.stringify([what, named(meant)]));
  };
  const [clicked, filled] = [told('click'), told('fill')];
  const listen = () => {
    addEventListener('click', clicked, {capture: true, passive: true});
    addEventListener('change', filled, {capture: true, passive: true});
  };
  listen();
  new MutationObserver(listen).observe(document, {childList: true});  // document.open() takes all listeners away
})()""".replace("TELL", _TELL)


async def listen(context: Any, page: Any, tell: Callable[[str], None]) -> None:
    """Have what is done in a page told from now on, as ``click button#pay``, ``fill input[name=user]``; never what was typed.

    Args:
        context: of the page.
        page: of Playwright.
        tell: called with it.
    """

    def called(event: dict[str, Any]) -> None:
        if event.get("name") == _TELL:
            what, where = json.loads(event["payload"])
            tell(f"{what} {where}")

    with contextlib.suppress(playwright_error()):  # no Chromium, or the page has gone already
        session = await now(context.new_cdp_session(page))
        session.on("Runtime.bindingCalled", called)
        await now(session.send("Page.enable"))  # else the script is not put into documents to come
        await now(session.send("Runtime.enable"))  # else the binding tells nothing
        await now(session.send("Runtime.addBinding", {"name": _TELL, "executionContextName": _WORLD}))
        await now(session.send("Page.addScriptToEvaluateOnNewDocument", {"source": _SOURCE, "worldName": _WORLD, "runImmediately": True}))
