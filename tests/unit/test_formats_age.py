"""Sealing an export for somebody else."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest

from handstamp.errors import ConfigError, SealBroken
from handstamp.formats import open_with, seal_to

pyrage = pytest.importorskip("pyrage", reason="pyrage is not installed")

DATA = b"canary" * 100


def keys() -> tuple[str, str]:
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def test_each_recipient_can_open_it_and_nobody_else() -> None:
    (mine, my_public), (theirs, their_public), (stranger, _) = keys(), keys(), keys()
    sealed = seal_to(DATA, [my_public, their_public])
    assert b"canary" not in sealed
    assert open_with(sealed, identity=mine) == open_with(sealed, identity=theirs) == DATA
    with pytest.raises(SealBroken):
        open_with(sealed, identity=stranger)


def test_an_identity_file_with_comments_opens() -> None:
    private, public = keys()
    assert open_with(seal_to(DATA, [public]), identity=f"# created: 2027-01-15\n# public key: {public}\n{private}\n") == DATA


def test_a_passphrase_opens_what_it_sealed() -> None:
    sealed = seal_to(DATA, passphrase="correct horse")  # slow on purpose, as is opening: once is enough
    assert b"canary" not in sealed
    assert open_with(sealed, passphrase="correct horse") == DATA


@pytest.mark.parametrize("change", [lambda sealed: sealed[:-1], lambda sealed: sealed[:-1] + b"\0\0", lambda _: b"garbage", lambda _: b""])
def test_what_was_changed_does_not_open(change: Any) -> None:
    private, public = keys()
    with pytest.raises(SealBroken):
        open_with(change(seal_to(DATA, [public])), identity=private)


@pytest.mark.parametrize("recipient", ["age1canary", "ssh-ed25519 canary", "canary"])
def test_a_recipient_that_is_no_key_is_refused_without_saying_it(recipient: str) -> None:
    with pytest.raises(ConfigError) as caught:
        seal_to(DATA, [recipient])
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("identity", ["", "canary", "# only a comment", "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary"])
def test_an_identity_that_is_no_key_is_refused_without_saying_it(identity: str) -> None:
    _, public = keys()
    with pytest.raises(ConfigError) as caught:
        open_with(seal_to(DATA, [public]), identity=identity)
    assert "canary" not in str(caught.value)


def test_a_passphrase_does_not_open_what_was_sealed_to_a_key() -> None:
    _, public = keys()
    with pytest.raises(SealBroken):
        open_with(seal_to(DATA, [public]), passphrase="correct horse")


def test_exactly_one_way_must_be_named() -> None:
    _, public = keys()
    for wrong in (
        lambda: seal_to(DATA),
        lambda: seal_to(DATA, [public], passphrase="x"),
        lambda: open_with(DATA),
        lambda: open_with(DATA, identity="x", passphrase="x"),
    ):
        with pytest.raises(ConfigError, match="either"):
            wrong()


def test_without_pyrage_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "pyrage":
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.delitem(sys.modules, "pyrage", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"handstamp\[age\]"):
        seal_to(DATA, ["age1x"])
