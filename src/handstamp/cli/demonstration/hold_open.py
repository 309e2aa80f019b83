"""A process that has the session open until it is killed. `handstamp demo` runs it, and kills it."""

import os
import sys

from handstamp.sync_api import signed_in

with signed_in("portside") as context:
    page = context.new_page()
    page.goto(os.environ["HANDSTAMP_PORTSIDE_BASE_URL"] + "/account")
    print("open", flush=True)  # noqa: T201  (what the process that runs this waits for)
    sys.stdin.read()
