"""A durable sqlite file that never makes the event loop wait.

Operations are plain functions of a connection. While a batch of them is being
written, those that arrive wait for the next one, so a burst shares the price of
a disk flush (group commit). What `run` has returned survives a power cut.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import logging
from pathlib import Path
import sqlite3

from .adapters.base import RunBlocking

_LOGGER = logging.getLogger(__name__)

type Operation[T] = Callable[[sqlite3.Connection], T]
type Settle = Callable[[], None]

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    # What was deleted (a text that is no longer needed) is overwritten.
    "PRAGMA secure_delete=ON",
)
_SUFFIXES = ("", "-wal", "-shm")


class JournalClosedError(Exception):
    """The journal is closed: nothing can be written down any more."""


class JournalVersionError(Exception):
    """The file was written by a newer version than this one."""


@dataclass(frozen=True, slots=True)
class _Job:
    """An operation that is waited for: `perform` in a worker, the rest on the loop."""

    perform: Callable[[sqlite3.Connection], Settle]
    fail: Callable[[Exception], None]


class Journal:
    """One sqlite file, one batch at a time, each batch one durable transaction."""

    def __init__(
        self, path: Path, migrations: tuple[str, ...], run_blocking: RunBlocking
    ) -> None:
        """Take the file, and the scripts that bring it from version to version."""
        self._path = path
        self._damaged = path.with_suffix(".damaged")
        self._migrations = migrations
        self._run_blocking = run_blocking
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[_Job] = []
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the file, bring it to the newest version, make it if need be.

        A damaged file is set aside and a new one begun: an alarm that cannot be
        sent is worse than a history that is lost. Raises JournalVersionError for
        a file of the future.
        """
        self._connection = await self._run_blocking(self._open)

    async def run[T](self, operation: Operation[T]) -> T:
        """Run an operation and return its result once it is safely on disk.

        Raises what the operation raised, which is then undone; sqlite3.Error when
        the disk fails; JournalClosedError after `close`.
        """
        return await self.post(operation)

    def post[T](self, operation: Operation[T]) -> asyncio.Future[T]:
        """Do the same without waiting; operations keep their order."""
        if self._connection is None:
            raise JournalClosedError
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_job(operation, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(self._connection))
        return future

    async def close(self) -> None:
        """Write what is waiting, then close the file."""
        connection, self._connection = self._connection, None
        if self._writer is not None:
            await self._writer
        if connection is not None:
            await self._run_blocking(connection.close)

    async def erase(self) -> None:
        """Close the file and delete it, and what was set aside as well."""
        await self.close()
        await self._run_blocking(self._erase)

    async def _write(self, connection: sqlite3.Connection) -> None:
        while batch := self._waiting:
            self._waiting = []
            try:
                settles = await self._run_blocking(_commit, connection, batch)
            # Nobody may be left waiting, whatever stopped the worker.
            except Exception as err:  # noqa: BLE001  # see above
                for job in batch:
                    job.fail(err)
            else:
                for settle in settles:
                    settle()
        self._writer = None

    def _erase(self) -> None:
        _move_away(self._path, None)
        self._damaged.unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(self._path, self._migrations)
        except sqlite3.DatabaseError as err:
            if isinstance(err, sqlite3.OperationalError):
                raise
            _LOGGER.warning("A damaged message ledger was set aside, a new one begun")
            _move_away(self._path, self._damaged)
            return _connect(self._path, self._migrations)


def _job[T](operation: Operation[T], future: asyncio.Future[T]) -> _Job:
    def fail(err: Exception) -> None:
        if not future.done():
            future.set_exception(err)

    def resolve(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def perform(connection: sqlite3.Connection) -> Settle:
        connection.execute("SAVEPOINT job")
        try:
            result = operation(connection)
        # Whatever one operation does wrong must not undo its neighbours.
        except Exception as err:  # noqa: BLE001  # see above
            connection.execute("ROLLBACK TO job")
            failure = err
            return lambda: fail(failure)
        connection.execute("RELEASE job")
        return lambda: resolve(result)

    return _Job(perform, fail)


def _commit(connection: sqlite3.Connection, batch: list[_Job]) -> list[Settle]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        settles = [job.perform(connection) for job in batch]
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return settles


def _connect(path: Path, migrations: tuple[str, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        path.chmod(0o600)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _check(connection)
        _migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Find damage now, when a new file can be begun, and not at the first message."""
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _migrate(connection: sqlite3.Connection, migrations: tuple[str, ...]) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise JournalVersionError
    for number, script in enumerate(migrations[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script}; PRAGMA user_version={number}; COMMIT"
        )


def _move_away(path: Path, target: Path | None) -> None:
    for suffix in _SUFFIXES:
        file = path.with_name(path.name + suffix)
        if target is not None and suffix == "" and file.exists():
            file.replace(target)
        file.unlink(missing_ok=True)
