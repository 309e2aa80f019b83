"""From the words that were typed to an exit status; nothing that goes wrong shows a traceback unless it was asked for."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from handstamp.cli.call import Call, choose_places
from handstamp.cli.output import YELLOW, Output, painted
from handstamp.cli.parser import Shared, Wanted, parse
from handstamp.errors import HandstampError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

UNEXPECTED = 70  # sysexits.h: EX_SOFTWARE
LAST_SECONDS = 5.0  # that threads get to end after a signal
SIGNALLED = 128  # and the signal's number, as shells count


class Stopped(BaseException):
    """A signal asked us to end: a `BaseException`, so that what is open is saved and closed on the way out.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main(typed: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        typed: what was typed, without the program's name; by default what this process was started with.

    Returns:
        The exit status: 0, that of the error's class (`HandstampError.exit_status`), 2 for a wrong command line, 70 for an
        error of ours, 128 and the signal's number for a signal.
    """
    words = list(sys.argv[1:] if typed is None else typed)
    output = Output(as_json="--json" in words)
    _print_anywhere()
    _obey_signals()
    try:
        return _run(parse(words), output)
    except HandstampError as error:
        output.error(str(error), error.code)
        return error.exit_status
    except KeyboardInterrupt:
        return _ending(signal.SIGINT)
    except Stopped as stopped:
        return _ending(stopped.number)
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:  # noqa: BLE001  (the last resort; a traceback is for those who ask)
        return _unexpected(error, output, verbose=any(word.startswith(("-v", "--verb")) for word in words))


def _run(wanted: Wanted, output: Output) -> int:
    if wanted.command is None or wanted.module is None or wanted.given is None:
        output.say(wanted.text)
        return 0
    shared = wanted.shared
    choose_places(shared.home, shared.vault)
    _log_to_stderr(shared)
    return wanted.module.run(Call(Output(as_json=shared.as_json)), **wanted.given) or 0


def _print_anywhere() -> None:
    """A terminal that cannot show a character gets a question mark, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _obey_signals() -> None:
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise Stopped(number)


def _ending(number: int) -> int:
    """What was open is closed by now. A thread that still waits (for another's lease, for a slow site) must not hold up the end."""
    status = SIGNALLED + number
    if number == signal.SIGINT and sys.stderr.isatty():
        sys.stderr.write("\n")
    end = threading.Timer(LAST_SECONDS, os._exit, (status,))
    end.daemon = True
    end.start()
    return status


def _reader_gone() -> int:
    """Whoever read our output has enough of it (`handstamp ls | head -1`). Python must not find that out again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return SIGNALLED + signal.SIGPIPE


def _unexpected(error: Exception, output: Output, *, verbose: bool) -> int:
    if verbose:
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    what = "this traceback" if verbose else "what the same command says with -v"
    output.error(f"handstamp itself has failed ({type(error).__name__}); please report it to its maintainers, with {what}", "unexpected")
    return UNEXPECTED


class _Plain(logging.Formatter):
    """A warning as a sentence; with ``-v`` also who says it."""

    def __init__(self, *, named: bool) -> None:
        super().__init__("%(name)s: %(message)s" if named else "%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return painted(text, YELLOW, sys.stderr) if record.levelno >= logging.WARNING else text


def _log_to_stderr(shared: Shared) -> None:
    """Our own loggers only: those of HTTP libraries show URLs, which may hold secrets."""
    logger = logging.getLogger("handstamp")
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain(named=shared.verbose > 0))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(shared.verbose, 2)])
    if not shared.verbose:
        # Ctrl-C ends Playwright's driver together with us; asyncio tells of the calls that were waiting for it.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
