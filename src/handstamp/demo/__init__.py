"""Stand-in web sites, for tests and demonstrations: real servers on loopback, with logins that can be made to fail.

`portside` is a container-terminal portal with a browser login; `interpals` is a JSON account service. Both are ours, and
have nothing to do with any real service. Who can sign in is in `handstamp.demo.accounts`, what can be turned in
`handstamp.demo.knobs`.

    from handstamp.demo import start

    with start() as demo:
        print(demo.portside.url)                    # http://portside.localhost:41234
        demo.control.set(captcha=True)
        print(demo.control.stats().portside.logins)

By hand: ``python -m handstamp.demo``. Needs the extra ``demo``; this package itself imports without it.
"""

from __future__ import annotations

from handstamp.demo.accounts import BUILT_IN, Account
from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs
from handstamp.demo.launch import DemoServers, DemoSite, start
from handstamp.demo.remote import Control, OpenSession, Stats
from handstamp.demo.tally import AccountStats, SiteStats

__all__ = [
    "BUILT_IN",
    "Account",
    "AccountStats",
    "Control",
    "DemoServers",
    "DemoSite",
    "InterpalsKnobs",
    "OpenSession",
    "PortsideKnobs",
    "SiteStats",
    "Stats",
    "start",
]
