"""Do what waits in one transaction, and have each learn what came of it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
import sqlite3
from typing import Any

from .database_file import is_damage
from .journal import Noted

type Operation[T] = Callable[[sqlite3.Connection], T]
type Resolve = Callable[[], None]
type Conclude = Callable[[sqlite3.Connection], Resolve]
type DoAll[I, T] = Callable[[sqlite3.Connection, Sequence[I]], Sequence[T]]
"""Does something for several items, and returns what came of each."""


@dataclass(frozen=True, slots=True)
class Joint[I, T]:
    """An operation that is done at once with those that wait beside it for the same."""

    do_all: DoAll[I, T]
    item: I

    def __call__(self, connection: sqlite3.Connection) -> T:
        """Do it for this item alone."""
        return self.do_all(connection, [self.item])[0]


class Job[T]:
    """Something to be done in a worker, and how the loop learns what came of it.

    One that only reads is done also where nothing can be written; one that may be
    forgotten in a power cut has no flush of its own.
    """

    def __init__(
        self,
        operation: Operation[T],
        then: Callable[[T], None] | None = None,
        *,
        reads: bool = False,
        is_forgettable: bool = False,
    ) -> None:
        """Take what is to be done, and who learns of it on the loop that runs.

        `then` gets the result once it is on disk, also where nobody waits for it.
        """
        self.operation = operation
        self.reads = reads
        self.is_forgettable = is_forgettable
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._then = then

    def resolve(self, result: T) -> None:
        """Let everybody know that it is done."""
        if not self.future.done():
            self.future.set_result(result)
        if self._then is not None:
            # Whoever waits goes first, and whatever it does wrong harms nobody.
            self.future.get_loop().call_soon(self._then, result)

    def fail(self, err: Exception) -> None:
        """Let everybody know that it could not be done."""
        if not self.future.done():
            self.future.set_exception(err)


type _Done = Resolve | tuple[Job[Any], Any]
type _Perform = Callable[[sqlite3.Connection, Sequence[Job[Any]]], list[_Done]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written together, with a flush unless all of it may be forgotten.

    `sync` makes the flush, and `noted` is what a crash would have needed instead.
    `conclude` runs once at its end, in the same transaction, if that has changed what may
    not be forgotten; what it returns is called on the loop before anyone learns of a
    result.
    """

    connection: sqlite3.Connection
    jobs: Sequence[Job[Any]]
    conclude: Conclude
    sync: Callable[[], None]
    noted: Noted

    @property
    def _is_forgettable(self) -> bool:
        return all(job.is_forgettable for job in self.jobs)

    def commit(self) -> list[Resolve]:
        """Commit all, and flush it; raises what keeps it from the disk."""
        before = self.connection.total_changes
        try:
            resolvers = self._commit()
            if self.connection.total_changes != before and not self._is_forgettable:
                self.sync()
        except BaseException:
            self.noted.keep()
            raise
        self.noted.forget()
        return resolvers

    def _commit(self) -> list[Resolve]:
        """Commit all; if one of the operations fails, each is secured by itself.

        That is done only then, for it takes three statements each.
        """
        try:
            return self._transact(_perform)
        # Whatever one operation does wrong must not undo its neighbours.
        except Exception:  # noqa: BLE001  # see above
            # Whatever of it is written after all is known by then.
            self.noted.keep()
            return self._commit_alone()

    def _commit_alone(self) -> list[Resolve]:
        """Commit what can be, or do at least what needs no writing."""
        try:
            return self._transact(_perform_alone)
        except Exception as err:
            if is_damage(err) or not any(job.reads for job in self.jobs):
                raise
            return [_read(self.connection, job, err) for job in self.jobs]

    def _transact(self, perform: _Perform) -> list[Resolve]:
        connection = self.connection
        # A disk that failed in the middle may have kept the last one from its end.
        _undo(connection)
        if self._is_forgettable:
            # Each statement for itself: to begin and to end is to wait for Python twice.
            return [*map(_resolver, perform(connection, self.jobs))]
        before = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = perform(connection, self.jobs)
            has_changed = connection.total_changes != before
            concluded = self.conclude(connection) if has_changed else _do_nothing
            _write(connection)
        except BaseException:
            _undo(connection)
            raise
        return [concluded, *map(_resolver, done)]


def _do_nothing() -> None:
    return None


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _write(connection: sqlite3.Connection) -> None:
    """Have all outlive a crash of Home Assistant, and a power cut if it is flushed."""
    connection.execute("COMMIT")


def _perform(connection: sqlite3.Connection, jobs: Sequence[Job[Any]]) -> list[_Done]:
    return [
        done
        for do_all, some in groupby(jobs, _find_joint)
        for done in _perform_some(connection, do_all, list(some))
    ]


def _find_joint(job: Job[Any]) -> DoAll[Any, Any] | None:
    return job.operation.do_all if isinstance(job.operation, Joint) else None


def _perform_some(
    connection: sqlite3.Connection,
    do_all: DoAll[Any, Any] | None,
    jobs: Sequence[Job[Any]],
) -> Iterable[_Done]:
    operations: list[Any] = [job.operation for job in jobs]
    if do_all is None:
        return zip(jobs, [each(connection) for each in operations], strict=True)
    results = do_all(connection, [each.item for each in operations])
    return zip(jobs, results, strict=True)


def _perform_alone(
    connection: sqlite3.Connection, jobs: Sequence[Job[Any]]
) -> list[_Done]:
    return [_secure(connection, job) for job in jobs]


def _secure(connection: sqlite3.Connection, job: Job[Any]) -> _Done:
    connection.execute("SAVEPOINT job")
    try:
        result = job.operation(connection)
    except Exception as err:  # it is the operation's own to report
        if is_damage(err):
            raise
        connection.execute("ROLLBACK TO job")
        return partial(job.fail, err)
    connection.execute("RELEASE job")
    return job, result


def _read(connection: sqlite3.Connection, job: Job[Any], trouble: Exception) -> Resolve:
    """Do a job that only reads; the others fail of what keeps them from writing."""
    if not job.reads:
        return partial(job.fail, trouble)
    try:
        return partial(job.resolve, job.operation(connection))
    except Exception as err:  # noqa: BLE001  # it is the operation's own to report
        return partial(job.fail, err)


def _resolver(done: _Done) -> Resolve:
    if isinstance(done, tuple):
        job, result = done
        return partial(job.resolve, result)
    return done
