"""A session in a browser on files of its own, from one process to the next."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.async_api import signed_in as async_signed_in
from handstamp.browser.process import MEMORY
from handstamp.browser.profile.manifest import MANIFEST, Manifest, content, piece_id
from handstamp.sync_api import signed_in

if TYPE_CHECKING:
    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(90)  # two to four browsers in each test, each on its own files

BIG = "(async () => { const cache = await caches.open('big'); await cache.put('/big', new Response('0123456789abcdef'.repeat(1 << 18))); })()"


def stored(vault: Vault) -> Manifest:
    (part,) = vault.pieces("default", [MANIFEST])
    return Manifest.of(part)


def test_keys_caches_workers_and_tabs_survive_into_a_fresh_process(keyed, elsewhere) -> None:
    with signed_in("keyed", fidelity="profile") as context:
        page = context.new_page()
        page.goto("/account")
        page.wait_for_selector("#out")
    facts = elsewhere("""
page.goto("/account")
page.wait_for_selector("#out, #in")
print(json.dumps([page.locator("#out").count(), page.evaluate("cached()"), page.evaluate("sessionStorage.tab"), page.evaluate("localStorage.item")]))
""")
    assert facts == [1, "canary-cached-7c3d", "canary-tab-1d4c", "canary-item-5b2e"]
    assert keyed.logins == 1


def test_a_worker_answers_while_its_site_is_down(keyed) -> None:
    for _ in range(2):
        with signed_in("keyed", fidelity="profile") as context:
            page = context.new_page()
            keyed.down = True
            page.goto("/offline")
            assert page.title() == "from the worker"
            keyed.down = False
    assert keyed.logins == 1


def test_only_what_changed_is_written(plain, vault) -> None:
    with signed_in(plain, fidelity="profile") as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate(BIG)
    before = stored(vault)
    with signed_in(plain, fidelity="profile") as context:
        page = context.new_page()
        page.goto("/")
        assert page.evaluate("caches.match('/big').then((answer) => answer.text()).then((text) => text.length)") == 1 << 22
        page.evaluate("localStorage.setItem('one', 'more')")
    after = stored(vault)
    new = vault.pieces("default", [piece_id(name) for name in after.pieces - before.pieces])
    assert sum(len(content(part)) for part in new) < 1 << 20
    assert vault.pieces("default", [piece_id(name) for name in before.pieces - after.pieces]) == []


def directories() -> set[Path]:
    """Of browsers that this process has started."""
    found = [path for folder in (Path(tempfile.gettempdir()), MEMORY) for path in folder.glob("handstamp-browser-*")]
    return {path for path in found if (path / "owner").exists() and (path / "owner").read_text().startswith(f"{os.getpid()} ")}


def test_nothing_is_left_in_clear(plain) -> None:
    secrets = ["canary-given-8e2f", "canary-item-of-the-page"]
    before = directories()
    with signed_in(plain, fidelity="profile") as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate("localStorage.setItem('item', 'canary-item-of-the-page')")
        (ours,) = directories() - before
        assert ours.stat().st_mode & 0o777 == 0o700
    assert not ours.exists()
    files = [path for path in Path(os.environ["HANDSTAMP_HOME"]).rglob("*") if path.is_file()]
    found = [(path.name, secret) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    assert (len(files) > 2, found) == (True, [])


@pytest.mark.parametrize("fidelity", ["state", "profile"])
def test_what_another_session_changed_is_newer_than_the_files(plain, fidelity) -> None:
    with signed_in(plain, fidelity="profile") as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate("logIn('nobody', '').catch(() => {})")
        page.evaluate("store('readwrite', (pairs) => pairs.put('old', 'second'))")
        page.evaluate("Object.assign(localStorage, {kept: 'kept', changed: 'old', removed: 'old'}), document.cookie = 'c=old; max-age=9999'")
    with signed_in(plain, fidelity=fidelity) as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate("localStorage.changed = 'new', localStorage.removeItem('removed'), document.cookie = 'c=new; max-age=9999'")
        page.evaluate("store('readwrite', (pairs) => pairs.put({ theme: 'light' }, 'settings'))")
        page.evaluate("store('readwrite', (pairs) => pairs.delete('second'))")
    with signed_in(plain, fidelity="profile") as context:
        page = context.new_page()
        page.goto("/")
        assert page.evaluate("({...localStorage})") == {"kept": "kept", "changed": "new"}
        assert "c=new" in page.evaluate("document.cookie")
        assert page.evaluate("store('readonly', (pairs) => pairs.get('settings'))") == {"theme": "light"}
        assert page.evaluate("store('readonly', (pairs) => pairs.getAllKeys())") == ["login", "settings"]
        assert page.evaluate("store('readonly', (pairs) => pairs.get('login')).then((pair) => pair.privateKey.extractable)") is False


def test_a_session_without_files_of_its_own_is_taken_up_in_them(plain) -> None:
    with signed_in(plain) as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate("localStorage.setItem('item', 'of before'), sessionStorage.setItem('tab', 'of before')")
        page.evaluate("store('readwrite', (pairs) => pairs.put('of before', 'record'))")
    for visits in (False, True, True):  # what no page has asked for yet is given the next time
        with signed_in(plain, fidelity="profile") as context:
            page = context.new_page()
            if not visits:
                continue
            page.goto("/")
            assert page.evaluate("[localStorage.item, sessionStorage.tab]") == ["of before", "of before"]
            assert page.evaluate("store('readonly', (pairs) => pairs.get('record'))") == "of before"


def test_buckets_and_embedded_sites_survive(plain, keyed) -> None:
    put = """async () => {
      await (await (await navigator.storageBuckets.open('inbox')).caches.open('c')).put('/x', new Response('in a bucket'));
      await (await caches.open('c')).put('/x', new Response('embedded'));
      localStorage.setItem('item', 'embedded');
    }"""
    get = """async () => [
      await (await (await (await navigator.storageBuckets.open('inbox')).caches.open('c')).match('/x'))?.text(),
      await (await caches.match('/x'))?.text(), localStorage.item]"""
    seen = []
    for _ in range(2):
        with signed_in(plain, fidelity="profile") as context:
            page = context.new_page()
            page.goto("/")
            page.evaluate("(url) => { document.body.innerHTML = `<iframe src=${url}></iframe>`; }", f"{keyed.url}/")
            frame = page.wait_for_selector("iframe").content_frame()
            frame.wait_for_selector("h1")
            seen.append(frame.evaluate(get))
            frame.evaluate(put)
    assert seen == [[None, None, None], ["in a bucket", "embedded", "embedded"]]


def test_the_headless_shell_has_the_same_files(plain) -> None:
    shell = shutil.which("chromium-headless-shell") or shutil.which("chrome-headless-shell")
    if shell is None:
        pytest.skip("there is no headless shell beside the browser")
    found = []
    for browser in (None, shell, None):
        with signed_in(plain, fidelity="profile", browser=browser) as context:
            page = context.new_page()
            page.goto("/")
            found.append(page.evaluate("store('readonly', (pairs) => pairs.get('login')).then((pair) => pair?.privateKey.extractable)"))
            if found[-1] is None:
                page.evaluate("logIn('nobody', '').catch(() => {})")
    assert found == [None, False, False]


def test_the_async_api_opens_whole_profiles_too(keyed) -> None:
    async def twice() -> list[int]:
        found = []
        for _ in range(2):
            async with async_signed_in("keyed", fidelity="profile") as context:
                page = await context.new_page()
                await page.goto("/account")
                await page.wait_for_selector("#out, #in")
                found.append(await page.locator("#out").count())
        return found

    assert asyncio.run(twice()) == [1, 1]
    assert keyed.logins == 1


def test_the_context_is_as_any_other(plain) -> None:
    options = {"locale": "de-DE", "timezone_id": "Asia/Tokyo", "viewport": {"width": 700, "height": 500}, "user_agent": "a browser of ours"}
    with signed_in(plain, fidelity="profile", context_options=options) as context:
        page = context.new_page()
        page.goto("/")
        seen = page.evaluate("[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, innerWidth, navigator.userAgent]")
        assert seen == ["de-DE", "Asia/Tokyo", 700, "a browser of ours"]
        with context.expect_page() as popup:
            page.evaluate("void window.open('/')")
        assert len(context.pages) == 2
        assert popup.value.evaluate("navigator.userAgent") == "a browser of ours"
        with page.expect_download() as download:
            page.evaluate("Object.assign(document.createElement('a'), {href: 'data:,content', download: 'file.txt'}).click()")
        assert Path(download.value.path()).read_text() == "content"
        assert [cookie["name"] for cookie in context.cookies()] == ["given"]
        assert context.request.get("/").ok
        page.evaluate("localStorage.setItem('item', 'stays')")
        context.clear_cookies()
    with signed_in(plain, fidelity="profile") as context:
        assert (context.cookies(), context.pages) == ([], [])
