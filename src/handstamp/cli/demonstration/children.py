"""Fresh processes for the steps: started, waited for, killed; none is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from handstamp.errors import HandstampError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LIMIT = 90.0  # seconds for one process
_SCRIPTS = Path(__file__).parent


class StepFailed(HandstampError):
    """A step of the demonstration did not do what it should; the message says which and why."""

    code = "demo-failed"


@dataclass(frozen=True, slots=True)
class Children:
    """Starts processes that know one home directory and one address of portside, and nothing else of ours.

    Args:
        home: their home directory.
        temporary: for their temporary files: who is killed leaves some.
        portside: base URL.
    """

    home: Path
    temporary: Path
    portside: str

    def command(self, *words: str, secrets: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What a `handstamp` command says as JSON.

        Args:
            words: the command line.
            secrets: environment variables for this process alone.

        Raises:
            StepFailed: it exits with an error.
        """
        done = self._finished([sys.executable, "-m", "handstamp.cli", *words, "--json"], secrets or {})
        try:
            facts: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise StepFailed(_last_words(done)) from None
        if done.status:
            raise StepFailed(str(facts.get("error", facts)))
        return facts

    def script(self, name: str, *words: str) -> str:
        """What a script of this folder prints.

        Raises:
            StepFailed: it exits with an error.
        """
        done = self._finished([sys.executable, str(_SCRIPTS / f"{name}.py"), *words], {})
        if done.status:
            raise StepFailed(_last_words(done))
        return done.stdout.strip()

    def killed(self, name: str) -> int:
        """Run a script until it says something, and then kill it (`kill -9`); its process id.

        Raises:
            StepFailed: it ends before.
        """
        with self._process([sys.executable, str(_SCRIPTS / f"{name}.py")], {}, stdin=subprocess.PIPE) as process:
            if not _line(process.stdout):
                raise StepFailed(_last_words(_Done(process.wait(_LIMIT), "", _rest(process.stderr))))
            process.kill()
            return process.pid

    def _finished(self, command: Sequence[str], more: Mapping[str, str]) -> _Done:
        with self._process(command, more, stdin=subprocess.DEVNULL) as process:
            try:
                out, err = process.communicate(timeout=_LIMIT)
            except subprocess.TimeoutExpired:
                raise StepFailed(f"it took more than {_LIMIT:g} s") from None
            return _Done(process.returncode, out, err)

    @contextmanager
    def _process(self, command: Sequence[str], more: Mapping[str, str], *, stdin: int) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(command, env=self._environment(more), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HANDSTAMP_") or name == "HANDSTAMP_BROWSER"}
        places = {"HANDSTAMP_HOME": str(self.home), "HANDSTAMP_PORTSIDE_BASE_URL": self.portside, "TMPDIR": str(self.temporary)}
        # A demonstration leaves nothing behind, so its key stays out of the system's keyring.
        return clean | places | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"} | dict(more)


@dataclass(frozen=True, slots=True)
class _Done:
    """How a process ended."""

    status: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)


def _last_words(done: _Done) -> str:
    """The last line that it said, without the class of the error in front."""
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    if not lines:
        return f"the process ended with status {done.status}"
    kind, colon, sentence = lines[-1].partition(": ")
    return sentence if colon and kind.startswith("handstamp.errors.") else lines[-1]


def _line(stream: IO[str] | None) -> str:
    return stream.readline() if stream else ""


def _rest(stream: IO[str] | None) -> str:
    return stream.read() if stream else ""
