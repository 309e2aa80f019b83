"""What only a server has to refuse. Codes of its own beside those of `handstamp.errors`; clients get them as `ServerError.remote_code`."""

from __future__ import annotations

from handstamp.errors import ServerError


class InvalidRequest(ServerError):
    """A request that does not say what it must; names the fields, never their values."""

    code = "invalid-request"
    http_status = 400

    def __init__(self, message: str, *, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class HostRefused(ServerError):
    """The server was called by a name that is not its own, as by a web page whose name was turned to this address."""

    code = "host-refused"
    http_status = 400


class NotThere(ServerError):
    """No such path or file."""

    code = "not-found"
    http_status = 404


class MethodRefused(ServerError):
    """The path is there, for another method."""

    code = "method-not-allowed"
    http_status = 405


class TooSlow(ServerError):
    """The request took too long to come."""

    code = "request-timeout"
    http_status = 408


class TooLarge(ServerError):
    """The request's body is larger than the server takes."""

    code = "body-too-large"
    http_status = 413


class RangeRefused(ServerError):
    """A part of a file was asked for that it does not have; the header Content-Range says how long it is."""

    code = "range-refused"
    http_status = 416


class Waits(ServerError):
    """Not now, but later.

    Attributes:
        retry_after: seconds after which to ask again.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooMany(Waits):
    """More requests than this caller may make."""

    code = "too-many-requests"
    http_status = 429


class Unexpected(ServerError):
    """The server itself has failed; its log says where."""

    code = "unexpected"
    http_status = 500


class TooBusy(Waits):
    """More connections than the server takes."""

    code = "too-busy"
    http_status = 503
