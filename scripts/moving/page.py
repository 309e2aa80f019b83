"""The table of what arrived, as a page of the documentation and as rows for programs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from moving.moved import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moving.kinds import Kind
    from moving.moved import Moved

    Table = Mapping[str, Mapping[Kind, Moved]]

PEERS = {
    "handstamp": "`signed_in(…)`",
    "handstamp, whole profile": '`signed_in(…, fidelity="profile")`',
    "Playwright": "`storage_state(indexed_db=True)`, `new_context(storage_state=…)`",
    "Selenium": "`get_cookies()`, `add_cookie(…)`",
    "profile directory": "a `user_data_dir` opened again after `kill -9`",
}
OURS = ("handstamp", "handstamp, whole profile")
_SHOWN = 300  # characters of a fact in a row for programs
_INTRODUCTION = """# Fidelity

What of a login arrives in another browser, kind by kind: carried by handstamp, and by four other ways.

Each row was found by running it: a page wrote the thing in a real Chromium, the state was captured, another browser or process got it, and
a page there looked for it and compared. Made with Chromium {browser} and Playwright {playwright} by

```
.venv/bin/python scripts/fidelity.py --write     # some minutes; --json prints rows for programs, --way NAME takes one column only
```

| | |
|---|---|
| **kept** | it is there, and a program that looks closely sees no difference |
| **changed** | something is there, but not the same |
| **lost** | nothing is there; **with report** when the way itself says so |
| **fails** | capturing or restoring raised an error or did not end: with this in a state, nothing of the state is moved |
"""
_HOW = """
How the columns came about:

{columns}

- handstamp's two columns have all kinds in one session, which one process writes and another opens. Its reports are what `handstamp show` prints.
- Playwright gets each kind in a state of its own, since one that fails would take all others with it.
- The profile directory's browser lives on for 10 seconds after the last write. Chromium writes cookies every 30 seconds: a kill that comes
  sooner costs more.
- Third-party frames are allowed their storage in all columns, which some distributions' Chromium denies by default.
"""
_CHOSEN = """
## What was chosen for caches and service workers

The Cache API and service workers are not moved with a session's state: each is named as a loss. A service worker is a program of the site,
not of the user; the site registers it when its page is opened, at the version that the server has today, and it fills its caches anew.
Putting an old worker and its old answers before a restored session could show a page of yesterday to a login of today, and a cached answer
says nothing to the server. Where a login does hang on them, as on a key that cannot be exported, on buckets or on file handles,
`fidelity="profile"` keeps the browser's own files, in which all of them are as they were, [at a price](decisions/whole-profile.md).

Not in the table, because no second browser can be given them by any of these ways: a passkey is in an authenticator outside of the
profile, and the key of a device-bound session in the machine's security chip, without which Chromium makes none. Neither is named among the
losses; such a login has to be made again elsewhere.
"""


def page(table: Table, *, browser: str, playwright: str) -> str:
    """The page.

    Args:
        table: by way, what became of each kind.
        browser: its version.
        playwright: its version.
    """
    columns = "\n".join(f"- {way}: {call}" for way, call in PEERS.items())
    lines = [
        _INTRODUCTION.format(browser=browser, playwright=playwright),
        *_table(table),
        _HOW.format(columns=columns),
        "## What is reported, and what is not the same",
        "",
        *_words(table),
        _CHOSEN.rstrip(),
        "",
    ]
    return "\n".join(lines)


def rows(table: Table) -> list[dict[str, Any]]:
    """One for each kind, for programs."""
    return [{"group": kind.group, "kind": kind.name, "ways": {way: _cell(moved[kind]) for way, moved in table.items()}} for kind in _kinds(table)]


def shortcomings(table: Table) -> list[str]:
    """What handstamp did not keep and did not report, either."""
    fine = {Verdict.KEPT, Verdict.LOST_SAID, Verdict.CHANGED_SAID}
    ours = [(way, kind, table[way][kind]) for way in OURS if way in table for kind in _kinds(table)]
    return [f"{way}: {kind.group}, {kind.name}: {moved.verdict} ({moved.failed or moved.after})" for way, kind, moved in ours if moved.verdict not in fine]


def _kinds(table: Table) -> list[Kind]:
    return list(next(iter(table.values())))


def _cell(moved: Moved) -> dict[str, Any]:
    seen = {"before": str(moved.before)[:_SHOWN], "after": str(moved.after)[:_SHOWN]}
    return {"verdict": str(moved.verdict), "reports": list(moved.reports), "failed": moved.failed, **seen}


def _table(table: Table) -> Iterator[str]:
    for group, kinds in groupby(_kinds(table), key=lambda kind: kind.group):
        yield f"| {group} | {' | '.join(table)} |"
        yield "|---" * (len(table) + 1) + "|"
        yield from (f"| {kind.name} | {' | '.join(_marked(moved[kind].verdict) for moved in table.values())} |" for kind in kinds)
        yield ""
    yield f"| of {len(_kinds(table))} kinds | {' | '.join(table)} |"
    yield "|---" * (len(table) + 1) + "|"
    counted = {way: [moved.verdict for moved in kinds.values()] for way, kinds in table.items()}
    for verdict in Verdict:
        if any(verdict in verdicts for verdicts in counted.values()):
            yield f"| {verdict} | {' | '.join(str(verdicts.count(verdict)) for verdicts in counted.values())} |"


def _marked(verdict: Verdict) -> str:
    return str(verdict) if verdict is Verdict.KEPT else f"**{verdict}**"


def _words(table: Table) -> Iterator[str]:
    """What a way says of a loss, and why it failed."""
    for way, moved in table.items():
        told = [
            (kind, kind_moved) for kind, kind_moved in moved.items() if kind_moved.verdict is not Verdict.KEPT and (kind_moved.failed or kind_moved.reports)
        ]
        if told:
            yield f"{way}:\n"
            yield from (f"- {kind.group}, {kind.name}: {_quoted(moved.failed or '; '.join(moved.reports))}" for kind, moved in told)
            yield ""


def _quoted(text: str) -> str:
    """As it was said, whatever it holds."""
    return f"`{text.replace('`', chr(39))}`"
