"""`handstamp run` as a person and as a program meet it: bundled operations, and those of a site of one's own."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.demo import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import DemoServers

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(120)  # several processes, each with a browser of its own

OWN = '''
"""What I do at portside."""
from pydantic import BaseModel, SecretStr
from handstamp.sites.operation import Run, operation, workflow

class Which(BaseModel):
    page: str = "containers"

class Title(BaseModel):
    title: str
    rows: list[dict[str, int]] = []
    file: str = ""

@operation(gives=Title, repeatable=True)
async def get_title(run: Run, given: Which) -> Title:
    """The title of a page."""
    await run.page.goto(run.site.url(f"/{given.page}"))
    return Title(title=await run.page.title(), rows=[{"a": 1, "b": 2}], file=await run.keep("note.txt", b"hello"))

class Where(BaseModel):
    terminal: str

class Sign(BaseModel):
    pin: SecretStr

async def where(run: Run, given: Where) -> None:
    await run.page.goto(run.site.url("/containers"))

async def sign(run: Run, given: Sign) -> Title:
    return Title(title=f"{await run.page.title()}, signed with {len(given.pin.get_secret_value())} digits")

OPERATIONS = (get_title, workflow("sign", where, sign, gives=Title, about="Sign for something."))
'''


@pytest.fixture
def here(machine: Callable[..., Any], password: dict[str, str]) -> Any:
    """A machine with operations of its own for portside."""
    made = machine("run", **password)
    sites = Path(made.environment["HANDSTAMP_HOME"]) / "sites"
    sites.mkdir(mode=0o700, parents=True)
    sites.parent.chmod(0o700)
    (sites / "portside.py").write_text(OWN)
    (sites / "portside.py").chmod(0o600)
    return made


def test_all_operations_of_a_site_are_listed(here: Any) -> None:
    listed = here.facts("run", "portside")
    names = [one["name"] for one in listed["operations"]]
    assert names[:2] == ["get_title", "sign"]
    assert {"get_containers", "get_container_timeline", "check_appointments", "make_appointment"} < set(names)
    sign = listed["operations"][1]
    assert (sign["workflow"], [list(phase["fields"]["properties"]) for phase in sign["phases"]]) == (True, [["terminal"], ["pin"]])
    shown = here.handstamp("run", "portside")
    assert "get_title" in shown.stdout
    assert "terminal; pin" in shown.stdout


def test_an_operation_prints_its_result_and_puts_its_files_where_it_is_told(here: Any, tmp_path: Path, demo: DemoServers) -> None:
    facts = here.facts("run", "portside", "get_title", "--out", str(tmp_path / "out"), "--evidence")
    assert facts["title"] == "Containers · Portside Terminal"
    assert Path(facts["file"]).read_text() == "hello"
    assert Path(facts["file"]).parent == tmp_path / "out"
    with zipfile.ZipFile(facts["debug_bundle_url"]) as bundle:
        assert "requests.har" in bundle.namelist()
    shown = here.handstamp("run", "portside", "get_title", "--page", "account")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Containers" not in shown.stdout
    assert demo.control.stats().portside.logins == 1


def test_a_workflow_stops_with_the_command_that_goes_on_and_its_secret_comes_from_stdin(here: Any) -> None:
    stopped = here.handstamp("run", "portside", "sign", "--terminal", "T1")
    assert stopped.returncode == 14
    assert "Missing required field for Phase 2: pin" in stopped.stderr
    line = next(line for line in stopped.stderr.splitlines() if line.startswith("Go on with: "))
    words = line.removeprefix("Go on with: handstamp ").split()
    again = here.handstamp(*words, "--json", stdin="4711\n")
    assert again.returncode == 0, again
    assert json.loads(again.stdout)["title"].endswith("signed with 4 digits")
    assert "4711" not in again.stdout + again.stderr


def test_for_programs_an_error_has_all_that_is_needed_to_go_on(here: Any) -> None:
    facts = here.facts("run", "portside", "sign", status=14)
    assert (facts["code"], facts["missing"], facts["current_phase"], facts["repeatable"]) == ("input-missing", ["terminal"], 1, True)
    assert len(facts["appointment_session_id"]) == 32
    assert Path(facts["debug_bundle_url"]).exists()  # workflows leave evidence each time
    wrong = here.facts("run", "portside", "sign", "--resume", "0" * 32, status=14)
    assert wrong["code"] == "workflow-ended"


def test_bundled_operations_run_from_the_command_line(here: Any, demo: DemoServers) -> None:
    assert demo.portside.url
    facts = here.facts("run", "portside", "get_containers")
    assert facts["containers"]
    number = facts["containers"][0]["number"]
    timeline = here.facts("run", "portside", "get_container_timeline", "--container-id", number)
    assert isinstance(timeline["passed_pregate"], bool)
    refused = here.handstamp("run", "portside", "get_container_timeline", "--container-id", "NONE0000000")
    assert refused.returncode == 14
    assert "has no container NONE0000000" in refused.stderr


def test_the_same_call_in_python_sync_and_async(here: Any) -> None:
    done = here.run(
        f"""
        import asyncio
        from handstamp.errors import ConfigError
        from handstamp.operations import call
        from handstamp.operations.sync_api import call as call_now

        print(call_now("portside", "get_title", given={{"page": "containers"}}).result.title)
        async def main():
            print((await call("portside", "get_title", username={BUILT_IN[0].username!r})).result.title)
            try:
                call_now("portside", "get_title")
            except ConfigError as error:
                print(error)
        asyncio.run(main())
        """
    )
    assert done.stdout.splitlines()[:2] == ["Containers · Portside Terminal"] * 2, done
    assert "use `await handstamp.operations.call" in done.stdout


def test_the_operations_of_the_guide_work_as_they_are_printed(demo: DemoServers, machine: Callable[..., Any]) -> None:
    """At the stand-in site, which is moved to where the guide's site would be."""
    first, _, phases = _python_of("docs/how-to/operations.md")
    recipe = re.search(r"^```toml recipe\n(.*?)^```$", (ROOT / "docs/how-to/sites.md").read_text(), re.MULTILINE | re.DOTALL)
    assert recipe
    here = machine("guide", HANDSTAMP_HARBOUR_BASE_URL=demo.portside.url, HANDSTAMP_HARBOUR_USERNAME="demo", HANDSTAMP_HARBOUR_PASSWORD=BUILT_IN[0].password)
    sites = Path(here.environment["HANDSTAMP_HOME"]) / "sites"
    sites.mkdir(mode=0o700, parents=True)
    (sites / "harbour.toml").write_text(recipe[1])
    (sites / "harbour.py").write_text(f"{first}\n{phases}")
    (sites / "harbour.py").chmod(0o600)
    listed = here.facts("run", "harbour", "list_containers", "--most", "5")
    assert len(listed["numbers"]) == 5
    assert Path(listed["file_url"]).read_text().splitlines() == listed["numbers"]
    stopped = here.facts("run", "harbour", "sign_container", "--container-id", "NONE", status=14)
    assert (stopped["code"], stopped["missing"], stopped["current_phase"]) == ("operation-refused", [], 1)
    resume = stopped["appointment_session_id"]
    signed = here.facts("run", "harbour", "sign_container", "--resume", resume, "--container-id", listed["numbers"][0], "--clerk", "Ida")
    assert signed["text"] == f"{listed['numbers'][0]}, signed by Ida"


def _python_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
