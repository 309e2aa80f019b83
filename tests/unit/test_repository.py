"""What the repository promises about itself."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import handstamp._version

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]

# In pieces, so that this file does not name what it looks for.
REGISTRY_HOSTS = [
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("proxy", "golang", "org"),
        ("anaconda", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("playwright", "azureedge", "net"),
        ("cdn", "playwright", "dev"),
    )
]


def _files_in_git() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_the_host_of_a_package_registry() -> None:
    pattern = re.compile("|".join(map(re.escape, REGISTRY_HOSTS)).encode())
    named = [f"{path.relative_to(ROOT)}: {found[0].decode()}" for path in _files_in_git() if (found := pattern.search(path.read_bytes()))]
    assert named == []


def test_there_is_one_lock_and_it_is_not_uvs_own() -> None:
    assert not [path for path in _files_in_git() if path.name == "uv.lock"]


@pytest.mark.parametrize("lock", ["all.txt", "uv.txt"])
def test_the_lock_has_a_hash_for_every_package(lock: str) -> None:
    text = re.sub(r"\\\n", " ", (ROOT / "requirements" / lock).read_text())
    packages = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert packages
    assert [line for line in packages if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_the_lock_has_every_package_that_pyproject_names() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "all.txt").read_text(), re.MULTILINE))
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = document["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values(), *document["dependency-groups"].values()]
    named = {re.split(r"[\[<>=;~! ]", requirement, maxsplit=1)[0].lower() for group in groups for requirement in group}
    assert named - locked - {"handstamp"} == set()


def test_the_license_is_apache_2_and_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_every_lint_exclusion_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    start = lines.index("[tool.ruff.lint]")
    exclusions = [line for line in lines[start:] if re.match(r'\s+"[A-Z]+[0-9]*",', line)]
    assert len(exclusions) > 10
    assert [line for line in exclusions if not re.search(r'",\s+# \S', line)] == []


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == handstamp._version.__version__


def test_every_folder_of_the_package_says_what_it_is_for() -> None:
    folders = {path.parent for path in _files_in_git() if path.suffix == ".py" and ROOT / "src" in path.parents}
    assert ROOT / "src" / "handstamp" in folders
    silent = [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not _docstring(folder / "__init__.py")]
    assert silent == []


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text())) if path.exists() else None


def test_the_index_of_the_docs_is_what_make_docs_writes() -> None:
    subprocess.run([sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, check=True)


def test_every_link_between_the_pages_leads_somewhere() -> None:
    pages = [path for path in _files_in_git() if path.suffix == ".md"]
    links = [(page, target) for page in pages for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())]
    assert links
    assert [f"{page.relative_to(ROOT)}: {target}" for page, target in links if not (page.parent / target).exists()] == []


def test_the_menu_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert declared - {"setup-test"} == set(re.findall(r"^  ([a-z-]+) ", shown, re.MULTILINE))


def test_ci_runs_the_whole_suite() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert (ROOT / "scripts" / "bootstrap").stat().st_mode & 0o111


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite under this one's conftest: a test and a module that skip for want of a browser, and a test that skips for another reason."""
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    pytester.makepyfile(
        test_one="import pytest\ndef test_a(): pytest.skip('no Chromium here')\ndef test_b(): pytest.skip('no vectors beside this checkout')",
        test_two="import pytest\npytest.skip('chromedriver is missing', allow_module_level=True)",
    )
    return pytester


def test_in_ci_only_what_ci_cannot_have_may_be_skipped(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    suite.runpytest_subprocess("-p", "no:randomly", "--continue-on-collection-errors").assert_outcomes(failed=1, errors=1, skipped=1)


def test_elsewhere_a_skip_is_a_skip(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    suite.runpytest_subprocess("-p", "no:randomly").assert_outcomes(skipped=3)


def test_a_python_that_is_too_old_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap", tmp_path / "scripts")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dirname").symlink_to(shutil.which("dirname"))
    (programs / "python3").write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\n')
    (programs / "python3").chmod(0o755)
    answer = subprocess.run([tmp_path / "scripts" / "bootstrap", "setup"], env={"PATH": str(programs)}, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer, and here is Python 3.9.2" in answer.stderr
    assert "apt-get install -y python3" in answer.stderr
