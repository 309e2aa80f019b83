"""What an exception in an operation means for whoever called it. Its own words are not handed on: they may hold what the page showed."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from handstamp.errors import BrowserGone, HandstampError, InputInvalid, InputMissing, OperationError, OperationFailed, OperationRefused, WorkflowEnded
from handstamp.sites.playwright_errors import is_timeout, page_error, raise_if_gone

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites.operation import Operation

_log = logging.getLogger(__name__)

_NOT_KNOWN = ": it is not known whether the site has done it. Look there before you call it again"
REFUSALS = (OperationRefused, InputInvalid, InputMissing)
"""The site (or the operation) looked at what was given and did nothing with it."""


def failure(error: BaseException, page: Page, operation: Operation, *, once_only: bool, phase: int = 0) -> HandstampError:
    """The error for the caller.

    Args:
        error: what the operation raised.
        page: its page.
        operation: which.
        once_only: it was doing what may not be done twice, so unless it says that the site refused, or that nothing was sent yet, nobody
            knows whether it is done.
        phase: of a workflow, from 1; 0 for none.
    """
    _log.debug("%s was ended by %s at %s", operation.name, type(error).__name__, _place(error))
    if isinstance(error, REFUSALS):
        return type(error)(str(error), operation=operation.name, missing=error.missing, phase=phase)
    gone = is_gone(error, page)
    surely_not = isinstance(error, OperationFailed) and error.repeatable  # its author says that nothing was sent
    if once_only and (gone or not surely_not):
        return OperationFailed(_unknown(error, operation, gone=gone), operation=operation.name, repeatable=False, phase=phase)
    if gone:
        return BrowserGone(_ended_in(operation))
    if isinstance(error, OperationError) and not isinstance(error, WorkflowEnded):
        return OperationFailed(str(error), operation=operation.name, repeatable=error.repeatable or not error.said, phase=phase)
    if isinstance(error, HandstampError):
        return error
    return OperationFailed(_sentence(error, operation), operation=operation.name, repeatable=True, phase=phase)


def overdue(operation: Operation, limit: str, *, gone: bool) -> HandstampError:
    """The error for an operation that did not end by itself, and was cut off.

    Args:
        operation: which.
        limit: after what, in words.
        gone: the browser had ended by then.
    """
    if not operation.repeatable:
        cause = "the browser ended" if gone else limit
        return OperationFailed(f"{operation.name} was cut off ({cause}){_NOT_KNOWN}", operation=operation.name, repeatable=False)
    if gone:
        return BrowserGone(_ended_in(operation))
    return OperationFailed(f"{operation.name} was cut off ({limit})", operation=operation.name, repeatable=True)


def wrong_result(operation: Operation, result: object, *, phase: int = 0) -> OperationFailed | None:
    """The site did it, and its package does not say what came of it; None when it does."""
    kind = type(result).__name__
    if isinstance(result, operation.gives):
        try:
            result.model_dump(mode="json")
        except Exception as error:  # noqa: BLE001  (serializers of the site's package)
            _log.debug("the result of %s is no JSON (%s)", operation.name, type(error).__name__)
            wrong = f"a {kind} that JSON cannot say"
        else:
            return None
    else:
        wrong = f"a {kind} instead of a {operation.gives.__name__}"
    message = f"{operation.name} gave {wrong}: a fault of the site's package. It was done all the same"
    return OperationFailed(message, operation=operation.name, repeatable=operation.repeatable, phase=phase)


def is_gone(error: BaseException, page: Page) -> bool:
    """Whether the page, its context or the browser has ended."""
    try:
        raise_if_gone(error, page)
    except BrowserGone:
        return True
    return isinstance(error, BrowserGone)


def _unknown(error: BaseException, operation: Operation, *, gone: bool) -> str:
    if isinstance(error, OperationFailed) and not gone and error.said:
        return str(error)  # its author has thought of this
    cause = str(error) if isinstance(error, OperationFailed) else f"{operation.name} was cut off ({'the browser ended' if gone else type(error).__name__})"
    return f"{cause}{_NOT_KNOWN}"


def _ended_in(operation: Operation) -> str:
    return f"the browser ended in the middle of {operation.name}; the session is kept, and the operation may be called again"


def _sentence(error: BaseException, operation: Operation) -> str:
    if is_timeout(error):
        return f"{operation.name} waited in vain for something on the page (TimeoutError): the site is slow, or its page has changed"
    if isinstance(error, page_error()):
        return f"{operation.name} could not use the page ({type(error).__name__}): the site does not answer, or its page has changed"
    return f"{operation.name} has failed ({type(error).__name__}): a fault of the site's package; with debug logging, the log says where"


def _place(error: BaseException) -> str:
    """Where it was raised, without any values."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})" for frame in reversed(frames[-4:]))
