"""The product's files on a disk that can be full.

A database on a full disk can still be read. What cannot be done is to commit.
"""

import sqlite3
from typing import Any, Final, override

TROUBLE: Final = "database or disk is full"
_MARK: Final = "virtual_sms."
_CONNECT: Final = sqlite3.connect

is_full = False


class Connection(sqlite3.Connection):
    """A connection that commits nothing while the disk is full."""

    @override
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql.lstrip().upper().startswith("COMMIT"):
            _refuse()
        return super().execute(sql, parameters)

    @override
    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        _refuse()
        return super().executescript(sql_script)

    @override
    def commit(self) -> None:
        _refuse()
        super().commit()


def replace() -> None:
    """Have the product's files opened by such connections."""
    vars(sqlite3)["connect"] = _connect


def fill(*, full: bool) -> None:
    """Fill the disk, or make room on it."""
    global is_full  # noqa: PLW0603  # a process has one disk
    is_full = full


def _connect(database: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
    if _MARK in str(database):
        options.setdefault("factory", Connection)
    connection: sqlite3.Connection = _CONNECT(database, *arguments, **options)
    return connection


def _refuse() -> None:
    if is_full:
        raise sqlite3.OperationalError(TROUBLE)
