"""A model of what a call of an operation holds: the face's own fields, and beside them the operation's. For faces that take JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, create_model
from pydantic_core import PydanticUndefined

from handstamp.errors import RecipeInvalid
from handstamp.operations.fields import all_fields

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from handstamp.sites.operation import Operation

_OWN = "own_"  # attributes of the operation's fields, so that none of them meets one of the face's


class Asked(BaseModel):
    """A call of an operation."""

    def given(self) -> dict[str, Any]:
        """The operation's own fields, those that were given, by the names that callers use."""
        known = type(self).model_fields
        return {known[name].alias or name: getattr(self, name) for name in self.model_fields_set if name.startswith(_OWN)}


def asked_of(operation: Operation, name: str, base: type[Asked]) -> type[Asked]:
    """The model of its calls. Of a workflow no field is required: those that are missing are asked for in their phase.

    Args:
        operation: of a site.
        name: of the model.
        base: the face's own fields.

    Raises:
        RecipeInvalid: one of its fields has the name of one of the face's.
    """
    fields: dict[str, Any] = {}
    for number, (field, info) in enumerate(all_fields(operation).items()):
        if field in base.model_fields:
            raise RecipeInvalid(f"the operation '{operation.name}' has a field '{field}', which every call of an operation has; give it another name")
        fields[f"{_OWN}{number}"] = _field(field, info, may_wait=operation.is_workflow)
    return create_model(name, __base__=base, __doc__=operation.about, **fields)


def _field(name: str, info: FieldInfo, *, may_wait: bool) -> tuple[Any, FieldInfo]:
    kind: Any = info.annotation
    for rule in info.metadata:
        kind = Annotated[kind, rule]
    told: dict[str, Any] = {"alias": name, "title": info.title, "description": info.description, "examples": info.examples}
    if may_wait:
        return kind | None, Field(default=None, **told)
    default = info.get_default(call_default_factory=True, validated_data={}) if not info.is_required() else PydanticUndefined
    return kind, Field(default=default, **told)
