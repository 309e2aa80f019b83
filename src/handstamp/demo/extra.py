"""Whether the packages that the stand-in sites need are there: the extra ``demo``."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = {"jinja2": "jinja2", "PIL": "pillow", "python_multipart": "python-multipart", "starlette": "starlette", "uvicorn": "uvicorn"}
"""Module -> the package that brings it."""


def require_extra(*, find: Callable[[str], object | None] = importlib.util.find_spec) -> None:
    """Make sure that the sites can run.

    Args:
        find: whether a module can be imported.

    Raises:
        ConfigError: something is missing; the message says what and how to get it.
    """
    missing = [package for module, package in MODULES.items() if find(module) is None]
    if missing:
        raise ConfigError(f"the demo sites need {', '.join(missing)}: install handstamp with its extra, `pip install 'handstamp[demo]'`")
