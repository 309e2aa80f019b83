"""Every error that handstamp raises, as one tree.

    HandstampError                  the root; `.code` is stable for ever
    ├─ ConfigError(ValueError)      what was asked for cannot be: names, settings, recipes, keys
    │    SiteUnknown · RecipeInvalid · KeyMissing
    ├─ StateError                   a file or record that does not say what it should
    │    UnreadableState · UnsupportedVersion
    ├─ VaultError                   where sessions are kept
    │    SealBroken · SessionNotFound(LookupError) · Conflict · VaultUnavailable · VaultFull
    ├─ LeaseError                   who may write now
    │    LeaseHeld(holder, since) · LeaseLost(reason)
    ├─ LoginError                   getting in
    │    LoginRequired · LoginFailed · ChallengeUnsolved · LoginBudgetSpent
    ├─ BrowserError                 the browser itself
    │    BrowserGone · BrowserTimeout(TimeoutError) · BrowserMissing
    ├─ OperationError               something that was to be done at a site
    │    InputMissing · InputInvalid · OperationRefused · OperationFailed · WorkflowEnded
    └─ ServerError                  a handstamp server
         PoolFull(retry_after) · Stopping · Unauthorized · Forbidden

A message is one sentence or two: what happened, to what, what to do. It never holds a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class HandstampError(Exception):
    """Root of all errors of handstamp.

    Attributes:
        code: stable name of the error for programs; the same in the CLI's and the server's JSON.
        exit_status: what the command line exits with.
        http_status: what the server answers with; of a class what it usually is.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    http_status: int = 500


class ConfigError(HandstampError, ValueError):
    """What was asked for cannot be done with these names or settings."""

    code = "config"
    exit_status = 3
    http_status = 400


class SiteUnknown(ConfigError):
    """No recipe has this name and nothing is saved for it."""

    code = "site-unknown"
    http_status = 404


class RecipeInvalid(ConfigError):
    """A site's recipe does not say what it must; the message names file and field."""

    code = "recipe-invalid"


class KeyMissing(ConfigError):
    """The vault's master key cannot be had from the source that the vault names."""

    code = "key-missing"
    http_status = 503


class StateError(HandstampError):
    """A file or record does not hold what it should."""

    code = "state"
    exit_status = 4
    http_status = 400


class UnreadableState(StateError):
    """A file to import is broken or of no known format; the message names file, line, field."""

    code = "unreadable-state"


class UnsupportedVersion(StateError):
    """Written by a newer handstamp than this one."""

    code = "unsupported-version"
    http_status = 503


class VaultError(HandstampError):
    """The vault cannot do what was asked."""

    code = "vault"
    exit_status = 5


class SealBroken(VaultError):
    """A record does not open: another key sealed it, or it was changed. Which of the two is not told."""

    code = "seal-broken"


class SessionNotFound(VaultError, LookupError):
    """Nothing is saved under this name."""

    code = "session-not-found"
    http_status = 404


class Conflict(VaultError):
    """What was written rests on something that is no longer so (forgotten meanwhile, or lost a race for good)."""

    code = "conflict"
    http_status = 409


class VaultUnavailable(VaultError):
    """The vault's file or server cannot be reached, read or written now."""

    code = "vault-unavailable"
    http_status = 503


class VaultFull(VaultError):
    """The disk or quota under the vault is full; what was saved before is still there."""

    code = "vault-full"
    http_status = 507


class LeaseError(HandstampError):
    """About the right to write."""

    code = "lease"
    exit_status = 6
    http_status = 409


class LeaseHeld(LeaseError):
    """Somebody else has the lease.

    Attributes:
        holder: who, for people: ``pid 4711 on host-a``.
        since: when they took it, UTC.
    """

    code = "lease-held"

    def __init__(self, message: str, *, holder: str = "", since: datetime | None = None) -> None:
        super().__init__(message)
        self.holder = holder
        self.since = since


class LeaseLost(LeaseError):
    """We had the lease and have it no longer; nothing was written.

    Attributes:
        reason: why, for people: ``taken over by pid 12 on host-b after it ran out``.
    """

    code = "lease-lost"

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class LoginError(HandstampError):
    """Getting in did not work.

    Attributes:
        sent: the site may have seen the password, so that the attempt counts. False only where it certainly has not.
    """

    code = "login"
    exit_status = 7
    http_status = 401
    sent: bool = True


class LoginRequired(LoginError):
    """No live session, and no way to log in without a person; the message says which command does it by hand."""

    code = "login-required"


class LoginFailed(LoginError):
    """The site was asked and did not let us in. It is not tried again by itself.

    Attributes:
        health: what it says of the session: ``expired`` (the site refused these credentials), ``blocked``, or ``unknown``
            (the site is down, its login page changed, or what came of it could not be told).
        until: do not ask again before this, UTC; None when nobody said.
        http_status: of the class 401; where the credentials are not at fault 502 (``unknown``) or 503 (``blocked``).
    """

    code = "login-failed"

    def __init__(self, message: str, *, health: str = "expired", until: datetime | None = None) -> None:
        super().__init__(message)
        self.health = health
        self.until = until
        self.http_status = {"unknown": 502, "blocked": 503}.get(health, self.http_status)


class ChallengeUnsolved(LoginError):
    """A captcha or second factor stands in the way and nothing configured can pass it."""

    code = "challenge-unsolved"


class LoginBudgetSpent(LoginError):
    """Too many failed logins of this account; a person has to look and clear it.

    Attributes:
        until: the next login is made by itself at this time or later, UTC; None when a person has to clear it.
    """

    code = "login-budget-spent"
    http_status = 429

    def __init__(self, message: str, *, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class BrowserError(HandstampError):
    """About the browser itself."""

    code = "browser"
    exit_status = 8
    http_status = 502


class BrowserGone(BrowserError):
    """The browser ended while it was in use; the session is in the vault and can be opened again."""

    code = "browser-gone"


class BrowserTimeout(BrowserError, TimeoutError):
    """The browser or the page did not answer in time."""

    code = "browser-timeout"
    http_status = 504


class BrowserMissing(BrowserError):
    """No usable browser was found; the message says how to get one."""

    code = "browser-missing"
    http_status = 503


class OperationError(HandstampError):
    """About something that was to be done at a site.

    Attributes:
        operation: its name.
        missing: names of the fields that it needs.
        repeatable: whether it may be called again without doing something twice; for a failure of which nobody says so it is False.
        said: whether whoever raised it said which.
        appointment_session_id: of the workflow, with which to call again; empty when there is none.
        phase: of a workflow, from 1; 0 when it has none.
        bundle: where its debug bundle is; empty when there is none.
    """

    code = "operation"
    exit_status = 14
    http_status = 400
    unless_said: ClassVar[bool] = True  # `repeatable`

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        missing: tuple[str, ...] = (),
        repeatable: bool | None = None,
        appointment_session_id: str = "",
        phase: int = 0,
        bundle: str = "",
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.missing = missing
        self.repeatable = self.unless_said if repeatable is None else repeatable
        self.said = repeatable is not None
        self.appointment_session_id = appointment_session_id
        self.phase = phase
        self.bundle = bundle


class InputMissing(OperationError):
    """A workflow stands where it needs a field that was not given; it goes on when it is called again with it."""

    code = "input-missing"


class InputInvalid(OperationError):
    """A field has a value that it cannot have; names the field."""

    code = "input-invalid"


class OperationRefused(OperationError):
    """The site did not accept what was given, and says why: an unknown number, a slot that was just sold. Correct it and call again."""

    code = "operation-refused"


class OperationFailed(OperationError):
    """It was cut off, or the site's page is not what the operation expects; `repeatable` says whether it may be called again."""

    code = "operation-failed"
    http_status = 502
    unless_said = False


class WorkflowEnded(OperationError):
    """No workflow of this id waits: it is done, its time is over, or it is another session's or operation's."""

    code = "workflow-ended"


class ServerError(HandstampError):
    """A remote handstamp server answered with an error.

    Attributes:
        remote_code: the `code` that it gave.
    """

    code = "server"
    exit_status = 9
    http_status = 502

    def __init__(self, message: str, *, remote_code: str = "") -> None:
        super().__init__(message)
        self.remote_code = remote_code


class PoolFull(ServerError):
    """All browser windows are in use, and none came free in time.

    Attributes:
        retry_after: seconds after which to ask again.
    """

    code = "pool-full"
    http_status = 429

    def __init__(self, message: str, *, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Stopping(ServerError):
    """The server is about to end and begins nothing new; the sessions are in the vault. Ask again when it is back."""

    code = "stopping"
    http_status = 503


class Unauthorized(ServerError):
    """The server wants a token, and got none or one that it does not know."""

    code = "unauthorized"
    http_status = 401


class Forbidden(ServerError):
    """What was asked for is not allowed: by the token's scopes, or by the settings."""

    code = "forbidden"
    http_status = 403
