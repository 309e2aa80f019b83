"""Round trips with web applications that others wrote: one login by a recipe, and back from another process without one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LEARN = Path(__file__).parents[2] / "examples" / "real_apps" / "learn.py"
RUN = Path(__file__).parents[2] / "examples" / "real_apps" / "run.py"
NODE = shutil.which("node") is not None and shutil.which("npm") is not None
with_node = [
    pytest.mark.skipif(not NODE, reason="Node.js and npm are not on PATH; these apps come as npm packages"),
    # It lets nobody ask more than 500 times a minute, and a fresh browser asks 150 times: most of its minutes are a pause.
    pytest.mark.skipif(not os.environ.get("REAL_APPS"), reason="takes minutes; REAL_APPS=all to run it"),
]


@pytest.mark.timeout(420)  # installs the app; with warm caches most take 20 seconds
@pytest.mark.parametrize(
    ("app", "kept"),
    [
        pytest.param("django-admin", "cookies", id="cookie-and-csrf"),
        pytest.param("prefect", "local", id="token-in-local-storage"),
        pytest.param("actual", "idb", id="token-in-indexeddb-beside-a-service-worker", marks=with_node),
    ],
)
def test_one_login_at_a_real_app_serves_another_process(app: str, kept: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, RUN, app, "--json", "--folder", tmp_path], capture_output=True, text=True, timeout=400, check=False)
    assert done.stdout, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["first"]["inside"]
    assert result["again"]["inside"]
    assert not result["nobody"], "the app lets everybody in"
    assert (result["first"]["logins"], result["again"]["logins"], result["app_logins"]) == (1, 1, 1)
    assert kept in result["again"]["kept"]
    assert done.returncode == 0


@pytest.mark.timeout(420)  # installs the app
def test_what_is_learned_at_a_real_app_logs_in_from_nothing_and_its_set_is_the_smallest(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, LEARN, "django-admin", "--folder", tmp_path], capture_output=True, text=True, timeout=400, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["carriers"] == ["cookie sessionid"]
    assert found["of"] > len(found["carriers"])
    assert (found["minimal"], found["enough"], found["too_many"]) == (True, True, False)
    assert (found["inside"], found["logins"]) == (True, 1)
    assert done.returncode == 0
