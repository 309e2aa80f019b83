"""What operations need beyond handstamp itself: the extra ``operations``."""

from __future__ import annotations

from importlib.util import find_spec

from handstamp.errors import ConfigError

_PACKAGES = {"pydantic": "pydantic", "PIL": "pillow", "xlsxwriter": "xlsxwriter"}


def require() -> None:
    """See that the extra is installed; it is not imported.

    Raises:
        ConfigError: says how to install it.
    """
    missing = [package for module, package in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(f"operations need {' and '.join(missing)}, which is not installed; install it with `pip install 'handstamp[operations]'`")
