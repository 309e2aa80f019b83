"""Finding sites by name, file and URL."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, RecipeInvalid, SiteUnknown
from handstamp.sites import Recipe, Site, find_site, list_sites

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.async_api import Page

    from handstamp.sites import Credentials, Solver, Verdict

OWN = 'name = "{name}"\nbase_url = "https://{host}"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    return tmp_path


def put(home: Path, name: str, host: str, *, called: str | None = None) -> Path:
    path = home / "sites" / f"{name}.toml"
    path.write_text(OWN.format(name=called or name, host=host))
    return path


def find(name: str, home: Path | None = None, **env: str) -> Site:
    return find_site(name, home=home, env=env)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """An installed package with entry points of ours: its files, and a function that writes them."""

    def install(name: str, code: str, *points: str, **files: str) -> None:
        root = tmp_path / "installed"
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(code)
        for file, text in files.items():
            (root / name / file.replace("_toml", ".toml")).write_text(text)
        info = root / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[handstamp.sites]\n" + "\n".join(points) + "\n")
        monkeypatch.syspath_prepend(str(root))
        importlib.invalidate_caches()

    return install


def test_the_bundled_sites_are_there() -> None:
    portside, interpals = find("portside"), find("interpals")
    assert portside.base_url == "https://portside.example"
    assert portside.can_login
    assert portside.can_check
    assert interpals.domains == ("api.interpals.net",)
    assert not interpals.can_login
    assert interpals.can_check


def test_a_recipe_in_the_home_stands_before_a_bundled_one(home: Path) -> None:
    put(home, "portside", "mine.example")
    assert find("portside", home).base_url == "https://mine.example"


def test_a_path_is_a_recipe_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(OWN.format(name="bank", host="bank.example"))
    assert find(str(path)).name == "bank"


def test_a_missing_file_is_an_unknown_site(tmp_path: Path) -> None:
    with pytest.raises(SiteUnknown, match="there is no recipe at"):
        find(str(tmp_path / "none.toml"))


def test_a_url_of_a_known_site_is_that_site(home: Path) -> None:
    put(home, "wide", "wide.example")
    put(home, "narrow", "app.wide.example")
    (home / "sites" / "narrow.toml").write_text(OWN.format(name="narrow", host="app.wide.example") + 'domains = ["app.wide.example"]')
    assert find("https://www.wide.example/a?b#c", home).name == "wide"
    assert find("https://app.wide.example/", home).name == "narrow"
    assert find("app.wide.example", home).name == "narrow"
    assert find("https://portside.example/account").name == "portside"


def test_a_url_that_nobody_knows_is_a_site_without_recipe() -> None:
    site = find("https://mail.example.co.uk:8443/inbox?id=1")
    assert (site.name, site.base_url, site.domains) == ("mail.example.co.uk-8443", "https://mail.example.co.uk:8443", ("example.co.uk",))
    assert (site.can_login, site.can_check) == (False, False)
    assert find("http://127.0.0.1:8000/").domains == ("127.0.0.1",)
    assert find("https://notportside.example/").name == "notportside.example"
    assert find("http://[::1]:8000/").domains == ("::1",)


def test_two_ports_of_one_machine_are_two_sites() -> None:
    moved = {"HANDSTAMP_PORTSIDE_BASE_URL": "http://127.0.0.1:8001"}
    assert find("http://127.0.0.1:8001/x", **moved).name == "portside"
    assert find("http://127.0.0.1:8002/x", **moved).name == "127.0.0.1-8002"


@pytest.mark.parametrize("url", ["https://", "https://u:p@x.example/", "http://x.example:99999/"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        find(url)


def test_an_unknown_name_is_told_what_comes_near_and_what_to_do(home: Path) -> None:
    with pytest.raises(SiteUnknown) as caught:
        find("Portsid", home)
    assert "no site is called 'Portsid'; did you mean portside?" in str(caught.value)
    with pytest.raises(SiteUnknown, match="known are interpals, portside"):
        find("zzz", home)
    with pytest.raises(SiteUnknown, match=r"give its URL \(https://gmail\.com\)"):
        find("gmail.com", home)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/../b", "", "x" * 500, "a\x00b"])
def test_a_name_that_is_a_way_out_finds_nothing(home: Path, name: str) -> None:
    (home / "secret.toml").write_text(OWN.format(name="secret", host="x.example"))
    with pytest.raises(ConfigError):
        find(name, home)


def test_the_name_in_the_file_must_be_the_files(home: Path) -> None:
    put(home, "bank", "bank.example", called="other")
    with pytest.raises(RecipeInvalid, match="name is 'other' and it is found as 'bank'"):
        find("bank", home)


def test_a_broken_recipe_is_listed_with_its_problem_and_hides_no_other(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    (home / "sites" / "broken.toml").write_text("name = ")
    put(home, "good", "good.example")
    (home / "sites" / "Not A Name.toml").write_text("")
    listed = {known.name: known for known in list_sites(home=home, env={})}
    assert list(listed) == ["broken", "good", "interpals", "portside"]
    assert "is not TOML" in listed["broken"].problem
    assert listed["good"].site
    with caplog.at_level(logging.WARNING):
        assert find("https://good.example/", home).name == "good"
    assert "site 'broken' is left out" in caplog.text


def test_the_environment_moves_a_site_and_its_domains_follow() -> None:
    site = find("portside", HANDSTAMP_PORTSIDE_BASE_URL="http://127.0.0.1:8001/")
    assert (site.base_url, site.domains) == ("http://127.0.0.1:8001", ("portside.example", "127.0.0.1"))
    assert site.url("/login") == "http://127.0.0.1:8001/login"
    assert find("portside", HANDSTAMP_PORTSIDE_BASE_URL="https://test.portside.example").domains == ("portside.example",)
    with pytest.raises(ConfigError, match="HANDSTAMP_PORTSIDE_BASE_URL must begin with https://"):
        find("portside", HANDSTAMP_PORTSIDE_BASE_URL="127.0.0.1:8001")


def test_a_package_can_bring_sites_in_every_form(package: Callable[..., None]) -> None:
    code = (
        "from pathlib import Path\n"
        "from handstamp.sites import Recipe, Site\n"
        "class Bank(Site):\n    recipe = Recipe('hs-bank', 'https://bank.example', ('bank.example',))\n"
        "shop = Site(Recipe('hs-shop', 'https://shop.example', ('shop.example',)))\n"
        "toml = Path(__file__).with_name('hs-file.toml')\n"
        "wrong = 7\n"
    )
    package(
        "hsformsite",
        code,
        "hs-bank = hsformsite:Bank",
        "hs-shop = hsformsite:shop",
        "hs-file = hsformsite:toml",
        "hs-data = hsformsite",
        "hs-wrong = hsformsite:wrong",
        "hs-gone = hsformsite:nothing",
        **{"hs-file_toml": OWN.format(name="hs-file", host="file.example"), "hs-data_toml": OWN.format(name="hs-data", host="data.example")},
    )
    assert type(find("hs-bank")).__name__ == "Bank"
    assert find("hs-shop").base_url == "https://shop.example"
    assert find("hs-file").base_url == "https://file.example"
    assert find("hs-data").base_url == "https://data.example"
    with pytest.raises(RecipeInvalid, match="site 'hs-wrong' of package hsformsite is a int"):
        find("hs-wrong")
    with pytest.raises(RecipeInvalid, match="site 'hs-gone' of package hsformsite cannot be loaded"):
        find("hs-gone")
    assert {"hs-bank", "hs-shop", "hs-file", "hs-data", "portside"} <= {known.name for known in list_sites(env={}) if known.site}


def test_a_subclass_brings_its_recipe_and_its_own_ways() -> None:
    class Bank(Site):
        recipe = Recipe("bank", "https://bank.example", ("bank.example",))

        async def login(self, page: Page, credentials: Credentials, *, timeout: float = 30.0, solver: Solver | None = None) -> None:
            """Nothing to do here."""

        async def check(self, page: Page, *, timeout: float = 10.0) -> Verdict:
            raise NotImplementedError

    bank = Bank()
    assert (bank.name, bank.can_login, bank.can_check) == ("bank", True, True)
    assert bank.at("http://127.0.0.1:1").base_url == "http://127.0.0.1:1"
    assert type(bank.at("http://127.0.0.1:1")) is Bank
    assert bank.base_url == "https://bank.example"
    assert "bank" in repr(bank)


def test_a_site_without_a_recipe_says_how_to_give_one() -> None:
    with pytest.raises(TypeError, match="needs a recipe"):
        Site()


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("https://portside.example/x", True),
        ("https://a.portside.example", True),
        ("portside.example", True),
        ("https://notportside.example", False),
        ("https://portside.example.evil.example/", False),
        ("about:blank", False),
    ],
)
def test_a_site_covers_its_domains_and_what_is_below_them(url: str, *, inside: bool) -> None:
    assert find("portside").covers(url) is inside
