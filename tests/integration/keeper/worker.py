"""Workers as programs of their own: each process runs threads that find one session, and need it signed in.

Read from stdin, one JSON line: {"vault": URL or null, "site": URL of portside, "threads": N, "username": …, "password": …, "wait": seconds}.
Written, one line a thread: the health it went on with, or the error's code.
"""

from __future__ import annotations

import json
import sys
import threading

from handstamp._signed_in import engine
from handstamp.errors import HandstampError
from handstamp.keeper import Given, Keeper
from handstamp.sites import find_site
from handstamp.vault import Vault


def main() -> None:
    order = json.loads(sys.stdin.readline())
    site = find_site("portside", env={"HANDSTAMP_PORTSIDE_BASE_URL": order["site"]})
    vault = Vault(order["vault"])
    keeper = Keeper(engine(), vault)
    start, said = threading.Barrier(order["threads"]), threading.Lock()

    def work() -> None:
        start.wait()
        try:
            session = engine().run(keeper.ensure(site, "work", Given(order["username"], order["password"])))
            told = session.health.value if session else "nothing"
        except HandstampError as error:
            told = error.code
        with said:
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()

    threads = [threading.Thread(target=work) for _ in range(order["threads"])]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()  # all processes start together
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
