"""A process that knows no password: it opens the session, takes a picture of the containers, and ends. `handstamp demo` runs it."""

import os
import sys

from handstamp.sync_api import signed_in

with signed_in("portside") as context:
    page = context.new_page()
    page.goto(os.environ["HANDSTAMP_PORTSIDE_BASE_URL"] + "/containers")
    page.wait_for_selector("table tbody tr")  # filled by the page's own script, with the token in localStorage
    page.screenshot(path=sys.argv[1])
    print(page.url)  # noqa: T201  (what the process that runs this reads)
