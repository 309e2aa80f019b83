"""The main job, as a user does it: log in once, come back from another process, another browser, another machine."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

REACH = """
    import os
    from handstamp.sync_api import signed_in
    with signed_in("portside") as context:
        page = context.new_page()
        page.goto(os.environ["HANDSTAMP_PORTSIDE_BASE_URL"] + "/containers")
        page.wait_for_selector("table tbody tr")     # the script's own API call, by the token in localStorage
        page.goto(os.environ["HANDSTAMP_PORTSIDE_BASE_URL"] + "/account")
        print(page.url.rsplit("/", 1)[1], page.get_by_role("button", name="Log out").count())
"""
STAY = """
    import sys
    from handstamp.sync_api import signed_in
    with signed_in("portside") as context:
        print("in", flush=True)
        sys.stdin.read()
"""
INSIDE = "account 1\n"


def test_a_second_process_with_a_fresh_browser_is_signed_in_after_one_login(demo, machine, password) -> None:
    first = machine().run(REACH, **password)
    assert (first.stdout, first.stderr) == (INSIDE, "")
    again = machine().run(REACH)  # without the password
    assert (again.stdout, again.stderr) == (INSIDE, "")
    assert demo.control.stats().portside.logins == 1


def test_a_process_that_is_killed_after_the_login_costs_nothing(demo, machine, password) -> None:
    process = machine().start(STAY, **password)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    again = machine().run(REACH)
    assert (again.stdout, again.stderr) == (INSIDE, "")
    assert demo.control.stats().portside.logins == 1


def test_a_killed_process_leaves_no_browser_and_the_next_one_removes_its_directory(machine, password, tmp_path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = machine(TMPDIR=str(temporary)).start(STAY, **password)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    (user_data,) = temporary.glob("handstamp-browser-*")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    machine(TMPDIR=str(temporary)).run(REACH)
    assert not user_data.exists()
    assert not [pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and str(user_data) in _command_line(pid)]


def _command_line(pid: Path) -> str:
    try:
        return (pid / "cmdline").read_text()
    except OSError:
        return ""


def test_a_copied_vault_opens_on_another_machine_with_the_key(demo, machine, password, tmp_path) -> None:
    machine("one").run(REACH, **password)
    key = machine("one").run("from handstamp.vault import Vault, export_key; print(export_key(Vault()))").stdout.strip()
    (tmp_path / "two").mkdir(mode=0o700)
    shutil.copy(tmp_path / "one" / "vault.db", tmp_path / "two" / "vault.db")
    there = machine("two").run(REACH, HANDSTAMP_KEY=key)
    assert (there.stdout, there.stderr) == (INSIDE, "")
    assert demo.control.stats().portside.logins == 1
    without = machine("two").run(REACH)
    assert "KeyMissing" in without.stderr
    assert key not in without.stderr


def test_a_saved_session_opens_while_the_site_is_down(demo, machine, password) -> None:
    machine().run(REACH, **password)
    demo.control.set(error_share=1.0)
    down = machine().run(
        """
        import os
        from handstamp.sync_api import signed_in
        with signed_in("portside") as context:
            print(len(context.cookies()) > 0)
        """
    )
    assert down.stdout == "True\n"
    assert "going on with what is saved" in down.stderr
    demo.control.set(error_share=0.0)
    assert machine().run(REACH).stdout == INSIDE
    assert demo.control.stats().portside.logins == 1
