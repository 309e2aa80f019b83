"""What a failed login is over HTTP: only credentials that were refused are the caller's to correct."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handstamp.errors import LoginFailed
from handstamp.sites import form_errors
from handstamp.sites.form_moves import Stop
from handstamp.state import Health


@pytest.mark.parametrize(("health", "status"), [(Health.EXPIRED, 401), ("expired", 401), (Health.UNKNOWN, 502), (Health.BLOCKED, 503)])
def test_the_status_of_a_failed_login_says_whose_fault_it_is(health: str, status: int) -> None:
    assert LoginFailed("no", health=health, until=datetime(2026, 3, 1, tzinfo=UTC)).http_status == status


def test_the_class_keeps_its_usual_status() -> None:
    assert (LoginFailed("no", health="unknown").http_status, LoginFailed("no").http_status, LoginFailed.http_status) == (502, 401, 401)


@pytest.mark.parametrize(("reason", "status"), [(Stop.REFUSED, 401), (Stop.TROUBLE, 502), (Stop.BLOCKED, 503)])
def test_a_login_that_the_site_stopped_has_the_status_of_its_reason(reason: Stop, status: int) -> None:
    assert form_errors.stopped(reason, "portside", "dana", "http://portside.localhost/login", status=503, headers={}).http_status == status
