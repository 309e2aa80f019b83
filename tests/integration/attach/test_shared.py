"""``mode="shared"``: two processes have one profile open at once, each in a browser of its own, and neither loses the other's changes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.errors import LeaseHeld
from handstamp.sync_api import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS = 10
WORKER = """
import json, sys
from handstamp.sync_api import signed_in
with signed_in(sys.argv[1], profile="work", mode="shared") as context:
    page = context.new_page()
    page.goto(sys.argv[1])
    for line in sys.stdin:
        step, value = json.loads(line)
        told = page.goto(value).status if step == "goto" else page.evaluate(value)
        print(json.dumps(told), flush=True)
print(json.dumps("left"), flush=True)
"""


class Worker:
    """One of the processes: has the profile open until it is told to leave."""

    def __init__(self, origin: str) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", WORKER, origin], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, step: str, value: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([step, value]) + "\n")
        self.process.stdin.flush()

    def end(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def do(self, step: str, value: str) -> Any:
        self.begin(step, value)
        return self.end()

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.end() == "left"
        assert self.process.wait(20) == 0


@pytest.fixture
def worker(web) -> Iterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(web.origin()))
        return started[-1]

    yield start
    for one in started:
        with one.process:  # closes its pipes
            one.process.kill()


def changing(who: str) -> str:
    """A script that sets items and cookies of its own, one after the other, and one item that both set."""
    return f"""(async () => {{
      for (let number = 0; number < {KEYS}; number++) {{
        localStorage.setItem('{who}' + number, String(number));
        localStorage.setItem('both', '{who}' + number);
        document.cookie = '{who}' + number + '=' + number + '; max-age=3600';
        await new Promise((done) => setTimeout(done, 50));
      }}
      return Object.keys(localStorage).filter((name) => name.startsWith('{who}')).length;
    }})()"""


def test_neither_of_two_processes_loses_the_others_changes(web, vault, saved_elsewhere, worker, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(cookies=({"name": "sid", "value": "1", "domain": "a.localhost"},), local={a: {"token": "T"}})
    one, other = worker(), worker()
    for each, name in ((one, "one"), (other, "other")):
        each.begin("evaluate", changing(name))
    for each in (one, other):
        assert each.end() == KEYS
    one.leave()
    other.leave()
    state = vault.load("work")
    items = state.local_storage(a)
    assert items.pop("token") == "T"
    assert items.pop("both") in {f"one{KEYS - 1}", f"other{KEYS - 1}"}
    mine = {f"{name}{number}": str(number) for name in ("one", "other") for number in range(KEYS)}
    assert items == mine
    assert cookies_of(state) == mine | {"sid": "1"}


def test_a_logout_in_one_process_outlives_the_late_save_of_another(web, vault, saved_elsewhere, worker, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(cookies=({"name": "sid", "value": "1", "domain": "a.localhost"},), local={a: {"token": "T", "theme": "dark"}})
    one, other = worker(), worker()
    assert other.do("evaluate", "[document.cookie, localStorage.getItem('token')]") == ["sid=1", "T"]
    assert one.do("goto", f"{a}/logout") == 200
    one.do("evaluate", "localStorage.removeItem('token')")
    one.leave()
    other.do("evaluate", "localStorage.setItem('theme', 'light'); document.cookie = 'late=1; max-age=3600'")
    other.leave()
    state = vault.load("work")
    assert state.local_storage(a) == {"theme": "light"}
    assert cookies_of(state) == {"late": "1"}


def test_shared_openings_go_beside_an_exclusive_one_which_stays_alone_of_its_kind(web, vault, saved_elsewhere, worker) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})
    with signed_in(a, profile="work") as context:
        beside = worker()
        assert beside.do("evaluate", "localStorage.setItem('beside', '1')") is None
        beside.leave()
        with pytest.raises(LeaseHeld), signed_in(a, profile="work", wait=0):
            pass
        page = context.new_page()
        page.goto(a)
        page.evaluate("localStorage.setItem('alone', '1')")
    assert vault.load("work").local_storage(a) == {"token": "T", "beside": "1", "alone": "1"}
