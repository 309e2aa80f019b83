"""Makes the vault file of this release for `tests/upgrade`: `.venv/bin/python scripts/vault_file.py tests/upgrade/RELEASE`.

Run once for a release, with the code of that release; the file is never made anew. The key beside it is test data and
opens nothing else.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from handstamp.state import Device, Entry, Health, Loss, Part, PartId, PartKind, Stamp, StorageState
from handstamp.state.cookies import Cookie
from handstamp.vault import MasterKey, Vault

ORIGIN = "https://app.example.com"


def main(folder: Path) -> None:
    """Writes `vault.db` and `key.txt` into `folder`, with something of everything that a vault holds."""
    folder.mkdir(parents=True)
    key = MasterKey.generate()
    (folder / "key.txt").write_text(key.text() + "\n", encoding="ascii")
    with Vault(f"sqlite:///{folder.resolve()}/vault.db", home=folder, key=key) as vault:
        fill(vault)
    for name in ("vault.db-wal", "vault.db-shm"):
        (folder / name).unlink(missing_ok=True)


def fill(vault: Vault) -> None:
    """Parts with versions, a tombstone, a pin, a forgotten domain, files, a session, credentials, events, a free lease."""
    cookie = Cookie(name="sid", value="cookie-value", domain="app.example.com", host_only=True)
    jar = Part(PartId(PartKind.COOKIES, "example.com"), {cookie.key: Entry(cookie, Stamp(1))})
    for number, value in enumerate(("first", "second", "third"), start=1):
        local = Part(PartId(PartKind.LOCAL, ORIGIN), {("k",): Entry(value, Stamp(number)), ("gone",): Entry(None if number == 3 else "x", Stamp(number))})
        vault.save("work", StorageState.of([jar, local]))
        if number == 2:
            vault.pin("work")
    vault.save("work", StorageState.of([Part(PartId(PartKind.LOCAL, "https://forgotten.example"), {("k",): Entry("v", Stamp(1))})]))
    epoch = vault.forget("work", domain="forgotten.example")
    vault.save("work", StorageState.of([Part(PartId(PartKind.FILES, "chunk", "c1"), {("data",): Entry(b"file", Stamp(1))})], epoch=epoch))
    device = Device(user_agent="agent", proxy="http://user:proxy-password@proxy")
    losses = (Loss("crypto-key", ORIGIN, "it cannot be exported"),)
    vault.update_session("work", "portside", lambda session: replace(session, username="me", health=Health.VALID, logins=2, device=device, losses=losses))
    vault.set_secret("portside", "me", "password", "saved-password")
    vault.set_secret("portside", "me", "totp", "JBSWY3DPEHPK3PXP")
    vault.record_event("login", profile="work", site="portside", data={"by": "recipe"})
    vault.lease("work").release()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
