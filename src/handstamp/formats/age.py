"""Sealing an export for another person or machine, in the age format (https://age-encryption.org), with extra ``age``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError, SealBroken

if TYPE_CHECKING:
    from collections.abc import Iterable


def _pyrage() -> Any:
    try:
        import pyrage  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ConfigError("sealing for others needs pyrage; install it with `pip install 'handstamp[age]'`") from None
    return pyrage


def seal_to(data: bytes, recipients: Iterable[str] = (), *, passphrase: str | None = None) -> bytes:
    """`data` sealed so that each of the recipients can open it, or whoever knows the passphrase.

    Args:
        data: of any size; it is held in memory.
        recipients: public keys: ``age1…``, ``ssh-ed25519 …`` or ``ssh-rsa …``.
        passphrase: instead of recipients; age seals to one or the other.

    Raises:
        ConfigError: no recipient, one that cannot be read, both ways at once, or pyrage is missing.
    """
    pyrage, keys = _pyrage(), [key.strip() for key in recipients if key.strip()]
    if (passphrase is None) is (not keys):
        raise ConfigError("seal either to recipients or with a passphrase")
    if passphrase is not None:
        return bytes(pyrage.passphrase.encrypt(data, passphrase))
    return bytes(pyrage.encrypt(data, [_recipient(pyrage, key) for key in keys]))


def _recipient(pyrage: Any, key: str) -> Any:
    try:
        return (pyrage.ssh if key.startswith("ssh-") else pyrage.x25519).Recipient.from_str(key)
    except pyrage.RecipientError:
        raise ConfigError("a recipient is no public key that age can seal to; it begins with age1, ssh-ed25519 or ssh-rsa") from None


def open_with(data: bytes, *, identity: str | None = None, passphrase: str | None = None) -> bytes:
    """What `seal_to`, or age itself, sealed.

    Args:
        data: the sealed file, binary or armored.
        identity: the private key: the text of an age identity file, or of an unencrypted OpenSSH key.
        passphrase: what it was sealed with, instead.

    Raises:
        SealBroken: the key or passphrase is not the right one, or the file was changed; which of these is not told.
        ConfigError: the identity cannot be read, not exactly one of the two is given, or pyrage is missing.
    """
    if (identity is None) is (passphrase is None):
        raise ConfigError("open either with an identity or with a passphrase")
    pyrage = _pyrage()
    try:
        if identity is not None:
            return bytes(pyrage.decrypt(data, _identities(pyrage, identity)))
        return bytes(pyrage.passphrase.decrypt(data, passphrase))
    except pyrage.DecryptError:
        raise SealBroken("the age file does not open: another key or passphrase sealed it, or it was changed") from None


def _identities(pyrage: Any, text: str) -> list[Any]:
    try:
        if "PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise ConfigError("the identity is no private key of age or OpenSSH; an age identity begins with AGE-SECRET-KEY-1")
    return found
