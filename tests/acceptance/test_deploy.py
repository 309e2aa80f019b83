"""The files in deploy/: what of them can be seen without the machines that they are for."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.browser import find_browser
from handstamp.cli.parser import Usage, parse
from handstamp.errors import BrowserMissing, ConfigError, VaultUnavailable
from handstamp.server.settings import server_settings, setting_names

if TYPE_CHECKING:
    from collections.abc import Iterator

yaml = pytest.importorskip("yaml")

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = (DEPLOY / "handstamp.service").read_text(encoding="utf-8")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
NOBODY = 65534
# Runs a program as another user, without any right, under a filter that answers EPERM to all system calls but those that are named.
CONFINED = """
    import ctypes, os, sys
    allowed = sys.argv[1].split(",")
    library, libc = ctypes.CDLL("libseccomp.so.2"), ctypes.CDLL(None)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(0x00050001)))
    numbers = [library.seccomp_syscall_resolve_name(name.encode()) for name in allowed]
    for number in numbers:
        if number >= 0:
            assert library.seccomp_rule_add(context, ctypes.c_uint32(0x7FFF0000), number, 0) == 0
    if os.geteuid() == 0:
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert library.seccomp_load(context) == 0
    os.execv(sys.argv[2], sys.argv[2:])
""".replace("NOBODY", str(NOBODY))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def values(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


# -- systemd --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "handstamp.service"
    unit.write_text(UNIT.replace("/opt/handstamp/bin/handstamp", sys.executable).replace("=postgresql.service", "="))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=30, check=False)
    assert [line for line in done.stderr.splitlines() if "handstamp" in line] == []
    assert done.returncode == 0


def test_only_settings_that_cannot_be_keep_it_from_starting_anew() -> None:
    assert values("Restart") == ["on-failure"]
    never = {int(status) for status in values("RestartPreventExitStatus")[0].split()}
    assert never == {Usage.exit_status, ConfigError.exit_status}
    assert not never & {VaultUnavailable.exit_status, BrowserMissing.exit_status}


def test_the_server_has_time_to_drain_before_it_is_killed(compose: dict[str, Any]) -> None:
    (seconds,) = values("TimeoutStopSec")
    assert values("KillMode") == ["mixed"]
    assert server_settings(environ={}).drain_seconds + 30 <= int(seconds)
    assert {service["stop_grace_period"] for service in servers(compose)} == {f"{seconds}s"}


# -- what is written there exists -----------------------------------------------------------------------------


def servers(compose: dict[str, Any]) -> list[dict[str, Any]]:
    return [service for name, service in compose["services"].items() if name.startswith("server-")]


def of_image(word: str) -> list[str]:
    """The words of a line of the Dockerfile, or of one that goes on from there."""
    (found,) = re.findall(rf"^ *{word} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


def image_variables() -> dict[str, str]:
    (lines,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    return dict(one.split("=", 1) for one in lines.replace("\\\n", " ").split())


def test_the_image_listens_for_others_whatever_flags_it_is_given(tmp_path: Path) -> None:
    assert not re.search(r"^CMD", DOCKERFILE, re.MULTILINE)  # flags after the image's name replace it
    for flags in ({}, {"max_sessions": "20"}):
        found = server_settings(flags, path=tmp_path, environ=image_variables())
        assert (found.host, found.port) == ("0.0.0.0", 8900)  # noqa: S104  (of a container)


@pytest.mark.parametrize(("port", "asked"), [(None, 8900), ("", 8900), ("9001", 9001)])
def test_the_image_asks_the_port_that_was_set_whether_it_is_well(tmp_path: Path, port: str | None, asked: int) -> None:
    program, flag, code = of_image("CMD")
    environ = {} if port is None else {"HANDSTAMP_SERVER_PORT": port}
    shown = f"import urllib.request; urllib.request.urlopen = lambda url, timeout: print(url)\n{code}"
    done = subprocess.run([sys.executable, flag, shown], env=environ, capture_output=True, text=True, timeout=30, check=True)
    assert (program, done.stdout.strip()) == ("python", f"http://127.0.0.1:{server_settings(path=tmp_path, environ=environ).port}/health")
    assert f":{asked}/" in done.stdout


def test_the_commands_are_commands_of_ours(compose: dict[str, Any]) -> None:
    (start,) = values("ExecStart")
    for words in (start.split(), of_image("ENTRYPOINT")):
        assert Path(words[0]).name == "handstamp"
        assert parse(words[1:])
    assert [service.get("command") for service in servers(compose)] == [None, None]


def test_the_variables_are_settings_of_ours(compose: dict[str, Any], tmp_path: Path) -> None:
    known = {f"HANDSTAMP_SERVER_{name.upper()}" for name, _ in setting_names()} | {"HANDSTAMP_HOME", "HANDSTAMP_VAULT"}
    named = set(re.findall(r"HANDSTAMP_\w+", UNIT + DOCKERFILE)) | {
        name for service in servers(compose) for name in service["environment"] if name.startswith("HANDSTAMP_")
    }
    assert named <= known
    for service in servers(compose):
        assert server_settings(path=tmp_path, environ=service["environment"]).allowed_hosts == ("localhost",)


def test_no_secret_is_in_the_files(compose: dict[str, Any]) -> None:
    said = json.dumps(compose["services"])
    assert "password@" not in said
    assert [name for service in compose["services"].values() for name in service["environment"] if re.search("PASSWORD$|TOKEN|KEY", name)] == []
    assert {source["file"] for source in compose["secrets"].values()} == {f"./secrets/{name}" for name in compose["secrets"]}
    assert not re.search(r"^(ARG|COPY .*secrets)", DOCKERFILE, re.MULTILINE)


def test_images_are_named_without_a_host(compose: dict[str, Any]) -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) + [service["image"] for service in compose["services"].values()]
    assert len(images) == 5
    assert [image for image in images if "/" in image] == []


# -- an ordinary user, and Chromium's sandbox -----------------------------------------------------------------


def test_nothing_runs_as_root_or_gives_up_the_sandbox(compose: dict[str, Any]) -> None:
    assert values("User") == ["handstamp"]
    assert values("NoNewPrivileges") == ["yes"]
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001"]
    for service in servers(compose):
        assert (service["user"], service["cap_drop"], "privileged" in service) == ("10001", ["ALL"], False)
        assert service["security_opt"] == ["seccomp=./seccomp.json", "no-new-privileges:true"]
    switched_off = re.compile(r"^[^#]*(--no-sandbox|unconfined|SYS_ADMIN|MemoryDenyWriteExecute)", re.MULTILINE)
    assert [path.name for path in DEPLOY.iterdir() if path.is_file() and switched_off.search(path.read_text(encoding="utf-8"))] == []


def allowed_by_unit() -> set[str]:
    """The unit's system calls, one by one, as systemd says what its groups are."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, timeout=30, check=True).stdout
    groups = {name: re.findall(r"^    ([@\w-]+)$", body, re.MULTILINE) for name, body in re.findall(r"^(@[\w-]+)\n((?:    .*\n?)*)", listed, re.MULTILINE)}

    def expanded(name: str) -> Iterator[str]:
        if name.startswith("@"):
            for below in groups[name]:
                yield from expanded(below)
        else:
            yield name

    return {call for name in values("SystemCallFilter")[0].split() for call in expanded(name)}


def allowed_by_profile() -> set[str]:
    profile = json.loads((DEPLOY / "seccomp.json").read_text(encoding="utf-8"))
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    (rule,) = profile["syscalls"]
    assert rule["action"] == "SCMP_ACT_ALLOW"
    return set(rule["names"])


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of an ordinary user's."""
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    user = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True, timeout=10, check=False, **user).returncode:
        pytest.skip("this machine forbids unprivileged user namespaces")
    folder = Path("/tmp") / f"handstamp-confined-{os.getpid()}-{time.monotonic_ns()}"  # noqa: S108  (pytest's own is closed to other users)
    folder.mkdir(mode=0o700)
    if user:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("where", ["systemd", "docker"])
def test_chromiums_sandbox_works_under_the_filter(as_nobody: Path, where: str) -> None:
    if where == "systemd" and shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    allowed = allowed_by_unit() if where == "systemd" else allowed_by_profile()
    assert not {"mount", "ptrace", "bpf", "kexec_load", "init_module", "reboot"} & allowed
    page = "data:text/html,<p id=x></p><script>x.textContent=[...'abc'].reverse().join('')</script>"
    browser = [str(find_browser()), f"--user-data-dir={as_nobody}/data", "--headless", "--disable-gpu", "--dump-dom", page]
    environment = {"HOME": str(as_nobody), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", textwrap.dedent(CONFINED), ",".join(sorted(allowed)), *browser]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert ">cba<" in done.stdout, done.stderr
    without = [*command[:3], ",".join(sorted(allowed - {"chroot"})), *browser]
    done = subprocess.run(without, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert ">cba<" not in done.stdout  # so the sandbox was there: it needs this call, and nothing else does
