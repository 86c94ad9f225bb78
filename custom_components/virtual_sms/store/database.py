"""A durable sqlite file that never makes the event loop wait.

Operations are plain functions of a connection. While a batch of them is being
written, those that arrive wait for the next one, so a burst shares the price of
a disk flush (group commit). What `run` has returned survives a power cut.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
import logging
from pathlib import Path
import sqlite3
from typing import Any

from ..adapters.base import RunBlocking
from .database_file import DatabaseFile, Mend, Opened, is_damage
from .journal import Journal
from .salvage import Salvage
from .transaction import Batch, Conclude, Job, Operation, Resolve
from .whole_call import run_whole

_LOGGER = logging.getLogger(__name__)

FLUSH_DELAY = 0.005
"""Seconds that a write may wait for company if nobody waits for it."""
QUIET = 1.0
"""Seconds without a write after which no text may be left beside the file."""
_NEVER = -1
_PAGES = 1_000
"""What may lie beside the file, until a write brings it into the file."""
_TIDY = ("PRAGMA wal_checkpoint(TRUNCATE)",)
# What is beside the file goes also if there is no room for a second copy of it.
_COMPACT = (*_TIDY, "VACUUM", *_TIDY)


class DatabaseClosedError(Exception):
    """The database is closed: nothing can be written down any more."""


CANNOT_WRITE = (DatabaseClosedError, OSError, sqlite3.Error)
"""What keeps something from being written down, or read, now."""


class Database:
    """One sqlite file, one batch at a time, each batch one durable transaction.

    `conclude` runs once at the end of each that has changed something, in its
    transaction; what it returns is called on the loop before anyone learns of a result.
    """

    def __init__(
        self,
        path: Path,
        migrations: tuple[str, ...],
        run_blocking: RunBlocking,
        *,
        is_held: bool = False,
    ) -> None:
        """Take the file, the scripts that bring it from version to version, and a hold."""
        self._file = DatabaseFile(path=path, migrations=migrations)
        self.journal = Journal(self._file.journals, self._file.kept)
        self._run_blocking = run_blocking
        self._connection: sqlite3.Connection | None = None
        self._tidied_at = _NEVER
        self._waiting: list[Job[Any]] = []
        self._writer: asyncio.Task[None] | None = None
        self._is_urgent = False
        self._timer: asyncio.TimerHandle | None = None
        self._tidy_timer: asyncio.TimerHandle | None = None
        self._is_suspect = False
        self._is_held = is_held
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
        self._tidied_at = _NEVER
        if self._is_held:
            await self.hold()

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

    async def read[T](self, operation: Operation[T]) -> T:
        """Run an operation that only reads, also where nothing can be written."""
        return await self._post(Job(operation, reads=True), 0.0)

    def post[T](
        self, operation: Operation[T], then: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Run an operation as `run` does, after those that were posted before."""
        return self._post(Job(operation, then), 0.0)

    def note[T](self, operation: Operation[T], delay: float = 0.0) -> asyncio.Future[T]:
        """Run an operation that a power cut may undo a little later.

        One with a delay, in seconds, waits that long for the company of something
        more urgent.
        """
        return self._post(Job(operation, is_forgettable=True), delay)

    def require_open(self) -> sqlite3.Connection:
        """Raise DatabaseClosedError if it is closed."""
        if self._connection is None:
            raise DatabaseClosedError
        return self._connection

    def _post[T](self, job: Job[T], delay: float) -> asyncio.Future[T]:
        connection = self.require_open()
        self._waiting.append(job)
        if not delay:
            self._hurry(connection)
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay, self._hurry, connection)
        return job.future

    async def hold(self) -> None:
        """Leave the file as it is until `release`: what is written goes beside it.

        For whoever copies first the one and then the other. One that is closed is held
        once it is opened. Raises sqlite3.Error.
        """
        self._is_held = True
        await self._bring_in_after(0)

    async def release(self) -> None:
        """End a hold; raises what `hold` raises."""
        self._is_held = False
        await self._bring_in_after(_PAGES)

    async def _bring_in_after(self, pages: int) -> None:
        if self._connection is not None:
            await self.read(partial(_bring_in_after, pages))

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
            tidy = _bring_nothing_in if self._is_held else self._bring_all_in
            await self._run_blocking(_close, connection, tidy, self.journal.close)

    def _bring_all_in(self, connection: sqlite3.Connection) -> None:
        _truncate(connection, self._tidying)

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
        while self._is_urgent and (jobs := self._take_waiting()):
            noted = self.journal.turn()
            batch = Batch(connection, jobs, self.conclude, self._file.sync, noted)
            await self._write_batch(batch)
        self._tidy_later(connection)

    async def _write_batch(self, batch: Batch) -> None:
        try:
            resolvers = await run_whole(self._run_blocking, batch.commit)
        # Nobody may be left waiting, whatever stopped the worker.
        except Exception as err:  # noqa: BLE001  # see above
            for job in batch.jobs:
                job.fail(err)
            if is_damage(err):
                await self._suspect()
        except BaseException:
            for job in batch.jobs:
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
        """Have the texts in the file beside ours removed once nothing is written.

        What only reads leaves nothing there, and wears no card.
        """
        is_tidy = connection.total_changes == self._tidied_at
        is_wanted = not is_tidy or self._tidying is not _TIDY
        if self._connection is not None and is_wanted and not self._is_held:
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
            tidied_at = connection.total_changes
            forget, statements = self.journal.turn().forget, self._tidying
            await run_whole(
                self._run_blocking, _tidy_up, connection, statements, forget
            )
            self._tidying, self._tidied_at = _TIDY, tidied_at
        # The next quiet moment is another chance.
        except Exception as err:  # noqa: BLE001  # see above
            _LOGGER.debug("The file cannot be tidied now: %s", type(err).__name__)

    def _stop_tidying(self) -> None:
        if self._tidy_timer is not None:
            self._tidy_timer.cancel()
            self._tidy_timer = None

    def _take_waiting(self) -> list[Job[Any]]:
        batch, self._waiting = self._waiting, []
        self._is_urgent = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return batch


def _conclude_nothing(_: sqlite3.Connection) -> Resolve:
    return _do_nothing


def _mend_nothing(_: sqlite3.Connection, __: Salvage) -> None:
    return None


def _do_nothing() -> None:
    return None


def _bring_in_after(pages: int, connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA wal_autocheckpoint={pages}")


def _bring_nothing_in(connection: sqlite3.Connection) -> None:
    """Have sqlite leave what is beside the file there, also when it closes."""
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)


def _tidy_up(
    connection: sqlite3.Connection, statements: Sequence[str], forget: Resolve
) -> None:
    """Bring all into the file, and begin the one beside it anew.

    To begin it takes a flush of its own, which the next message then has behind it.
    """
    forget()
    _truncate(connection, statements)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version={version}")


def _truncate(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    """Bring all into the file itself, where what was deleted is overwritten."""
    for statement in statements:
        connection.execute(statement).fetchone()


def _close(
    connection: sqlite3.Connection,
    tidy: Callable[[sqlite3.Connection], None],
    forget: Resolve,
) -> None:
    forget()
    try:
        tidy(connection)
    # It is all on disk already, beside the file.
    except sqlite3.Error as err:
        _LOGGER.debug("The file cannot be tidied now: %s", type(err).__name__)
    finally:
        connection.close()
