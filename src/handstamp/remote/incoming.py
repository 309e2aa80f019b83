"""A file on its way to its place: there when it is whole, readable for its owner only, and otherwise not at all."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, BinaryIO

from handstamp.errors import ConfigError
from handstamp.home import writing_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Incoming:
    """One file. What is written may come from a worker thread whose caller has given up meanwhile: it comes to nothing then.

    Args:
        path: where it is to be; what is there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: contextlib.ExitStack | None = contextlib.ExitStack()
        self._file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Add `data`; the first makes the file, beside its place.

        Raises:
            ConfigError: it cannot be written.
        """
        with self._lock, self._named_errors():
            if self._open is not None:
                self._made(self._open).write(data)

    def keep(self) -> None:
        """Put it into its place.

        Raises:
            ConfigError: it cannot be written.
        """
        with self._lock, self._named_errors():
            if self._open is not None:
                self._made(self._open)
                whole, self._open = self._open, None
                whole.close()

    def discard(self) -> None:
        """Leave nothing of it, and what was in its place as it was; nothing after `keep`."""
        with self._lock:
            unfinished, self._open = self._open, None
            if unfinished is not None:
                with contextlib.suppress(_GivenUp), unfinished:
                    raise _GivenUp

    def _made(self, stack: contextlib.ExitStack) -> BinaryIO:
        if self._file is None:
            if self.path.is_symlink():
                raise ConfigError(f"{self.path} is a symbolic link; a download is written to a file of its own, name one")
            self._file = stack.enter_context(writing_private(self.path))
        return self._file

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror}; name another file") from None


class _GivenUp(Exception):
    """Makes the file's own context remove it."""
