"""Cookies of an installed browser, through `yt_dlp.cookies` (extra ``browsers``), which knows where they are and how they are sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from handstamp.errors import ConfigError, UnreadableState
from handstamp.formats.attributes import BASIC
from handstamp.formats.intake import Intake
from handstamp.state import Cookie

if TYPE_CHECKING:
    from http import cookiejar
    from pathlib import Path

    from handstamp.formats.intake import Imported
    from handstamp.state import Clock


class _Notes:
    """What yt-dlp says on the way: its warnings and losses become notes, the rest is not shown."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def debug(self, message: str, *_: object, **__: object) -> None:
        """Not shown: paths and counts."""

    def info(self, message: str, *_: object, **__: object) -> None:
        """Becomes a note where cookies were lost, which yt-dlp says in passing only."""
        if "could not be decrypted" in message:
            self.warning(message)

    def warning(self, message: str, *_: object, **__: object) -> None:
        """Becomes a note."""
        self._intake.note(f"yt-dlp: {message.splitlines()[0] if message else ''}")

    error = warning


def read_installed(
    browser: str,
    *,
    profile: str | Path | None = None,
    keyring: str | None = None,
    container: str | None = None,
    now: float,
    clock: Clock,
) -> Imported:
    """The cookies of an installed browser's profile. The browser may be running; its files are copied, not changed.

    What cannot be had this way: HttpOnly, SameSite, priority and partitions, localStorage, cookies of the running session
    that are not on disk; of two cookies that differ in their partition only one is found.

    Args:
        browser: ``chrome``, ``chromium``, ``firefox``, ``brave``, ``edge``, ``opera``, ``safari``, ``vivaldi`` or ``whale``.
        profile: name or path of its profile; None for the one that was used last.
        keyring: where a Chromium keeps its key on Linux (``gnomekeyring``, ``kwallet``, ``basictext``); None to find out.
        container: a Firefox container; ``none`` for outside all of them, None for all.
        now: seconds since the Unix epoch.
        clock: stamps the entries.

    Raises:
        ConfigError: yt-dlp is missing, or knows no such browser or keyring.
        UnreadableState: the profile has no cookies file, or it cannot be read.
    """
    cookies = _yt_dlp_cookies()
    if browser not in cookies.SUPPORTED_BROWSERS:
        raise ConfigError(f"no installed browser is called '{browser}'; there are {', '.join(sorted(cookies.SUPPORTED_BROWSERS))}")
    if keyring is not None and keyring.upper() not in cookies.SUPPORTED_KEYRINGS:
        raise ConfigError(f"no keyring is called that; there are {', '.join(sorted(cookies.SUPPORTED_KEYRINGS)).lower()}")
    intake = Intake(now=now, clock=clock)
    where = None if profile is None else str(profile)
    try:
        jar = cookies.extract_cookies_from_browser(browser, where, _Notes(intake), keyring=keyring and keyring.upper(), container=container)
    except FileNotFoundError:
        raise UnreadableState(f"{browser}: no cookies found{_of(where)}; name the profile's folder, or look in the browser for its profile path") from None
    except Exception as error:  # noqa: BLE001  (what yt-dlp raises is not its contract, and its texts may hold anything)
        raise UnreadableState(f"{browser}: the cookies{_of(where)} cannot be read ({type(error).__name__}); close the browser and try again") from None
    for cookie in jar:
        _add(cookie, browser, intake)
    intake.note("HttpOnly, SameSite, priority and partitions of an installed browser's cookies cannot be read this way; storage neither")
    return intake.imported(browser, BASIC - {"http_only"})


def _add(found: cookiejar.Cookie, browser: str, intake: Intake) -> None:
    name, value = (found.name, found.value) if found.value is not None else ("", found.name)
    cookie = Cookie(
        name,
        value or "",
        found.domain,
        host_only=not found.domain.startswith("."),
        path=found.path or "/",
        expires=intake.end(found.expires, any_unit=True),  # Chrome's own time from a Chromium
        secure=bool(found.secure),
    )

    def fail(field: str, expected: str) -> NoReturn:
        raise UnreadableState(f"{browser}: a cookie's {field} is not {expected}")

    intake.add_cookie(cookie, fail)


def _of(profile: str | None) -> str:
    return f" of profile '{profile}'" if profile else ""


def _yt_dlp_cookies() -> Any:
    try:
        import yt_dlp.cookies  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415  (an extra, and slow to load)
    except ImportError:
        raise ConfigError("importing from an installed browser needs yt-dlp; install it with `pip install 'handstamp[browsers]'`") from None
    return yt_dlp.cookies
