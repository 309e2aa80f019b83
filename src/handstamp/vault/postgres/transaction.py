"""A transaction on PostgreSQL: what can be sent together goes in one round trip."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from handstamp.vault.postgres.connection import pipelined
from handstamp.vault.postgres.dialect import folded, queries
from handstamp.vault.store import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import psycopg

    from handstamp.vault.store import Call, Row, Value

_Key = tuple[str, frozenset[tuple[str, "Value"]]]

READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # one moment
WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"  # sees what others committed while it waited for a row; see sql/queries.sql


class PostgresTransaction:
    """See `handstamp.vault.store.Transaction`. It begins with the first statement.

    Attributes:
        begun: something was asked of the server.
        changed: something was changed.
    """

    def __init__(self, connection: psycopg.Connection, *, writing: bool) -> None:
        self.begun = False
        self.changed = False
        self._connection = connection
        self._writing = writing
        self._begin = WRITING if writing else READING
        self._queries = queries(writing=writing)
        self._now: int | None = None
        self._expected: dict[_Key, Answer] = {}
        self._later: list[Call] = []

    def rows(self, query: str, /, **values: Value) -> list[Row]:
        """The rows of the named query."""
        return self._one(query, values).rows

    def run(self, query: str, /, **values: Value) -> int:
        """Run the named statement; how many rows it changed."""
        return self._one(query, values).changed

    def together(self, *calls: Call) -> list[Answer]:
        """See `handstamp.vault.store.Transaction.together`: all in one round trip."""
        with self._pipeline():
            cursors = [self._execute(query, values) for query, values in calls]
        return [_answer(cursor) for cursor in cursors]

    def later(self, *calls: Call) -> None:
        """See `handstamp.vault.store.Transaction.later`."""
        self._later.extend(calls)
        self.changed = True

    def send_later_ones(self) -> None:
        """Send what was put off; within a pipeline."""
        for query, values in self._later:
            self._execute(query, values)
        self._later.clear()

    def expect(self, calls: Callable[[], Iterable[Call]], *, all_of_it: bool = False) -> None:
        """See `handstamp.vault.store.Transaction.expect`."""
        asked = list(calls())
        with self._pipeline():
            cursors = [self._execute(query, values) for query, values in asked]
            if all_of_it and not self._writing:
                self._connection.execute("COMMIT")
                self.begun = False
        self._expected = {_key(*call): _answer(cursor) for call, cursor in zip(asked, cursors, strict=True)}

    def now(self) -> int:
        """The server's clock: milliseconds since the epoch."""
        if self._now is None:
            ((self._now,),) = self.rows("now")
        return self._now

    def _one(self, query: str, values: dict[str, Value]) -> Answer:
        if self._expected and (expected := self._expected.pop(_key(query, values), None)) is not None:
            return expected
        if self.begun and not self._later:
            return _answer(self._execute(query, values))
        return self.together((query, values))[0]

    @contextmanager
    def _pipeline(self) -> Iterator[None]:
        with pipelined(self._connection):
            if not self.begun:
                self.begun = True
                self._connection.execute(self._begin)
            self.send_later_ones()
            yield

    def _execute(self, query: str, values: Mapping[str, Value]) -> psycopg.Cursor[Any]:
        statement = self._queries[query]
        self.changed = self.changed or (self._writing and not statement.startswith("SELECT"))
        cursor = self._connection.cursor(binary=True)
        return cursor.execute(statement.encode(), {name: folded(value) for name, value in values.items()})


def _key(query: str, values: Mapping[str, Value]) -> _Key:
    return query, frozenset(values.items())


def _answer(cursor: psycopg.Cursor[Any]) -> Answer:
    return Answer(cursor.fetchall() if cursor.description else [], cursor.rowcount)
