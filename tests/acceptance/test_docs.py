"""What the pages say is so: their code runs, their recipes parse, their commands exist, their links lead somewhere."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest

from handstamp.cli.menu import MENU
from handstamp.cli.parser import Usage, parse
from handstamp.home import Settings, settings
from handstamp.sites import Bearer, ChallengeMarker, Check, Condition, KeepAlive, Login, Recipe, SessionRules, Step, StepKind, TotpSettings, parse_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import DemoServers

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PASSWORD = "harbour-light-7"
# Take too long here, an id, a person, or a client: test_cli_ends.py, test_cli_keeping.py, test_cli_windows.py, tests/integration/mcp
WITH_TESTS_OF_THEIR_OWN = {"demo", "answer", "learn", "mcp"}


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Args:
        page: the file.
        line: of the page where it begins.
        about: what stands behind the three backticks.
        code: of the block.
    """

    page: Path
    line: int
    about: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(*about: str, page: Path | None = None) -> list[Block]:
    """All blocks of these kinds."""
    found = []
    for path in PAGES if page is None else [page]:
        text = path.read_text(encoding="utf-8")
        fenced = re.finditer(r"^```([^\n`]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        found += [Block(path, text.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in fenced if match[1] in about]
    return found


def page(name: str) -> Path:
    return ROOT / "docs" / name


def shell_lines(*pages: Path) -> list[tuple[str, str]]:
    """Where, and the line: of all shell blocks on these pages, or on all."""
    return [(str(block), line) for path in pages or PAGES for block in blocks("sh", page=path) for line in block.code.splitlines() if line.strip()]


def spans(path: Path) -> list[str]:
    """Code within sentences, without the blocks."""
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


# -- Python ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("python", "python run"), ids=str)
def test_python_on_a_page_is_python(block: Block) -> None:
    compile(block.code, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)


@pytest.mark.parametrize("block", blocks("python run"), ids=str)
def test_python_that_says_so_runs(block: Block, machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    done = here.run(block.code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.timeout(60)  # a login and two sessions, each with a browser of its own
def test_the_example_of_the_readme_runs_as_it_is_printed(demo: DemoServers, machine: Callable[..., Any], tmp_path: Path) -> None:
    (example,) = blocks("python", page=ROOT / "README.md")
    here, file = machine(), tmp_path / "example.py"
    file.write_text(example.code)
    (login,) = [line for _, line in shell_lines(ROOT / "README.md") if " login " in line]
    words = shlex.split(login, comments=True)
    assert words.pop(0) == ".venv/bin/handstamp"
    assert here.handstamp(*words, "--password-stdin", stdin=f"{PASSWORD}\n").returncode == 0
    for _ in range(2):
        done = subprocess.run([sys.executable, str(file)], env=here.environment, capture_output=True, text=True, timeout=28, check=False)
        assert (done.stdout, done.stderr) == ("Containers · Portside Terminal\n", "")
    assert demo.control.stats().portside.logins == 1


def test_names_on_a_page_are_there() -> None:
    named = {span for path in PAGES for span in spans(path) if re.fullmatch(r"handstamp(\.[a-zA-Z_]\w*)+", span)} - {"handstamp.toml"}
    assert named
    assert [name for name in sorted(named) if not _is_there(name)] == []


def _is_there(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        found = import_module(module)
        return hasattr(found, attribute) or bool(import_module(name))
    except ImportError:
        return False


# -- recipes and settings -------------------------------------------------------------------------------------


RECIPES = blocks("toml recipe")
# A block that shows one table stands on these.
HEAD = 'name = "harbour"\nbase_url = "https://app.harbour.example"\n'
LOGIN = '[login]\nurl = "/login"\nsteps = {click = "button"}\n'
CHECK = '\n[check]\nurl = "/account"\nlogged_in = {status = 200}\n'


@pytest.mark.parametrize("block", RECIPES, ids=str)
def test_a_recipe_on_a_page_parses(block: Block) -> None:
    given = tomllib.loads(block.code)
    before = ("" if "name" in given else HEAD) + (LOGIN if "steps" not in given.get("login", {"steps": ()}) else "")
    assert parse_recipe(before + block.code + ("" if "check" in given else CHECK), source=str(block)).name == "harbour"


@pytest.mark.timeout(60)  # a login and a session, each with a browser of its own
def test_the_whole_recipe_works_at_a_site(demo: DemoServers, machine: Callable[..., Any], tmp_path: Path) -> None:
    """At the stand-in site, which is moved to where the recipe's site would be; by name from the home directory, and by path."""
    recipe = tmp_path / "one" / "sites" / "harbour.toml"
    recipe.parent.mkdir(mode=0o700, parents=True)
    recipe.write_text(RECIPES[0].code)
    here = machine(HANDSTAMP_HARBOUR_BASE_URL=demo.portside.url)
    assert here.facts("login", "harbour", "--username", "demo", "--password-stdin", stdin=f"{PASSWORD}\n")["session"]["health"] == "valid"
    assert here.facts("check", "harbour")["evidence"][-1]["check"] == "http"
    done = here.run(f"""
        from handstamp.sync_api import signed_in
        with signed_in({str(recipe)!r}) as context:
            page = context.new_page()
            page.goto("/account")
            print(page.url.rpartition("/")[2])
    """)
    assert (done.stdout, done.stderr) == ("account\n", "")
    assert demo.control.stats().portside.logins == 1


def test_every_field_of_a_recipe_is_in_an_example() -> None:
    kinds = (Recipe, Login, ChallengeMarker, TotpSettings, Check, Condition, KeepAlive, SessionRules, Bearer)
    declared = {field.name for kind in kinds for field in fields(kind)} - {"source"}
    declared |= {*StepKind} | {field.name for field in fields(Step)} - {"kind", "target"}
    shown = {key for block in RECIPES for key in _keys(tomllib.loads(block.code))}
    assert declared - shown == set()


def _keys(value: Any) -> Iterator[str]:
    for key, below in value.items() if isinstance(value, dict) else ():
        yield key
        yield from _keys(below)
    for item in value if isinstance(value, list) else ():
        yield from _keys(item)


def test_the_settings_on_the_page_are_all_there_are_and_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDSTAMP_BROWSER", raising=False)
    (block,) = blocks("toml settings")
    (tmp_path / "handstamp.toml").write_text(block.code)
    assert tomllib.loads(block.code).keys() == {field.name for field in fields(Settings)}
    assert settings(tmp_path).history_versions == Settings().history_versions


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_other_toml_is_toml(block: Block) -> None:
    assert tomllib.loads(block.code)


def test_every_variable_of_ours_is_on_the_page_of_settings() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    general = {name for name in re.findall(r"HANDSTAMP_[A-Z]+", code) if f'"{name}"' in code or f"`{name}`" in code}
    said = page("reference/settings.md").read_text(encoding="utf-8")
    assert {"HANDSTAMP_HOME", "HANDSTAMP_KEY"} <= general
    assert [name for name in sorted(general) if f"`{name}`" not in said] == []


# -- the command line -----------------------------------------------------------------------------------------


def commands_in(line: str) -> list[list[str]]:
    """The calls of handstamp in a shell line."""
    calls: list[list[str]] = [[]]
    for word in shlex.split(line, comments=True):
        if word in {"|", "&&", ";"}:
            calls.append([])
        else:
            calls[-1].append(word)
    return [words[1:] for words in calls if words and Path(words[0]).name == "handstamp"]


def test_commands_on_the_pages_exist_with_their_options() -> None:
    typed = [(where, words) for where, line in shell_lines() for words in commands_in(line)]
    assert len(typed) > 30
    assert [f"{where}: handstamp {shlex.join(words)}: {why}" for where, words in typed if (why := _refused(words))] == []


def test_commands_in_sentences_exist_with_what_is_said_of_them() -> None:
    written = [path for path in PAGES if path != page("reference/commands.md")]  # that one is made from the parser
    named = [(path.name, words) for path in written for span in spans(path) if span.startswith("handstamp ") for words in commands_in(span)]
    assert len(named) > 20
    wrong = [(where, words, why) for where, words in named if "COMMAND" not in words and (why := _refused(words)) and "required" not in why]
    assert wrong == []  # a sentence need not give all that is required


def _refused(words: list[str]) -> str:
    try:
        parse(words)
    except Usage as error:
        return str(error)
    return ""


def test_make_targets_on_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    written = [span for path in PAGES for span in spans(path)] + [line for _, line in shell_lines()]
    named = {call[1] for text in written if (call := re.match(r"make ([a-z-]+)", text))}
    assert {"demo", "test"} <= named <= targets


def test_every_command_has_an_example() -> None:
    text = page("how-to/command-line.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    declared = [command.name for commands in MENU.values() for command in commands]
    assert sorted(sections) == sorted(declared)
    assert [name for name, section in sections.items() if not re.search(rf"^(.*\| )?handstamp {name}\b", section, re.MULTILINE)] == []


@pytest.mark.timeout(120)  # two dozen processes, some with a browser
def test_the_examples_of_the_command_line_run_one_after_another(demo: DemoServers, machine: Callable[..., Any], tmp_path: Path) -> None:
    ran = _walk(machine(), page("how-to/command-line.md"), tmp_path)
    assert len(ran) > 20
    assert demo.control.stats().portside.logins == 1


@pytest.mark.timeout(60)
def test_the_examples_of_import_and_export_run(machine: Callable[..., Any], brought: Callable[..., None], tmp_path: Path) -> None:
    here, person = machine(), pyrage.x25519.Identity.generate()
    brought(here)
    (tmp_path / "dana.txt").write_text(str(person))
    assert _walk(here, page("how-to/formats.md"), tmp_path, replaced={r"age1\w+": str(person.to_public())})


def _walk(here: Any, path: Path, folder: Path, replaced: dict[str, str] | None = None) -> list[str]:
    """Run every shell line of a page, but those of commands that have tests of their own; each has to end well."""
    program = folder / "bin" / "handstamp"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m handstamp.cli "$@"\n')
    program.chmod(0o755)
    environment = here.environment | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    lines = [line for _, line in shell_lines(path) if not any(words[0] in WITH_TESTS_OF_THEIR_OWN for words in commands_in(line))]
    for line in lines:
        for pattern, value in (replaced or {}).items():
            line = re.sub(pattern, value, line)  # noqa: PLW2901  (the same line, with a key that the test has)
        done = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=28, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return lines


# -- links ----------------------------------------------------------------------------------------------------


def links() -> list[tuple[Path, str, str]]:
    """Page, text and target of every link to another file or section."""
    return [(path, text, target) for path in PAGES for text, target in re.findall(r"\[([^\]]+)\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8"))]


def test_links_to_sections_lead_to_a_heading() -> None:
    to_sections = [(path, *target.split("#")) for path, _, target in links() if "#" in target]
    assert to_sections
    assert [f"{path.name}: {file}#{section}" for path, file, section in to_sections if section not in _sections(path.parent / file if file else path)] == []


def _sections(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_cannot_of_the_threat_model_names_a_test_that_is_there() -> None:
    named = [(text.strip("`"), (path.parent / target).resolve()) for path, text, target in links() if text.startswith("`test_")]
    assert len(named) > 25
    assert [name for name, file in named if f"def {name}(" not in file.read_text(encoding="utf-8")] == []
    security = page("security.md").read_text(encoding="utf-8").partition("## Who can do what")[2].partition("\n## ")[0]
    points = re.findall(r"^- (.*?)(?=^- |^\*\*|\Z)", security, re.MULTILINE | re.DOTALL)
    claims = [point for point in points if point.startswith("cannot") or " cannot get at " in point]
    assert len(claims) > 15
    assert [textwrap.shorten(claim, 80) for claim in claims if "`test_" not in claim and "first of these" not in " ".join(claim.split())] == []
