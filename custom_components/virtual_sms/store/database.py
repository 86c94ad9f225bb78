"""A durable sqlite file that never makes the event loop wait.

Operations are plain functions of a connection. While a batch of them is being
written, those that arrive wait for the next one, so a burst shares the price of
a disk flush (group commit). What `run` has returned survives a power cut.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
import logging
from pathlib import Path
import sqlite3
from typing import Any

from ..adapters.base import RunBlocking
from .database_file import DatabaseFile, Mend, Opened, is_damage
from .salvage import Salvage
from .whole_call import run_whole

_LOGGER = logging.getLogger(__name__)

type Operation[T] = Callable[[sqlite3.Connection], T]
type Resolve = Callable[[], None]
type Conclude = Callable[[sqlite3.Connection], Resolve]

FLUSH_DELAY = 0.005
"""Seconds that a write may wait for company if nobody waits for it."""
QUIET = 1.0
"""Seconds without a write after which no text may be left beside the file."""
_TIDY = ("PRAGMA wal_checkpoint(TRUNCATE)",)
# What is beside the file goes also if there is no room for a second copy of it.
_COMPACT = (*_TIDY, "VACUUM", *_TIDY)


class DatabaseClosedError(Exception):
    """The database is closed: nothing can be written down any more."""


CANNOT_WRITE = (DatabaseClosedError, OSError, sqlite3.Error)
"""What keeps something from being written down now."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Something to be done in a worker, and how the loop learns what came of it."""

    operation: Operation[Any]
    resolve: Callable[[Any], None]
    fail: Callable[[Exception], None]


class Database:
    """One sqlite file, one batch at a time, each batch one durable transaction.

    `conclude` runs once at the end of each, in its transaction; what it returns is
    called on the loop before anyone learns of a result.
    """

    def __init__(
        self, path: Path, migrations: tuple[str, ...], run_blocking: RunBlocking
    ) -> None:
        """Take the file, and the scripts that bring it from version to version."""
        self._file = DatabaseFile(path=path, migrations=migrations)
        self._run_blocking = run_blocking
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[_Job] = []
        self._writer: asyncio.Task[None] | None = None
        self._is_urgent = False
        self._timer: asyncio.TimerHandle | None = None
        self._tidy_timer: asyncio.TimerHandle | None = None
        self._is_suspect = False
        self._tidying: Sequence[str] = _TIDY
        self.conclude: Conclude = _conclude_nothing
        self.mend: Mend = _mend_nothing
        self.on_damage: Resolve = _do_nothing
        """Called once when the file turns out to be damaged while it is open."""
        self.salvage: Salvage | None = None
        """What was saved at `open`, if the file was damaged."""

    async def open(self) -> None:
        """Open the file, bring it to the newest version, make it if need be.

        A damaged file is set aside and a new one begun with what can be read of it,
        which `mend` brings in order. Raises StorageError.
        """
        opened: Opened = await self._run_blocking(self._file.open, self.mend)
        self._is_suspect = False
        self._connection, self.salvage = opened.connection, opened.salvage

    async def run[T](
        self, operation: Operation[T], then: Callable[[T], None] | None = None
    ) -> T:
        """Run an operation and return its result once it is safely on disk.

        `then` gets the result right after, and also when nobody waits any more: a
        web server drops the handler of a callback whose caller hangs up. Raises what
        the operation raised, which is then undone; sqlite3.Error when the disk
        fails; DatabaseClosedError after `close`.
        """
        return await self.post(operation, then)

    def post[T](
        self,
        operation: Operation[T],
        then: Callable[[T], None] | None = None,
        delay: float = 0.0,
    ) -> asyncio.Future[T]:
        """Run an operation as `run` does, after those that were posted before.

        One with a delay, in seconds, waits that long for the company of something
        more urgent.
        """
        connection = self._connection
        if connection is None:
            raise DatabaseClosedError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_job(operation, future, then))
        if not delay:
            self._hurry(connection)
        elif self._timer is None:
            self._timer = loop.call_later(delay, self._hurry, connection)
        return future

    def compact(self) -> None:
        """Have the file written anew once nothing is written.

        Where sqlite moves a row it may leave a copy, which outlives the row.
        """
        self._tidying = _COMPACT

    async def close(self) -> None:
        """Write what is waiting, then close the file."""
        connection, self._connection = self._connection, None
        self._stop_tidying()
        if connection is not None:
            self._hurry(connection)
        # One may be followed by another, and may have been cancelled, as all tasks are
        # when Home Assistant ends.
        while self._writer is not None:
            await asyncio.wait([self._writer])
        if connection is not None:
            await self._run_blocking(_close, connection, self._tidying)

    async def erase(self) -> None:
        """Close the file and delete it, and what was set aside as well."""
        await self.close()
        await self._run_blocking(self._file.erase)

    def _hurry(self, connection: sqlite3.Connection) -> None:
        """Have all that waits written as soon as what is being written is done."""
        self._is_urgent = True
        if self._writer is None and self._waiting:
            self._stop_tidying()
            self._begin(connection, self._write(connection))

    def _begin(
        self, connection: sqlite3.Connection, work: Coroutine[Any, Any, None]
    ) -> None:
        """Have one task at a time use the connection, and then the next if need be."""

        def go_on(_: asyncio.Task[None]) -> None:
            self._writer = None
            if self._is_urgent:
                self._hurry(connection)

        self._writer = asyncio.create_task(work)
        self._writer.add_done_callback(go_on)

    async def _write(self, connection: sqlite3.Connection) -> None:
        while self._is_urgent and (batch := self._take_waiting()):
            await self._write_batch(connection, batch)
        self._tidy_later(connection)

    async def _write_batch(
        self, connection: sqlite3.Connection, batch: list[_Job]
    ) -> None:
        try:
            resolvers = await run_whole(
                self._run_blocking, _commit, connection, batch, self.conclude
            )
        # Nobody may be left waiting, whatever stopped the worker.
        except Exception as err:  # noqa: BLE001  # see above
            for job in batch:
                job.fail(err)
            if is_damage(err):
                await self._suspect()
        except BaseException:
            for job in batch:
                job.fail(DatabaseClosedError())
            raise
        else:
            for resolve in resolvers:
                resolve()

    async def _suspect(self) -> None:
        """Mark the file, so that the next `open` begins anew, and say so once."""
        if self._is_suspect:
            return
        self._is_suspect = True
        try:
            await self._run_blocking(self._file.suspect.touch)
        # A disk that takes no mark either is no reason to be silent.
        except Exception as err:  # noqa: BLE001  # see above
            _LOGGER.debug("A damaged file is not marked: %s", type(err).__name__)
        self.on_damage()

    def _tidy_later(self, connection: sqlite3.Connection) -> None:
        """Have the texts in the file beside ours removed once nothing is written."""
        if self._connection is not None:
            loop = asyncio.get_running_loop()
            self._tidy_timer = loop.call_later(QUIET, self._tidy, connection)

    def _tidy(self, connection: sqlite3.Connection) -> None:
        self._tidy_timer = None
        if self._writer is None:
            self._begin(connection, self._truncate(connection))
        else:
            # This is no quiet moment: the clock has leapt, or something is late.
            self._tidy_later(connection)

    async def _truncate(self, connection: sqlite3.Connection) -> None:
        try:
            await run_whole(self._run_blocking, _truncate, connection, self._tidying)
            self._tidying = _TIDY
        # The next quiet moment is another chance.
        except Exception as err:  # noqa: BLE001  # see above
            _LOGGER.debug("The file cannot be tidied now: %s", type(err).__name__)

    def _stop_tidying(self) -> None:
        if self._tidy_timer is not None:
            self._tidy_timer.cancel()
            self._tidy_timer = None

    def _take_waiting(self) -> list[_Job]:
        batch, self._waiting = self._waiting, []
        self._is_urgent = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return batch


def _job[T](
    operation: Operation[T],
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

    return _Job(operation, resolve, fail)


def _commit(
    connection: sqlite3.Connection, batch: list[_Job], conclude: Conclude
) -> list[Resolve]:
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
    perform: Callable[[sqlite3.Connection, list[_Job]], list[Resolve]],
) -> list[Resolve]:
    # A disk that failed in the middle may have kept the last one from its end.
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    try:
        resolvers = perform(connection, batch)
        resolvers.insert(0, conclude(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return resolvers


def _perform(connection: sqlite3.Connection, batch: list[_Job]) -> list[Resolve]:
    return [partial(job.resolve, job.operation(connection)) for job in batch]


def _perform_alone(connection: sqlite3.Connection, batch: list[_Job]) -> list[Resolve]:
    return [_secure(connection, job) for job in batch]


def _secure(connection: sqlite3.Connection, job: _Job) -> Resolve:
    connection.execute("SAVEPOINT job")
    try:
        result = job.operation(connection)
    except Exception as err:  # it is the operation's own to report
        if is_damage(err):
            raise
        connection.execute("ROLLBACK TO job")
        return partial(job.fail, err)
    connection.execute("RELEASE job")
    return partial(job.resolve, result)


def _conclude_nothing(_: sqlite3.Connection) -> Resolve:
    return _do_nothing


def _mend_nothing(_: sqlite3.Connection, __: Salvage) -> None:
    return None


def _do_nothing() -> None:
    return None


def _truncate(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    """Bring all into the file itself, where what was deleted is overwritten."""
    for statement in statements:
        connection.execute(statement).fetchone()


def _close(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    try:
        _truncate(connection, statements)
    # It is all on disk already, beside the file.
    except sqlite3.Error as err:
        _LOGGER.debug("The file cannot be tidied now: %s", type(err).__name__)
    finally:
        connection.close()
