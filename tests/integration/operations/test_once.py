"""Operations of one phase in a real session: what they get, what they give, and what their failures are called."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from handstamp.errors import BrowserGone, InputInvalid, OperationFailed, OperationRefused, WorkflowEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.sites.operation import Run


def test_its_result_is_given_and_its_page_closed_with_the_popups(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def flow() -> None:
        async with desk() as here:

            async def popup(run: Run) -> None:
                async with run.page.expect_popup():
                    await run.page.evaluate("() => { window.open('/account') }")

            outcome = await here.do(titled(popup))
            assert outcome.result.title == "Containers · Portside Terminal"
            assert outcome.facts() == {"title": outcome.result.title, "file_url": ""}
            assert await here.open_pages() == []
            assert list(here.files.folder.parent.glob("files/*")) == []  # nobody wanted evidence

    asyncio.run(flow())


def test_files_and_stamped_pictures_are_kept_under_names_that_nobody_guesses(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    kept: list[str] = []

    async def make(run: Run) -> None:
        kept.append(await run.keep("The list.XLSX", b"cells"))
        kept.append(await run.shot("the list", object_id="HBRU1112085", selector="h1"))
        kept.append(await run.shot("page"))

    async def flow() -> None:
        async with desk() as here:
            await here.do(titled(make))

    asyncio.run(flow())
    table, heading, page = map(Path, kept)
    assert table.read_bytes() == b"cells"
    assert table.name.startswith("the-list-")
    assert table.suffix == ".xlsx"
    assert heading.name.startswith("the-list-")
    assert table.stat().st_mode & 0o777 == 0o600
    with Image.open(page) as whole, Image.open(heading) as part:
        assert whole.size == (1280, 720 + 48)
        assert part.height < 200
        assert whole.getpixel((2, whole.height - 2)) == (24, 28, 36)  # the strip


def test_its_sentences_reach_whoever_waits_and_no_log(desk: Callable[..., Any], titled: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    told: list[str] = []

    async def tell(run: Run) -> None:
        run.tell("half of it is done")

    async def flow() -> None:
        async with desk() as here:
            await here.do(titled(tell), tell=told.append)

    asyncio.run(flow())
    assert told == ["half of it is done"]
    assert "half of it is done" not in caplog.text


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_killed_browser_is_told_apart_by_whether_it_may_be_repeated(desk: Callable[..., Any], titled: Callable[..., Any], *, repeatable: bool) -> None:
    async def flow() -> None:
        async with desk() as here:

            async def die(run: Run) -> None:
                os.kill(await _browser_of(run), signal.SIGKILL)
                await run.page.wait_for_timeout(20_000)

            with pytest.raises(BrowserGone if repeatable else OperationFailed) as caught:
                await here.do(titled(die, repeatable=repeatable))
            if not repeatable:
                assert caught.value.repeatable is False
                assert "it is not known whether the site has done it" in str(caught.value)

    asyncio.run(_but_for_the_end(flow()))


def test_a_browser_that_hangs_keeps_nobody_waiting(desk: Callable[..., Any], titled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("waiting_pages", "evidence", "known_secrets"):
        monkeypatch.setattr(f"handstamp.operations.{module}._PATIENCE", 0.3)
    stopped: list[int] = []

    async def hang(run: Run) -> None:
        stopped.append(await _browser_of(run))
        os.kill(stopped[0], signal.SIGSTOP)
        raise OperationRefused("no")

    async def flow() -> None:
        async with desk() as here:
            try:
                with pytest.raises(OperationRefused) as caught:
                    await asyncio.wait_for(here.do(titled(hang)), 30)
                assert Path(caught.value.bundle).exists()
            finally:
                os.kill(stopped[0], signal.SIGCONT)

    asyncio.run(flow())


async def _browser_of(run: Run) -> int:
    """Its process id."""
    browser = run.page.context.browser
    assert browser is not None
    session = await browser.new_browser_cdp_session()
    found = await session.send("SystemInfo.getProcessInfo")
    (pid,) = (one["id"] for one in found["processInfo"] if one["type"] == "browser")
    return int(pid)


async def _but_for_the_end(flow: Any) -> None:
    """The session's own end says that its browser is gone; that is not what is looked at here."""
    with contextlib.suppress(BrowserGone):
        await flow


def test_a_crashed_page_is_as_good_as_a_gone_browser(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def crash(run: Run) -> None:
        session = await run.page.context.new_cdp_session(run.page)
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(_quietly(session.send("Page.crash"))))
        await run.page.wait_for_timeout(20_000)

    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(BrowserGone):
                await here.do(titled(crash))
            assert (await here.do(titled())).result.title

    asyncio.run(flow())


async def _quietly(work: Any) -> None:
    with contextlib.suppress(Exception):  # the page that would answer is the one that crashes
        await asyncio.wait_for(work, 5)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), BaseExceptionGroup("x", [KeyboardInterrupt()])])
def test_what_would_end_the_program_is_a_failure_of_the_operation_alone(desk: Callable[..., Any], titled: Callable[..., Any], error: BaseException) -> None:
    async def end(_: Run) -> None:
        raise error

    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(OperationFailed, match=f"get_title has failed .{type(error).__name__}."):
                await here.do(titled(end))
            assert await here.open_pages() == []
            assert (await here.do(titled())).result.title

    asyncio.run(flow())


def test_one_that_does_not_end_when_it_is_cut_off_is_left_behind_and_its_page_closed(
    desk: Callable[..., Any], titled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handstamp.operations.acting._PATIENCE", 0.2)
    left = False

    async def swallow(run: Run) -> None:
        while not left:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)
        assert run.page.is_closed()

    async def flow() -> None:
        nonlocal left
        async with desk() as here:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3):
                    await here.do(titled(swallow))
            assert await here.open_pages() == []
            assert "_caught" not in str(asyncio.all_tasks())  # so the end of the loop does not wait for it
            left = True
            await asyncio.sleep(0.2)

    asyncio.run(flow())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("secret of the page"), "get_title has failed (ValueError): a fault of the site's package"),
        (OperationFailed("the list has no rows any more"), "the list has no rows any more"),
        (OperationRefused("no such container"), "no such container"),
    ],
)
def test_what_it_raises_is_told_in_words_that_hold_no_value(desk: Callable[..., Any], titled: Callable[..., Any], error: Exception, said: str) -> None:
    async def fail(_: Run) -> None:
        raise error

    async def flow() -> None:
        async with desk() as here:
            with pytest.raises((OperationFailed, OperationRefused)) as caught:
                await here.do(titled(fail))
            assert said in str(caught.value)
            assert "secret of the page" not in str(caught.value)
            assert caught.value.operation == "get_title"
            assert Path(caught.value.bundle).exists()
            assert await here.open_pages() == []

    asyncio.run(flow())


def test_waiting_in_vain_for_the_page_is_told_as_that(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def wait(run: Run) -> None:
        await run.page.locator("#nothing-like-this").click(timeout=200)

    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(OperationFailed, match="waited in vain for something on the page"):
                await here.do(titled(wait))

    asyncio.run(flow())


def test_a_result_of_another_kind_is_a_fault_of_the_package(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def other(_: Run) -> Any:
        return {"title": "a dict"}

    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(OperationFailed, match="gave a dict instead of a Title") as caught:
                await here.do(titled(other, repeatable=False))
            assert caught.value.repeatable is False

    asyncio.run(flow())


def test_input_is_looked_at_before_anything_is_done(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(InputInvalid, match="get_title has no field 'x'; it takes none"):
                await here.do(titled(), {"x": 1})
            with pytest.raises(WorkflowEnded, match="is no workflow"):
                await here.do(titled(), workflow_id="0" * 32)

    asyncio.run(flow())


def test_a_picture_of_what_is_not_there_is_the_operations_failure(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def shoot(run: Run) -> None:
        run.page.set_default_timeout(300)
        await run.shot("nothing", selector="#nothing-like-this")

    async def flow() -> None:
        async with desk() as here:
            with pytest.raises(OperationFailed, match="waited in vain"):
                await here.do(titled(shoot))

    asyncio.run(flow())


def test_a_stamp_leaves_the_picture_as_it_is() -> None:
    from handstamp.operations.stamps import stamped

    out = BytesIO()
    Image.new("RGB", (600, 100), (200, 10, 10)).save(out, "PNG")
    with Image.open(BytesIO(stamped(out.getvalue(), ("2026-01-01 00:00:00Z", "x" * 500)))) as found:
        assert found.size == (600, 148)
        assert found.crop((0, 0, 600, 100)).getcolors() == [(60_000, (200, 10, 10))]
