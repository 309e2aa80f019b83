"""What is printed where: the result on stdout, the rest on stderr, JSON for programs, and no secret for anybody."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handstamp.cli.facts import event_facts, parts_facts, session_facts, verdict_facts, version_facts
from handstamp.cli.main import UNEXPECTED, _unexpected
from handstamp.cli.output import Output
from handstamp.cli.private_file import write_private, write_private_tree
from handstamp.cli.tables import columns, health_cell, pairs
from handstamp.sites import Evidence, Verdict
from handstamp.state import Cookie, Device, Entry, Health, Loss, Part, PartId, PartKind, Session, StorageState
from handstamp.vault import Event, Version

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-7Qk2"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_programs_get_one_json_object_and_people_get_words(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).show({"a": 1}, lambda: ["words"])
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    Output().show({"a": 1}, lambda: ["words", columns(("NAME",), [["x"]])])
    assert capsys.readouterr().out == "words\nNAME\nx\n"


def test_an_error_is_json_on_stdout_or_a_sentence_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).error("It broke.", "config")
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"error": "It broke.", "code": "config"}, "")
    Output().error("It broke.", "config")
    assert capsys.readouterr() == ("", "It broke.\n")


def test_an_error_of_ours_does_not_repeat_what_it_was_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert _unexpected(ValueError(CANARY), Output(), verbose=False) == UNEXPECTED
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "ValueError" in err
    assert CANARY not in err


def test_with_json_nothing_but_the_object_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.say("for people")
    with output.working("Waiting …"):
        pass
    assert capsys.readouterr() == ("", "")


def test_tables_show_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither rich's markup nor a terminal's commands in what a site said are obeyed."""
    Output().show(None, lambda: [columns(("NAME",), [["[red]x[/red]"], ["a\x1b[2Jb"]]), pairs([("k", "[b]v")])])
    assert capsys.readouterr().out == "NAME\n[red]x[/red]\na�[2Jb\nk  [b]v\n"


def test_long_lines_are_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Output().show(None, lambda: [columns(("A", "B"), [["x" * 300, "y"]])])
    assert capsys.readouterr().out.splitlines()[1] == f"{'x' * 300}  y"


@pytest.mark.parametrize("health", list(Health))
def test_each_health_has_a_colour_and_its_own_word(health: Health) -> None:
    assert health_cell(health).plain == health.value


def test_a_state_is_told_by_names_without_values() -> None:
    cookie = Cookie("sid", CANARY, "example.com", expires=2e9)
    parts = [
        Part(PartId(PartKind.COOKIES, "example.com"), {cookie.key: Entry(cookie)}),
        Part(PartId(PartKind.LOCAL, "https://example.com"), {("token",): Entry(CANARY), ("gone",): Entry(None)}),
        Part(PartId(PartKind.SESSION, "https://example.com"), {("tab1", "csrf"): Entry(CANARY)}),
    ]
    facts = parts_facts(StorageState.of(parts))
    assert [(part["kind"], part["count"]) for part in facts] == [("cookies", 1), ("local", 1), ("session", 1)]
    assert facts[0]["cookies"][0]["name"] == "sid"
    assert [part.get("names") for part in facts[1:]] == [["token"], ["csrf"]]
    assert CANARY not in json.dumps(facts)


def test_a_session_is_told_whole_but_for_its_proxy() -> None:
    device = Device(user_agent="Agent", proxy=f"http://user:{CANARY}@proxy")
    session = Session("1f", "work", "portside", username="dana", device=device, health=Health.VALID, logged_in_at=AT, losses=(Loss("quota", "here", "why"),))
    facts = session_facts(session)
    assert facts.keys() == {field.name for field in dataclasses.fields(Session)} - {"activity"}  # long: `handstamp show` tells it beside
    assert facts["device"]["proxy"] is True
    assert facts["logged_in_at"] == "2026-03-01T12:00:00.000Z"
    assert facts["expires_at"] is None
    assert CANARY not in json.dumps(facts)


def test_verdicts_events_and_versions_are_json_values() -> None:
    verdict = Verdict(Health.BLOCKED, (Evidence("http", "too-many", "too many requests", AT, status=429),), until=AT)
    facts = [
        verdict_facts(verdict),
        event_facts(Event(1, AT, "login", "work", "portside", {"logins": 1})),
        version_facts(Version(PartId(PartKind.LOCAL, "https://example.com"), 3, AT, current=True, pinned=False, size=12)),
        version_facts(Version(None, 3, AT, current=True, pinned=False, size=12)),
    ]
    assert json.loads(json.dumps(facts)) == facts
    assert facts[0]["until"] == "2026-03-01T12:00:00.000Z"
    assert facts[2]["part"] == "local/https://example.com"


def test_a_private_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    write_private(tmp_path / "state.json", b"{}")
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    write_private_tree(tmp_path / "tree", {"cookies/example.com.json": b"[]"})
    assert (tmp_path / "tree").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "tree" / "cookies" / "example.com.json").stat().st_mode & 0o777 == 0o600
