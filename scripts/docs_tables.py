"""Two tables of the docs that stand in the code: the errors, and what tells the health of a session."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from handstamp.errors import HandstampError
from handstamp.sites import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REMEDIES = {
    "error": "Catch it for all that follows.",
    "config": "Correct the name, option or setting that the message names.",
    "site-unknown": "Take the name that the message proposes, give the site's URL, or write a recipe.",
    "recipe-invalid": "Correct the field that the message names; it says what may stand there.",
    "key-missing": (
        "Bring back what the message names: unlock the keyring, restore `vault.key`, set the passphrase; or set `HANDSTAMP_KEY` to the exported key. "
        "A vault that holds something never gets a new key."
    ),
    "state": "Catch it for the two below.",
    "unreadable-state": "Correct the file where the message says, or export it again with the tool that wrote it. Nothing was changed.",
    "unsupported-version": "Update handstamp. The vault was not touched.",
    "vault": "Catch it for those below.",
    "seal-broken": "Set the key that sealed it. If the record was changed, put a copy of the vault back, or forget what does not open.",
    "session-not-found": "`handstamp ls` lists what is kept; `handstamp login SITE` makes a session.",
    "conflict": "Load again, and repeat the change.",
    "vault-unavailable": (
        "See that its directory is there, yours, writable and on a local disk; `handstamp doctor` looks. "
        "Nothing was changed, unless the message says that this is not known: then look before you repeat it."
    ),
    "vault-full": "Make room, and repeat.",
    "lease": "Catch it for the two below.",
    "lease-held": 'Wait for the holder (`wait=`, `--wait`), open with `mode="shared"`, or take it away: `handstamp lock PROFILE --break`.',
    "lease-lost": "Open the profile again.",
    "login": "Catch it for those below.",
    "login-required": "Run the command that the message names, or give user name and password.",
    "login-failed": (
        "By its `health`: `expired`: correct user name or password; `blocked`: wait until `until`; `unknown`: the site is down, or its login page changed."
    ),
    "challenge-unsolved": "Log in at a terminal, where you are asked, or with `--by-hand` in a window. One-time codes: save the TOTP secret.",
    "login-budget-spent": "Set right what the message tells, then run the command that it names; see [the login budget](health.md#the-login-budget).",
    "browser": "Read the message; the session is as it was.",
    "browser-gone": "Open it again.",
    "browser-timeout": "Try again; the session is as it was.",
    "browser-missing": "Run the command that the message names, or name a Chromium in `HANDSTAMP_BROWSER`.",
    "operation": "Catch it for those below.",
    "input-missing": "Call again with `appointment_session_id` and the fields that it names.",
    "input-invalid": "Correct the field that the message names.",
    "operation-refused": "Correct what the site does not accept, and call again, a workflow with its `appointment_session_id`.",
    "operation-failed": "If it is repeatable, call again; else look first whether the site has done it. The debug bundle shows what was there.",
    "workflow-ended": "Where `repeatable`, begin again without `appointment_session_id`; what is done is not begun again.",
    "server": "Read the message.",
    "pool-full": "Ask again after `Retry-After`, or give the server more windows (`max_sessions`).",
    "stopping": "Ask again after `Retry-After`; another server on the same vault serves the session meanwhile.",
    "unauthorized": "Send `Authorization: Bearer …` with a token of this server.",
    "forbidden": "Use a token with the scope that the message names, or change the setting that it names.",
}


def errors() -> list[str]:
    """One row for each class, in the order of the tree."""
    rows = [
        (f"`{error.code}`", f"{'· ' * depth}`{error.__name__}`", error.exit_status, error.http_status, f"{_first_line(error)} {_remedy(error)}")
        for depth, error in _tree(HandstampError)
    ]
    return table(("code", "class", "exit status", "HTTP status", "what it means; what to do"), rows)


def _tree(error: type[HandstampError], depth: int = 0) -> Iterator[tuple[int, type[HandstampError]]]:
    below = [child for child in error.__subclasses__() if child.__module__ == HandstampError.__module__]
    yield depth, error
    yield from chain.from_iterable(_tree(child, depth + 1) for child in below)


def _remedy(error: type[HandstampError]) -> str:
    if error.code not in REMEDIES:
        message = f"scripts/docs_tables.py does not say what to do about '{error.code}'"
        raise SystemExit(message)
    return REMEDIES[error.code]


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def health() -> list[str]:
    """One row for each rule, in their order."""
    rows = [(number, rule.when, f"`{rule.health}`", "yes" if rule.ask_browser else "", rule.text, f"`{rule.name}`") for number, rule in enumerate(RULES, 1)]
    return table(("", "what was seen", "health", "a browser may tell more", "what people are told", "rule"), rows)


def table(titles: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """A table in Markdown."""
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]
