"""A durable sqlite file that never makes the event loop wait.

Operations are plain functions of a connection. While a batch of them is being
written, those that arrive wait for the next one, so a burst shares the price of
a disk flush (group commit). What `run` has returned survives a power cut.

At each statement the writing thread and the event loop wait for each other, which
costs more than the statement. So operations of one kind can be written together.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
import logging
from operator import attrgetter
from pathlib import Path
import sqlite3
from typing import Any

from .adapters.base import RunBlocking

_LOGGER = logging.getLogger(__name__)

type Operation[T] = Callable[[sqlite3.Connection], T]
type Together[I, T] = Callable[[sqlite3.Connection, Sequence[I]], Sequence[T]]
"""Does what is to be done with each of some items, and returns their results."""
type Settle = Callable[[], None]
type Conclude = Callable[[sqlite3.Connection], Settle]

PATIENCE = 0.005
"""Seconds that a write may wait for company if nobody waits for it."""
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
    """Something to be done in a worker, and how the loop learns what came of it."""

    together: Together[Any, Any]
    item: object
    resolve: Callable[[Any], None]
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
        self._is_urgent = False
        self._timer: asyncio.TimerHandle | None = None
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

        `then` hears the result right after, and also when nobody waits any more: a
        web server drops the handler of a callback whose caller hangs up. Raises what
        the operation raised, which is then undone; sqlite3.Error when the disk
        fails; JournalClosedError after `close`.
        """
        return await self.post(_perform_each, operation, then)

    def post[I, T](
        self,
        together: Together[I, T],
        item: I,
        then: Callable[[T], None] | None = None,
        patience: float = 0.0,
    ) -> asyncio.Future[T]:
        """Do something with an item as `run` does, together with its neighbours.

        Items keep their order. What has patience, in seconds, waits that long for
        the company of something more urgent.
        """
        connection = self._connection
        if connection is None:
            raise JournalClosedError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_job(together, item, future, then))
        if not patience:
            self._hurry(connection)
        elif self._timer is None:
            self._timer = loop.call_later(patience, self._hurry, connection)
        return future

    async def close(self) -> None:
        """Write what is waiting, then close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._hurry(connection)
        if self._writer is not None:
            await self._writer
        if connection is not None:
            await self._run_blocking(connection.close)

    async def erase(self) -> None:
        """Close the file and delete it, and what was set aside as well."""
        await self.close()
        await self._run_blocking(self._erase)

    def _hurry(self, connection: sqlite3.Connection) -> None:
        """Have all that waits written as soon as what is being written is done."""
        self._is_urgent = True
        if self._writer is None and self._waiting:
            self._writer = asyncio.create_task(self._write(connection))

    async def _write(self, connection: sqlite3.Connection) -> None:
        while self._is_urgent and (batch := self._take_waiting()):
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

    def _take_waiting(self) -> list[_Job]:
        batch, self._waiting = self._waiting, []
        self._is_urgent = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return batch

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


def _job[I, T](
    together: Together[I, T],
    item: I,
    future: asyncio.Future[T],
    then: Callable[[T], None] | None,
) -> _Job:
    def fail(err: Exception) -> None:
        if not future.done():
            future.set_exception(err)

    def resolve(result: T) -> None:
        if not future.done():
            future.set_result(result)
        if then is not None:
            # Whoever waits goes first, and whatever it does wrong harms nobody.
            future.get_loop().call_soon(then, result)

    return _Job(together, item, resolve, fail)


def _commit(
    connection: sqlite3.Connection, batch: list[_Job], conclude: Conclude
) -> list[Settle]:
    """Commit a batch; if one of its operations fails, each is secured by itself.

    That is done only then, for it takes three statements each.
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
    perform: Callable[[sqlite3.Connection, list[_Job]], list[Settle]],
) -> list[Settle]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        settles = perform(connection, batch)
        settles.insert(0, conclude(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return settles


def _perform(connection: sqlite3.Connection, batch: list[_Job]) -> list[Settle]:
    settles: list[Settle] = []
    for together, neighbours in groupby(batch, attrgetter("together")):
        jobs = list(neighbours)
        results = together(connection, [job.item for job in jobs])
        settles += [
            partial(job.resolve, result)
            for job, result in zip(jobs, results, strict=True)
        ]
    return settles


def _perform_alone(connection: sqlite3.Connection, batch: list[_Job]) -> list[Settle]:
    return [_secure(connection, job) for job in batch]


def _secure(connection: sqlite3.Connection, job: _Job) -> Settle:
    connection.execute("SAVEPOINT job")
    try:
        (settle,) = _perform(connection, [job])
    except Exception as err:  # noqa: BLE001  # it is the operation's own to report
        connection.execute("ROLLBACK TO job")
        return partial(job.fail, err)
    connection.execute("RELEASE job")
    return settle


def _perform_each[T](
    connection: sqlite3.Connection, operations: Sequence[Operation[T]]
) -> list[T]:
    return [operation(connection) for operation in operations]


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
