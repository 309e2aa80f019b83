"""Which server a client calls, and which token goes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from handstamp.errors import ConfigError
from handstamp.remote.address import find_server

AWAY = "https://sessions.example"


def found(url: str | None = None, token: str | None = None, *, environ: dict[str, str] | None = None, folder: Path = Path("/nowhere"), insecure: bool = False):
    address = find_server(url, token, insecure=insecure, environ=environ or {}, folder=lambda: folder)
    return address.url, address.token


def test_arguments_count_before_the_environment_and_that_before_this_machine(tmp_path: Path) -> None:
    (tmp_path / "server.token").write_text("hs_here\n")
    environ = {"HANDSTAMP_SERVER": AWAY, "HANDSTAMP_SERVER_TOKEN": "hs_away"}
    assert found(f"{AWAY}/", "hs_given", environ=environ, folder=tmp_path) == (AWAY, "hs_given")
    assert found(environ=environ, folder=tmp_path) == (AWAY, "hs_away")
    assert found(folder=tmp_path) == ("http://127.0.0.1:8900", "hs_here")
    assert found(environ={"HANDSTAMP_SERVER_TOKEN": "hs_away"}, folder=tmp_path) == ("http://127.0.0.1:8900", "hs_away")
    assert found() == ("http://127.0.0.1:8900", None)


def test_a_token_goes_to_no_server_that_it_was_not_given_for(tmp_path: Path) -> None:
    (tmp_path / "server.token").write_text("hs_here")
    environ = {"HANDSTAMP_SERVER": AWAY, "HANDSTAMP_SERVER_TOKEN": "hs_away"}
    assert found("https://other.example", environ=environ, folder=tmp_path) == ("https://other.example", None)
    assert found("http://localhost:8901", environ=environ, folder=tmp_path) == ("http://localhost:8901", "hs_here")
    assert found(f"{AWAY}:443/", environ=environ, folder=tmp_path) == (f"{AWAY}:443", "hs_away")
    assert found(AWAY, folder=tmp_path) == (AWAY, None)


def test_in_clear_only_this_machine_is_called_unless_somebody_says_so() -> None:
    for url in ("http://127.0.0.1:8900", "http://[::1]:1", "http://localhost", "http://a.localhost:2"):
        assert found(url) == (url, None)
    for url in ("http://10.0.0.7:8900", "http://sessions.example", "http://127.0.0.1.example", "http://localhost.example"):
        with pytest.raises(ConfigError, match="in clear"):
            found(url, "hs_token")
        assert found(url, "hs_token", insecure=True) == (url, "hs_token")


@pytest.mark.parametrize(
    "url", ["sessions.example", "ftp://sessions.example", "https://", "https://a:b", "https://[::1", "https://dana:canary@a.example", "https://a/?t=canary"]
)
def test_what_is_no_url_of_a_server_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        found(url)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("token", ["", "hs_canary\nX-Other: 1", "hs canary", "hs_canäry"])
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigError, match="token") as refused:
        found(AWAY, token)
    assert "can" not in str(refused.value)


def test_a_token_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "server.token").symlink_to(tmp_path / "other")
    with pytest.raises(ConfigError, match="symbolic link"):
        found(folder=tmp_path)
