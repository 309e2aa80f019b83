"""handstamp: `signed_in` in one process, and `signed_in` in another; what is lost is what `handstamp show` says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from moving.moved import Moved
from moving.site import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from moving.kinds import Kind
    from moving.site import Site

_SCRIPTS = Path(__file__).parents[1]


async def by_handstamp(kinds: tuple[Kind, ...], site: Site, *, fidelity: Literal["state", "profile"] = "state") -> Mapping[Kind, Moved]:
    """One session with all kinds in it, made by one process and opened by another."""
    with tempfile.TemporaryDirectory(prefix="fidelity-") as folder:
        home = Path(folder) / "home"
        (home / "sites").mkdir(parents=True, mode=0o700)
        home.chmod(0o700)
        (home / "sites" / f"{NAME}.toml").write_text(site.recipe, encoding="utf-8")
        environment = _environment(home)
        hosts = [kind.host for kind in kinds]
        before, after = [await _told(environment, "moving.elsewhere", work, str(site.port), fidelity, *hosts) for work in ("write", "read")]
        shown = await _told(environment, "handstamp.cli", "show", NAME, "--json")
    return {kind: _moved(before[kind.host], after[kind.host], _reports(shown["session"]["losses"], kind, site)) for kind in kinds}


def _environment(home: Path) -> dict[str, str]:
    """Of the two processes: nothing of the caller's own sessions, his choice of a browser stays."""
    name = NAME.upper()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HANDSTAMP_") or key == "HANDSTAMP_BROWSER"}
    own = {"HANDSTAMP_HOME": str(home), f"HANDSTAMP_{name}_USERNAME": "somebody", f"HANDSTAMP_{name}_PASSWORD": "anything"}
    return (
        clean
        | own
        | {
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_SCRIPTS), os.environ.get("PYTHONPATH")))),
        }
    )


async def _told(environment: Mapping[str, str], module: str, *words: str) -> Any:
    """What a process prints as JSON."""
    run = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *words, env=environment, stdout=asyncio.subprocess.PIPE)
    printed, _ = await run.communicate()
    if run.returncode:
        message = f"{module} {words[0]} ended with status {run.returncode}"
        raise RuntimeError(message)
    return json.loads(printed)


def _reports(losses: Iterable[Mapping[str, str]], kind: Kind, site: Site) -> tuple[str, ...]:
    return tuple(f"{loss['what']}: {loss['why']}" for loss in losses if site.owns(kind, loss["where"]))


def _moved(before: list[Any], after: list[Any], reports: tuple[str, ...]) -> Moved:
    return Moved(before[0], after[0], before[1] or after[1], reports)
