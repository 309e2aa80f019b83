"""Where a PostgreSQL vault is: its URL, taken apart so that the password is in nothing that is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from handstamp.errors import ConfigError

_SHORTEST_SECRET = 4  # characters; shorter ones would blank half of a message


@dataclass(frozen=True, slots=True)
class Address:
    """A server and database.

    Args:
        where: for people: user, host, port and database.
        conninfo: for libpq (PostgreSQL, "Connection Strings"); may hold secrets.
        secrets: what of it must not be shown.
    """

    where: str
    conninfo: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def blanked(self, text: str) -> str:
        """`text` without the secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text


_DEFAULTS = {"connect_timeout": "10", "application_name": "handstamp", "client_encoding": "UTF8", "keepalives_idle": "30", "tcp_user_timeout": "30000"}
_SECRET = ("password", "sslpassword", "passfile", "sslkey")


def parse(url: str) -> Address:
    """The address that a URL names.

    Raises:
        ConfigError: it is none; the message holds nothing of it.
    """
    try:
        facts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
        conninfo = make_conninfo(**{**_DEFAULTS, **facts})
    except Error:  # its words quote the URL
        raise ConfigError("the vault's URL is not one that PostgreSQL understands; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from None
    secrets = tuple(facts[name] for name in _SECRET if len(facts.get(name, "")) >= _SHORTEST_SECRET)
    return Address(_shown(facts), conninfo, secrets)


def _shown(facts: dict[str, str]) -> str:
    user = f"{facts['user']}@" if "user" in facts else ""
    port = f":{facts['port']}" if "port" in facts else ""
    host = facts.get("host", facts.get("hostaddr", ""))
    return f"postgresql://{user}{host}{port}/{facts.get('dbname', '')}"
