"""Fifty processes on one profile: no update is lost, a lease has one holder, what was deleted stays so.

For `HANDSTAMP_FAULTS_SECONDS`, 10 by default; docs/faults.md says how long it was run before a release.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from conftest import Place

SECONDS = float(os.environ.get("HANDSTAMP_FAULTS_SECONDS", "10"))
CROWD = 50
ORIGIN = "https://app.example"

# The processes are forks of one that has imported everything: fifty interpreters that start would be most of the load.
PROGRAM = """
import json, os, sys, time, traceback
from dataclasses import replace
from pathlib import Path
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault
url, home, seconds, crowd = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
vault = Vault(url, home=home)
vault.record_event("open"); vault.load("work")

def save(name, value, at):
    part = Part(PartId(PartKind.LOCAL, "https://app.example"), {(name,): Entry(value, Stamp(at, 0, str(me)))})
    vault.save("work", StorageState.of([part]))

def live():
    deadline, told = time.monotonic() + seconds, {"saved": 0, "counted": 0, "held": 0}
    while told["saved"] == 0 or time.monotonic() < deadline:
        for _ in range(5):
            save(f"own-{me}", str(told["saved"] + 1), told["saved"] + 1)
            told["saved"] += 1
        for other in (me + 1, me + 2):  # late savers of what another one deletes
            save(f"shared-{other % crowd}", "stale", told["saved"])
        save(f"shared-{me}", None, 10**9)
        vault.update_session("work", "site", lambda session: replace(session, logins=session.logins + 1))
        told["counted"] += 1
        with vault.lease("work", wait=170) as lease:
            vault.record_event("in", data={"token": lease.token, "who": me})
            vault.record_event("out", data={"token": lease.token, "who": me})
        told["held"] += 1
    return told

children = []
for me in range(crowd):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            (home / f"told-{me}").write_text(json.dumps(live()))
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


@pytest.mark.timeout(300 + 3 * SECONDS)
def test_fifty_processes_on_one_profile(place: Place) -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM, place.url, str(place.home), str(SECONDS), str(CROWD)], check=False)
    assert done.returncode == 0
    told = [json.loads((place.home / f"told-{me}").read_text()) for me in range(CROWD)]
    with place.vault() as vault:
        state = vault.load("work")
        assert state.local_storage(ORIGIN) == {f"own-{me}": str(one["saved"]) for me, one in enumerate(told)}  # nothing lost, nothing back
        deleted = [entry for (name,), entry in state.parts[PartId(PartKind.LOCAL, ORIGIN)].entries.items() if name.startswith("shared-")]
        assert len(deleted) == CROWD
        session = vault.session("work", "site")
        assert session is not None
        assert session.logins == sum(one["counted"] for one in told)
        log = [event for event in reversed(vault.events(limit=10**7)) if event.kind in {"in", "out"}]
        assert vault.check() == []
    assert [event.kind for event in log] == ["in", "out"] * sum(one["held"] for one in told)
    pairs = list(zip(log[::2], log[1::2], strict=True))
    assert all(entered.data == left.data and entered.at <= left.at for entered, left in pairs)
    assert all(one.at <= following.at for (_, one), (following, _) in pairwise(pairs))
    assert [entered.data["token"] for entered, _ in pairs] == sorted({entered.data["token"] for entered, _ in pairs})
    sums = {name: sum(one[name] for one in told) for name in told[0]}
    print(f"{place.url.partition(':')[0]}: {CROWD} processes, {SECONDS:.0f} s: {sums}")  # noqa: T201  (a long run tells what it was)
