"""Settings of the server: where they come from, what is refused."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from handstamp.errors import ConfigError
from handstamp.server import ServerSettings, server_settings
from handstamp.server.hosts import allowed_names, check_host

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def put(folder: Path, text: str) -> Path:
    (folder / "handstamp.toml").write_text(text)
    return folder


def test_without_anything_the_server_is_for_this_machine_only(tmp_path: Path) -> None:
    found = server_settings(path=tmp_path, environ={})
    assert (found.host, found.port, found.max_sessions) == ("127.0.0.1", 8900, 10)
    assert (found.session_refresh_interval, found.session_timeout) == (300, 1800)


def test_a_flag_rises_above_a_variable_and_that_above_the_file(tmp_path: Path) -> None:
    put(tmp_path, "[server]\nport = 1\nmax_sessions = 2\nqueue_seconds = 3\n")
    environ = {"HANDSTAMP_SERVER_PORT": "4", "HANDSTAMP_SERVER_MAX_SESSIONS": "5"}
    found = server_settings({"port": "6"}, path=tmp_path, environ=environ)
    assert (found.port, found.max_sessions, found.queue_seconds) == (6, 5, 3)


def test_lists_come_from_all_three(tmp_path: Path) -> None:
    put(tmp_path, '[server]\nallowed_hosts = ["a.example", "b.example"]\n')
    assert server_settings(path=tmp_path, environ={}).allowed_hosts == ("a.example", "b.example")
    assert server_settings({"allowed_hosts": "c.example, d.example"}, path=tmp_path, environ={}).allowed_hosts == ("c.example", "d.example")


@pytest.mark.parametrize("name", ["*", "*.example.com", "example.com", "EXAMPLE.com.", "server_a", "192.0.2.7", "::1", "2001:db8::7", "bücher.example"])
def test_a_host_that_callers_can_name_may_be_allowed(tmp_path: Path, name: str) -> None:
    assert server_settings({"allowed_hosts": name}, path=tmp_path, environ={}).allowed_hosts == (name,)
    header = f"[{name}]" if ":" in name else name.replace("*", "any")
    check_host(f"{header}:8900", allowed_names("0.0.0.0", (name,)))  # noqa: S104  (nothing is served)


@pytest.mark.parametrize(
    "name", ["example.com:8900", "[::1]", "[::1]:8900", "http:x", "//x", "x/y", "*.", "*x.example", "a.*.example", "a b", "me@x", "a..b", ".", "192.0.2.7:1"]
)
def test_a_host_that_no_request_could_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--allowed-hosts is something else than a list of host names or IP addresses, without scheme, port or brackets"):
        server_settings({"allowed_hosts": f"good.example, {name}"}, path=tmp_path, environ={})
    with pytest.raises(ConfigError, match=r"'allowed_hosts' to something else than .*, without scheme, port or brackets"):
        server_settings(path=put(tmp_path, f'[server]\nallowed_hosts = ["{name}"]\n'), environ={})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "'prot', which is no setting; known are host, port"),
        ("port = 70000", "'port' to something else than a whole number from 0 to 65535"),
        ("port = true", "'port' to something else than a whole number"),
        ("session_timeout = nan", "'session_timeout' to something else than a number of seconds from 1"),
        ('isolation = "none"', "'isolation' to something else than 'shared' or 'session'"),
        ('allowed_hosts = ["http://a.example"]', "'allowed_hosts' to something else than a list of host names"),
        ("host = 5", "'host' to something else than a text"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        server_settings(path=put(tmp_path, f"[server]\n{text}\n"), environ={})


@pytest.mark.parametrize(("name", "text"), [("PORT", "many"), ("PORT", "-1"), ("SESSION_TIMEOUT", "inf"), ("LOG_FORMAT", "xml")])
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"HANDSTAMP_SERVER_{name} is something else than"):
        server_settings(path=tmp_path, environ={f"HANDSTAMP_SERVER_{name}": text})


def test_a_variable_that_names_no_setting_is_an_error_but_not_the_clients_token(tmp_path: Path) -> None:
    assert server_settings(path=tmp_path, environ={"HANDSTAMP_SERVER_TOKEN": "t", "HANDSTAMP_SERVER": "http://x.example"}).port == 8900
    with pytest.raises(ConfigError, match="HANDSTAMP_SERVER_MAX_SESSION names no setting"):
        server_settings(path=tmp_path, environ={"HANDSTAMP_SERVER_MAX_SESSION": "3"})


def test_a_table_in_the_place_of_the_server_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'server' to something else than a table"):
        server_settings(path=put(tmp_path, "server = 5\n"), environ={})


def test_the_page_of_settings_has_each_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE.read_text(encoding="utf-8").partition("## The server")[2].partition("\n## ")[0], re.MULTILINE))
    said = {
        one.name: "none" if one.default == () else f"`{one.default:g}`" if isinstance(one.default, float) else f"`{one.default}`"
        for one in fields(ServerSettings)
    }
    assert rows.items() >= said.items()
