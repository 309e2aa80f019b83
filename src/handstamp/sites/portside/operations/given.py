"""Kinds of input that several operations take."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def container_number(text: str) -> str:
    """A container number as portside writes it: capitals, nothing between them."""
    return "".join(character for character in text.upper() if character.isalnum())


ContainerId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9 -]*[A-Za-z0-9][A-Za-z0-9 -]*$",
        max_length=24,
        description="Number of a container of this account; spaces, hyphens and small letters do not matter.",
        examples=["HBRU1112085"],
    ),
    AfterValidator(container_number),
]
