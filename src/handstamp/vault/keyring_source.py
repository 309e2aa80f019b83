"""The operating system's keyring as a place for the master key, through the `keyring` package when it is installed.

Only a real backend counts: not those that fail or forget, and not the files of `keyrings.alt`, which ask for a
password on the terminal. A locked keyring is an error that says so; nothing here ever prompts on the terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from handstamp.errors import KeyMissing

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "handstamp"
_UNREAL = ("keyring.backends.fail", "keyring.backends.null", "keyrings.")


def usable() -> bool:
    """Whether this machine has a keyring that keeps secrets."""
    return _backend() is not None


def get(entry: str) -> str | None:
    """What is kept under `entry`, None when nothing is.

    Raises:
        KeyMissing: there is no keyring, or it is locked.
    """
    backend = _backend()
    if backend is None:
        raise KeyMissing(
            "this vault's key is in the system's keyring, and none can be reached here; "
            "install `handstamp[keyring]` and open a session with a keyring, or set HANDSTAMP_KEY to the vault's exported key"
        )
    try:
        return backend.get_password(SERVICE, entry)
    except Exception as error:  # noqa: BLE001  (backends raise what their system gives them)
        _refused(error)


def put(entry: str, secret: str) -> None:
    """Keep `secret` under `entry`, and see that it is really there.

    Raises:
        KeyMissing: the keyring is locked or does not keep it.
    """
    backend = _backend()
    try:
        if backend is not None:
            backend.set_password(SERVICE, entry, secret)
            kept = backend.get_password(SERVICE, entry) == secret
        else:
            kept = False
    except Exception as error:  # noqa: BLE001
        _refused(error)
    if not kept:
        raise KeyMissing("the system's keyring did not keep the vault's key; set HANDSTAMP_KEY or HANDSTAMP_PASSPHRASE instead")


def _refused(error: Exception) -> NoReturn:
    raise KeyMissing(f"the system's keyring does not answer ({type(error).__name__}); unlock it, or set HANDSTAMP_KEY to the vault's exported key") from None


def _backend() -> KeyringBackend | None:
    try:
        import keyring  # noqa: PLC0415  (an extra, and 0.1 s)
        from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415
    except ImportError:
        return None
    chosen = keyring.get_keyring()
    if isinstance(chosen, ChainerBackend):
        return next((backend for backend in chosen.backends if _real(backend)), None)
    return chosen if _real(chosen) else None


def _real(backend: KeyringBackend) -> bool:
    return not type(backend).__module__.startswith(_UNREAL)
