"""Where a site's operations are found, and what is said of wrong ones."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from handstamp.errors import ConfigError, RecipeInvalid
from handstamp.operations import every_operation, find, find_operations
from handstamp.operations.find import find_operation
from handstamp.sites import Site, find_site
from handstamp.sites.operation import Operation, Run, operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCE = '''
"""Operations of a site of mine."""
from __future__ import annotations
from pydantic import BaseModel
from handstamp.sites.operation import Run, operation

class Given(BaseModel):
    number: Number

class Found(BaseModel):
    text: str

Number = int

@operation(gives=Found)
async def zebra(run: Run, given: Given) -> Found:
    """Look for a zebra."""

@operation(gives=Found)
async def ape(run: Run, given: Given) -> Found:
    """Look for an ape."""

OPERATIONS = (zebra, ape)
'''
RECIPE = 'name = "zoo"\nbase_url = "https://zoo.example"\ndomains = ["zoo.example"]\n'


class Found(BaseModel):
    text: str = ""


@operation(gives=Found)
async def elephant(_: Run, given: Found) -> Found:
    """Look for an elephant."""
    return given


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir(mode=0o700)
    (tmp_path / "sites" / "zoo.toml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def declare(home: Path) -> Callable[[str], Site]:
    def written(source: str) -> Site:
        file = home / "sites" / "zoo.py"
        file.write_text(source)
        file.chmod(0o600)
        return find_site("zoo", home=home)

    return written


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`packages(a=…, b=…)`: what installed packages declare for the zoo."""

    def installed(**declared: Any) -> None:
        class Entry:
            def __init__(self, name: str, value: Any) -> None:
                self.value, self.dist, self._value = name, None, value

            def load(self) -> Any:
                if isinstance(self._value, Exception):
                    raise self._value
                return self._value

        def entries(*, group: str, name: str) -> list[Any]:
            assert EntryPoint  # the real ones have the same names
            return [Entry(key, value) for key, value in declared.items()] if (group, name) == ("handstamp.operations", "zoo") else []

        monkeypatch.setattr(find, "entry_points", entries)

    return installed


def test_a_file_beside_the_recipe_declares_them_in_order(declare: Callable[[str], Site], home: Path) -> None:
    found = find_operations(declare(SOURCE), home=home)
    assert list(found) == ["zebra", "ape"]
    assert found["zebra"].about == "Look for a zebra."
    assert found["ape"].phases[0].fields.model_validate({"number": "3"}).model_dump() == {"number": 3}


def test_the_file_is_read_again_when_it_was_written_again_and_only_then(declare: Callable[[str], Site], home: Path) -> None:
    site = declare(SOURCE)
    first = find_operations(site, home=home)["ape"]
    assert find_operations(site, home=home)["ape"] is first
    again = find_operations(declare(SOURCE + "\nOPERATIONS = (ape,)\n"), home=home)
    assert list(again) == ["ape"]


def test_without_home_no_file_is_run(declare: Callable[[str], Site]) -> None:
    assert find_operations(declare("raise SystemExit"), home=None) == {}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1", "declares no operations"),
        ("OPERATIONS = 3", "declares no operations"),
        ("OPERATIONS = (print,)", "has a builtin_function_or_method in it"),
        (SOURCE + "OPERATIONS = (ape, ape)", "declares 'ape' twice"),
        ("import nothing_like_this", "does not run (ModuleNotFoundError"),
        ("def (", "does not run (SyntaxError"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(declare: Callable[[str], Site], home: Path, source: str, said: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        find_operations(declare(source), home=home)
    assert str(caught.value).startswith(str(home / "sites" / "zoo.py"))
    assert said in str(caught.value)


def test_a_file_that_others_can_write_is_not_run(declare: Callable[[str], Site], home: Path) -> None:
    site, file = declare("raise AssertionError('it was run')"), home / "sites" / "zoo.py"
    for path, mode in ((file, 0o622), (file, 0o606), (file.parent, 0o720)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(RecipeInvalid, match=f"{path} can be written by other users"):
            find_operations(site, home=home)
        path.chmod(before)
    os.rename(file, home / "elsewhere.py")  # noqa: PTH104
    file.symlink_to(home / "elsewhere.py")
    with pytest.raises(RecipeInvalid, match="is no plain file"):
        find_operations(site, home=home)


def test_nearer_ones_go_over_those_of_packages_and_the_class_comes_last(declare: Callable[[str], Site], home: Path, packages: Callable[..., None]) -> None:
    mine = Operation("ape", elephant.phases, Found, "of the package")
    packages(one=(mine, elephant))
    site = declare(SOURCE)
    found = find_operations(site, home=home)
    assert (list(found), found["ape"].about) == (["zebra", "ape", "elephant"], "Look for an ape.")

    class Zoo(Site):
        recipe = site.recipe
        operations = (Operation("gnu", elephant.phases, Found, "of the class"), elephant)

    packages()
    assert list(find_operations(Zoo(), home=home)) == ["zebra", "ape", "gnu", "elephant"]


def test_two_packages_must_not_declare_the_same(packages: Callable[..., None], home: Path) -> None:
    packages(one=(elephant,), two=(elephant,))
    with pytest.raises(RecipeInvalid, match="two and one both declare 'elephant' of 'zoo'"):
        find_operations(find_site("zoo", home=home))


def test_a_package_that_does_not_load_is_named(packages: Callable[..., None], home: Path) -> None:
    packages(one=ImportError("it lacks something"))
    with pytest.raises(RecipeInvalid, match=r"operations of 'zoo' in one cannot be loaded \(ImportError: it lacks something\)"):
        find_operations(find_site("zoo", home=home))


def test_all_sites_are_listed_and_a_wrong_one_costs_no_other(declare: Callable[[str], Site], home: Path, caplog: pytest.LogCaptureFixture) -> None:
    declare("OPERATIONS = 3")
    assert "get_containers" in every_operation(home)["portside"]
    assert "zoo" not in every_operation(home)
    assert "operations of 'zoo' are left out" in caplog.text
    declare(SOURCE)
    assert list(every_operation(home)["zoo"]) == ["zebra", "ape"]


def test_one_that_is_not_there_is_refused_with_what_comes_near(declare: Callable[[str], Site], home: Path) -> None:
    declare(SOURCE)
    assert find_operation("zoo", "ape", home=home)[1].name == "ape"
    for name, said in (("zebr", r"did you mean zebra\?"), ("x", "it has zebra, ape")):
        with pytest.raises(ConfigError, match=said):
            find_operation("zoo", name, home=home)
    with pytest.raises(ConfigError, match="interpals has no operations; write them to"):
        find_operation("interpals", "x", home=home)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from handstamp.operations import extra

    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "xlsxwriter" else sys)
    with pytest.raises(ConfigError, match=r"operations need xlsxwriter, .* `pip install 'handstamp\[operations\]'`"):
        find_operations(find_site("zoo", home=home))
