"""A durable sqlite file that never makes the event loop wait.

Operations are plain functions of a connection. While a batch of them is being
written, those that arrive wait for the next one, so a burst shares the price of
a disk flush (group commit). What `run` has returned survives a power cut.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import logging
from pathlib import Path
import sqlite3

from .adapters.base import RunBlocking

_LOGGER = logging.getLogger(__name__)

type Operation[T] = Callable[[sqlite3.Connection], T]
type Settle = Callable[[], None]
type Conclude = Callable[[sqlite3.Connection], Settle]

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
    """Raises what the operation raises."""
    fail: Callable[[Exception], None]


class Journal:
    """One sqlite file, one batch at a time, each batch one durable transaction.

    `conclude` runs once at the end of each, in its transaction; what it returns is
    called on the loop before anyone learns of a result.
    """

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
        self.conclude: Conclude = _conclude_nothing

    async def open(self) -> None:
        """Open the file, bring it to the newest version, make it if need be.

        A damaged file is set aside and a new one begun: an alarm that cannot be
        sent is worse than a history that is lost. Raises JournalVersionError for
        a file of the future.
        """
        self._connection = await self._run_blocking(self._open)

    async def run[T](
        self, operation: Operation[T], then: Callable[[T], None] | None = None
    ) -> T:
        """Run an operation and return its result once it is safely on disk.

        `then` hears the result first, and also when nobody waits any more: a web
        server drops the handler of a callback whose caller hangs up. Raises what
        the operation raised, which is then undone; sqlite3.Error when the disk
        fails; JournalClosedError after `close`.
        """
        return await self.post(operation, then)

    def post[T](
        self, operation: Operation[T], then: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Do the same without waiting; operations keep their order."""
        if self._connection is None:
            raise JournalClosedError
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_job(operation, future, then))
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
                settles = await self._run_blocking(
                    _commit, connection, batch, self.conclude
                )
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


def _job[T](
    operation: Operation[T],
    future: asyncio.Future[T],
    then: Callable[[T], None] | None,
) -> _Job:
    def fail(err: Exception) -> None:
        if not future.done():
            future.set_exception(err)

    def resolve(result: T) -> None:
        if then is not None:
            # Whatever it does wrong must not keep the others from their results.
            future.get_loop().call_soon(then, result)
        if not future.done():
            future.set_result(result)

    def perform(connection: sqlite3.Connection) -> Settle:
        result = operation(connection)
        return lambda: resolve(result)

    return _Job(perform, fail)


def _commit(
    connection: sqlite3.Connection, batch: list[_Job], conclude: Conclude
) -> list[Settle]:
    """Commit a batch; if one of its operations fails, each is secured by itself.

    That is done only then, for every statement lets the event loop and this thread
    wait for each other.
    """
    try:
        return _transact(connection, batch, conclude, _perform)
    # Whatever one operation does wrong must not undo its neighbours.
    except Exception:  # noqa: BLE001  # see above
        return _transact(connection, batch, conclude, _perform_alone)


def _transact(
    connection: sqlite3.Connection,
    batch: list[_Job],
    conclude: Conclude,
    perform: Callable[[_Job, sqlite3.Connection], Settle],
) -> list[Settle]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        settles = [perform(job, connection) for job in batch]
        settles.insert(0, conclude(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return settles


def _perform(job: _Job, connection: sqlite3.Connection) -> Settle:
    return job.perform(connection)


def _perform_alone(job: _Job, connection: sqlite3.Connection) -> Settle:
    connection.execute("SAVEPOINT job")
    try:
        settle = job.perform(connection)
    except Exception as err:  # noqa: BLE001  # it is the operation's own to report
        connection.execute("ROLLBACK TO job")
        return partial(job.fail, err)
    connection.execute("RELEASE job")
    return settle


def _conclude_nothing(_: sqlite3.Connection) -> Settle:
    return lambda: None


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
