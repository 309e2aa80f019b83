"""What requests hold: the fields that calls have in common, and for each operation a model of its own fields beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool

from handstamp.operations.asked import Asked, asked_of

if TYPE_CHECKING:
    from handstamp.sites.operation import Operation

_Username = Annotated[str, Field(min_length=1, max_length=128, examples=["dana"], description="Of the account at the site.")]
_Password = Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=["a password"], description="Of that account.")]
_CaptchaKey = Annotated[SecretStr, Field(max_length=512, description="For the service that reads the site's captchas.")]
_KeepAlive = Annotated[StrictBool, Field(description="Look after the session; else it ends when it was not used for session_timeout.")]
_SessionId = Annotated[str, Field(min_length=1, max_length=128, examples=["3f1f6d0c9f0e4b7f8d54a1b2c3d4e5f6"], description="As get_session gave it.")]
_WorkflowId = Annotated[str, Field(min_length=1, max_length=128, description="Of a workflow that waits: it goes on where it stopped.")]
_Site = Annotated[str, Field(min_length=1, max_length=128, examples=["portside"], description="By default the server's default site.")]


class Body(BaseModel):
    """A request's JSON object. A field that it does not know is an error: it may be a mistyped one."""

    model_config = ConfigDict(extra="forbid")


class GetSession(Body):
    """Which session: whose credentials, at which site."""

    username: _Username
    password: _Password
    captcha_api_key: _CaptchaKey | None = None
    site: _Site | None = None
    keep_alive: _KeepAlive = True


class CloseSession(Body):
    """Which session to close."""

    session_id: _SessionId
    forget: StrictBool = Field(default=False, description="Delete it from the vault, too: coming back takes a login.")


class OperationCall(Body, Asked):
    """What every operation takes: a session, or the credentials to get one by."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["session_id"]}, {"required": ["username", "password"]}]})

    session_id: _SessionId | None = None
    username: _Username | None = None
    password: _Password | None = None
    captcha_api_key: _CaptchaKey | None = None
    keep_alive: _KeepAlive | None = Field(
        default=None, description="With credentials: as for get_session. Left out, it stays as it is; true for a new session."
    )
    evidence: StrictBool = Field(default=False, description="Leave a debug bundle, also when nothing goes wrong.")


class WorkflowCall(OperationCall):
    """The same for a workflow, whose id alone says in which session it waits."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["session_id"]}, {"required": ["username", "password"]}, {"required": ["appointment_session_id"]}]}
    )

    appointment_session_id: _WorkflowId | None = None


def body_of(operation: Operation) -> type[OperationCall]:
    """The model of an operation's request; see `asked_of`."""
    base = WorkflowCall if operation.is_workflow else OperationCall
    return cast("type[OperationCall]", asked_of(operation, f"{operation.name}_call", base))
