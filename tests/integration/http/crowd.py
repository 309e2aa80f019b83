"""One worker of a crowd: so many requests in one shared session. Prints how many were answered from inside, or fails."""

from __future__ import annotations

import sys
import time

import handstamp
from handstamp.errors import LoginBudgetSpent, LoginFailed


def answered(client: handstamp.Client) -> bool:
    """Whether a request was answered from inside. On a machine too busy to show the login page in time, a login is tried again when that is allowed."""
    while True:
        try:
            response = client.get("/account")
        except LoginFailed as error:
            if error.health != "unknown":
                raise
        except LoginBudgetSpent:
            time.sleep(1)
        else:
            return response.status_code == 200 and "Log out" in response.text


if __name__ == "__main__":
    good = 0
    with handstamp.Client("portside", timeout=60.0) as client:
        for _ in range(int(sys.argv[1])):
            good += answered(client)
    sys.stdout.write(f"{good}\n")
