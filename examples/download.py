"""A file behind a login, by requests: ``python examples/download.py account.html``."""

from __future__ import annotations

import sys
from pathlib import Path

import handstamp


def main(target: Path) -> None:
    """Write the account page to `target`, piece by piece."""
    with handstamp.requests_session("portside") as session, session.get("/account", stream=True, timeout=30) as answer:
        answer.raise_for_status()
        with target.open("wb") as file:
            for piece in answer.iter_content(1 << 16):
                file.write(piece)
    print(f"{target.stat().st_size} bytes are in {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
