"""One worker of a crowd: so many requests in one shared session. Prints how many were answered from inside, or fails."""

from __future__ import annotations

import sys

import handstamp

if __name__ == "__main__":
    good = 0
    with handstamp.Client("portside", timeout=60.0) as client:
        for _ in range(int(sys.argv[1])):
            response = client.get("/account")
            good += response.status_code == 200 and "Log out" in response.text
    sys.stdout.write(f"{good}\n")
