"""What a service's author may leave out, and what not."""

from __future__ import annotations

import pytest

from handstamp import ServiceClient
from handstamp.errors import LoginRequired
from handstamp.http.service import Call, ServiceBase


class Toll(ServiceBase):
    service = "toll"
    service_url = "http://toll.test"
    secret_names = ("token",)
    check = Call("GET", "/me")

    def signature(self, secrets):
        return {"Authorization": secrets["token"]}


class TollClient(Toll, ServiceClient):
    pass


def test_a_service_without_a_login_of_its_own_gets_its_secrets_another_way() -> None:
    with TollClient(relogin=lambda: {"token": "t-1"}) as client:
        client.login()
        assert client.export_session()["token"] == "t-1"


def test_with_neither_it_says_what_to_give() -> None:
    with TollClient("dana", "reed-41") as client, pytest.raises(LoginRequired, match="relogin=") as told:
        client.login()
    assert "reed-41" not in str(told.value)


def test_a_service_that_does_not_say_how_a_login_is_carried_makes_no_client() -> None:
    class Unsigned(ServiceClient):
        service = "unsigned"

    with pytest.raises(TypeError, match="signature"):
        Unsigned()
