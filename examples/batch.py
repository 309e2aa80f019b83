"""Eight processes, one session, as a scheduler starts its tasks: ``python examples/batch.py``.

Each task opens its own client. They share the session through the vault, so all of them together log in once.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import handstamp

PROCESSES = 8
TASKS = 16


def task(number: int) -> int:
    """How many containers are on one page."""
    with handstamp.Client("portside") as client:
        rows: list[object] = client.get("/api/containers", params={"page": 1 + number % 3}).raise_for_status().json()["containers"]
    return len(rows)


def main() -> None:
    """Run all tasks."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(task, range(TASKS)))
    print(f"{len(found)} tasks read {sum(found)} rows")


if __name__ == "__main__":
    main()
