"""Lines of the server's log on stderr, for programs: JSON or key=value. What was asked and what came of it; no body, query or token."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

LOGGER = "handstamp.server"


def log_to_stderr(form: str) -> None:
    """Let our lines, and the warnings of what we stand on, go to stderr. What else handstamp's parts tell is left as it was set.

    Args:
        form: ``json`` or ``text``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(as_json=form == "json"))
    ours = logging.getLogger("handstamp")
    ours.handlers = [handler]
    ours.propagate = False
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    for name, level in (("uvicorn", logging.ERROR), ("asyncio", logging.WARNING)):  # uvicorn warns of each request that is none
        other = logging.getLogger(name)
        other.handlers = [handler]
        other.propagate = False
        other.setLevel(level)


class Lines(logging.Formatter):
    """One line for each record.

    Args:
        as_json: else key=value.
    """

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line; of an exception where it happened, never its message, which may hold what a request said."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        facts: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name, "event": record.getMessage().partition("\n")[0]}
        facts |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1] is not None:
            facts["exception"] = told(record.exc_info[1])
        if self._as_json:
            return json.dumps(facts, default=str)
        return " ".join(f"{name}={_word(value)}" for name, value in facts.items())


def told(error: BaseException) -> str:
    """Where an error of ours happened: its class, and the last places that it came through."""
    places = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    return f"{type(error).__name__} at {' < '.join(reversed(places))}"


def _word(value: object) -> str:
    text = str(value)
    return json.dumps(text) if not text or any(character in text for character in ' "=\n\r\t') else text
