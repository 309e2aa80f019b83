"""What is remembered of a URL lets nobody in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.browser.activity import MOST_AT_ONCE, ActivityLog, with_activity
from handstamp.state import Activity, Session
from handstamp.state.masking import is_token_like, masked_url

TOKEN = "q7Jx9_Zb3Kd-81mPvT0s"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/account", "https://a.example/account"),
        ("https://a.example", "https://a.example/"),
        ("https://anna:secret@a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/x?code=4711&state=abc#access_token=1", "https://a.example/x?code=&state="),
        (f"https://a.example/x?{TOKEN}", "https://a.example/x?…="),
        (f"https://a.example/reset/{TOKEN}/form", "https://a.example/reset/…/form"),
        ("https://a.example/u/3fa85f64-5717-4562-b3fc-2c963f66afa6", "https://a.example/u/…"),
        ("https://a.example/u/anna@b.example", "https://a.example/u/…"),
        ("https://a.example/u/anna%40b.example", "https://a.example/u/…"),
        (f"https://a.example/list;jsessionid={TOKEN}", "https://a.example/list"),
        (f"https://a.example/#/inbox/{TOKEN}?a=1", "https://a.example/#/inbox/…"),
        ("https://a.example/how-to-log-in-again-2024.html", "https://a.example/how-to-log-in-again-2024.html"),
        ("https://[::1]:80/x", "https://[::1]:80/x"),
        ("data:text/html,secret", "data:"),
        ("https://[broken/x", "…"),
    ],
)
def test_places_stay_and_secrets_go(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@given(st.uuids(), st.binary(min_size=16, max_size=64))
def test_no_token_gets_through_wherever_it_stands(number: object, octets: bytes) -> None:
    for token in (str(number), octets.hex()):
        for url in (f"https://x.example/{token}", f"https://{token}@x.example/", f"https://x.example/?a={token}", f"https://x.example/#{token}"):
            assert token not in masked_url(url)


@given(st.text(max_size=400))
def test_any_text_gives_something_short(text: str) -> None:
    assert len(masked_url(f"https://x.example/{text}")) <= 300
    masked_url(text)


def test_words_are_no_tokens() -> None:
    assert not is_token_like("preferences")
    assert not is_token_like("a" * 40)
    assert is_token_like(TOKEN)


def heard(*events: tuple[str, dict[str, object]]) -> list[tuple[str, str]]:
    log = ActivityLog()
    for method, params in events:
        log.hear("page", method, params)
    return [(one.kind, one.url) for one in log.latest()]


def test_documents_links_forms_and_downloads_of_the_page_itself_are_noted() -> None:
    assert heard(
        ("Page.frameNavigated", {"frame": {"id": "page", "url": "https://a.example/one?x=1"}}),
        ("Page.frameNavigated", {"frame": {"id": "inner", "url": "https://ads.example/"}}),
        ("Page.frameRequestedNavigation", {"frameId": "page", "reason": "anchorClick", "url": "https://a.example/two"}),
        ("Page.frameRequestedNavigation", {"frameId": "page", "reason": "scriptInitiated", "url": "https://a.example/other"}),
        ("Page.frameRequestedNavigation", {"frameId": "page", "reason": "formSubmissionPost", "url": "https://a.example/send"}),
        ("Page.navigatedWithinDocument", {"frameId": "page", "url": "https://a.example/two#/there"}),
        ("Page.downloadWillBegin", {"frameId": "page", "url": "https://a.example/file.pdf"}),
        ("Page.frameNavigated", {"frame": {"id": "page", "url": "about:blank"}}),
    ) == [
        ("visit", "https://a.example/one?x="),
        ("link", "https://a.example/two"),
        ("submit", "https://a.example/send"),
        ("move", "https://a.example/two#/there"),
        ("download", "https://a.example/file.pdf"),
    ]


def test_a_page_that_could_not_be_reached_was_not_visited() -> None:
    assert heard(("Page.frameNavigated", {"frame": {"id": "page", "url": "https://a.example/", "unreachableUrl": "https://a.example/"}})) == []


def test_a_log_has_bounds() -> None:
    log = ActivityLog()
    for number in range(MOST_AT_ONCE + 5):
        log.hear("page", "Page.navigatedWithinDocument", {"frameId": "page", "url": f"https://a.example/{number}"})
    assert len(log.latest()) == MOST_AT_ONCE
    assert log.latest()[-1].url.endswith(f"/{MOST_AT_ONCE + 4}")


def test_a_session_remembers_the_last_of_all_by_time() -> None:
    old = [Activity(NOON + timedelta(seconds=second), "visit", f"https://a.example/{second}") for second in (1, 3)]
    session = Session("00", "default", "a", activity=tuple(old))
    new = [Activity(NOON + timedelta(seconds=second), "visit", f"https://a.example/{second}") for second in (2, 4)]
    assert [one.url[-1] for one in with_activity(session, new, most=3).activity] == ["2", "3", "4"]
    assert with_activity(session, new, most=0).activity == ()


def test_no_session_prints_where_it_was() -> None:
    assert "a.example" not in repr(Session("00", "default", "a", activity=(Activity(NOON, "visit", "https://a.example/"),)))
