"""Open a database's file, or say in one word why it cannot be opened.

What may pass (a full disk, another process) is told apart from what only a person
can mend (a file of another application), and both from damage: a damaged file is
set aside, and a new one is begun with all that can still be read in it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
import errno
from functools import cache
import logging
import os
from pathlib import Path
import sqlite3
from typing import ClassVar

from .salvage import Salvage, salvage

_LOGGER = logging.getLogger(__name__)

type Mend = Callable[[sqlite3.Connection, Salvage], None]
"""Brings what was salvaged in order, in the new file."""

FULL_FLUSH = "PRAGMA synchronous=FULL"
_OWN_FLUSH = "PRAGMA synchronous=NORMAL"
"""From when it is open, what is committed is flushed by `sync`."""
_PRAGMAS = (
    # Only a file without a table takes it: what changes is written page by page.
    "PRAGMA page_size=1024",
    "PRAGMA journal_mode=WAL",
    FULL_FLUSH,
    # What was deleted (a text that is no longer needed) is overwritten.
    "PRAGMA secure_delete=ON",
)
_LOG = "-wal"
"""Beside the file: what was committed, until it is brought into the file."""
_SUFFIXES = ("", _LOG, "-shm")
# Not every system can leave out the time of the last change.
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF


class StorageError(Exception):
    """The file cannot be opened for now; `code` names the sentence that says why."""

    code: ClassVar[str] = "storage_unavailable"
    may_pass: ClassVar[bool] = True


class StorageFullError(StorageError):
    """The disk is full."""

    code = "storage_full"


class StorageLockedError(StorageError):
    """Another process holds the file."""

    code = "storage_locked"


class StorageReadOnlyError(StorageError):
    """The file or its folder may not be written."""

    code = "storage_read_only"


class StorageForeignError(StorageError):
    """The file belongs to another application."""

    code = "storage_foreign"
    may_pass = False


class DatabaseVersionError(StorageError):
    """The file was written by a newer version than this one."""

    code = "storage_newer"
    may_pass = False


_BY_SQLITE: dict[int, type[StorageError]] = {
    sqlite3.SQLITE_BUSY: StorageLockedError,
    sqlite3.SQLITE_FULL: StorageFullError,
    sqlite3.SQLITE_LOCKED: StorageLockedError,
    sqlite3.SQLITE_PERM: StorageReadOnlyError,
    sqlite3.SQLITE_READONLY: StorageReadOnlyError,
}
_BY_SYSTEM: dict[int | None, type[StorageError]] = {
    errno.EACCES: StorageReadOnlyError,
    errno.EDQUOT: StorageFullError,
    errno.ENOSPC: StorageFullError,
    errno.EPERM: StorageReadOnlyError,
    errno.EROFS: StorageReadOnlyError,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open, and what was saved if it had to be begun anew."""

    connection: sqlite3.Connection
    salvage: Salvage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFile:
    """Where a database lives, and the files that may lie beside it."""

    path: Path
    migrations: tuple[str, ...] = field(repr=False)

    @property
    def damaged(self) -> Path:
        """Where a damaged file is kept, for whoever wants to look into it."""
        return self.path.with_suffix(".damaged")

    @property
    def suspect(self) -> Path:
        """A mark: damage was met while the file was open."""
        return self.path.with_suffix(".suspect")

    @property
    def journals(self) -> tuple[Path, ...]:
        """Where is what may be on its way to the file, see `Journal`."""
        return self.path.with_suffix(".leaving"), self.path.with_suffix(".left")

    @property
    def kept(self) -> Path:
        """Where is what has left, and could not be written."""
        return self.path.with_suffix(".kept")

    @property
    def _renewed(self) -> Path:
        return self.path.with_suffix(".renewed")

    def open(self, mend: Mend) -> Opened:
        """Open the file, bring it to the newest version, make it if need be.

        Raises StorageError.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._finish_renewal()
            opened = self._open(mend)
            opened.connection.execute(_OWN_FLUSH)
        except (OSError, sqlite3.Error) as err:
            raise explain(err) from err
        return opened

    def sync(self) -> None:
        """Flush what was committed without that; raises sqlite3.OperationalError."""
        try:
            log = os.open(self.path.with_name(self.path.name + _LOG), os.O_RDONLY)
            try:
                _sync(log)
            finally:
                os.close(log)
        except OSError as err:
            # Whoever writes expects what sqlite raises when it flushes by itself.
            raise sqlite3.OperationalError("disk I/O error") from err

    def erase(self) -> None:
        """Delete all that was ever kept."""
        for path in (
            self.path,
            self.damaged,
            *self.journals,
            self.kept,
            self._renewed,
            self.suspect,
        ):
            _remove(path)

    def _open(self, mend: Mend) -> Opened:
        if self.suspect.exists():
            return self._renew(mend)
        try:
            return Opened(self._connect(self.path))
        except sqlite3.DatabaseError as err:
            if not is_damage(err):
                raise
            return self._renew(mend)

    def _renew(self, mend: Mend) -> Opened:
        """Set the file aside, and put what can be read of it into a new one.

        The new one takes its place only when it is whole, so that a power cut
        meanwhile costs nothing.
        """
        _LOGGER.warning("A damaged message store was set aside, a new one begun")
        connection = self._connect(self._renewed)
        try:
            saved = salvage(self.path, connection)
            connection.execute("BEGIN")
            mend(connection, saved)
            connection.execute("COMMIT")
        finally:
            connection.close()
        _remove(self.damaged)
        self.path.replace(self.damaged)
        _remove(self.path)
        self._finish_renewal()
        return Opened(self._connect(self.path), saved)

    def _finish_renewal(self) -> None:
        """Have the new file take the place of a damaged one that is out of the way."""
        if not self.path.exists() and self.damaged.exists() and self._renewed.exists():
            self._renewed.replace(self.path)
            self.suspect.unlink(missing_ok=True)
        _remove(self._renewed)

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            self._prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, path: Path) -> None:
        """Touch nothing before it is sure that the file is ours."""
        _see_that_it_is_ours(connection, self.migrations)
        # Some file systems know no modes.
        with suppress(OSError):
            path.chmod(0o600)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        # What cannot be written opens all the same, and would fail later.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        _check(connection)
        _migrate(connection, self.migrations)


def explain(err: OSError | sqlite3.Error) -> StorageError:
    """Return what an error of the disk means for the whole file."""
    if isinstance(err, OSError):
        kind = _BY_SYSTEM.get(err.errno)
    else:
        kind = _BY_SQLITE.get(_code(err))
    return (kind or StorageError)(str(err))


def is_damage(err: Exception) -> bool:
    """Say whether an error means that the file itself is broken."""
    return isinstance(err, sqlite3.DatabaseError) and _code(err) in _DAMAGE


def _code(err: sqlite3.Error) -> int:
    return getattr(err, "sqlite_errorcode", 0) & _PRIMARY_CODE


def _see_that_it_is_ours(
    connection: sqlite3.Connection, migrations: tuple[str, ...]
) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    found = _list_tables(connection)
    ours = _expected_tables(migrations[:version])
    is_newer = version > len(migrations)
    if application or not (found & ours if is_newer else found >= ours):
        raise StorageForeignError
    if not version and found:
        raise StorageForeignError
    if is_newer:
        raise DatabaseVersionError


def _list_tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


@cache
def _expected_tables(migrations: tuple[str, ...]) -> set[str]:
    sketch = sqlite3.connect(":memory:")
    try:
        for script in migrations:
            sketch.executescript(script)
        return _list_tables(sketch)
    finally:
        sketch.close()


def _check(connection: sqlite3.Connection) -> None:
    """Find damage now, when a new file can be begun, and not at the first message."""
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        err = sqlite3.DatabaseError(verdict)
        err.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise err


def _migrate(connection: sqlite3.Connection, migrations: tuple[str, ...]) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, script in enumerate(migrations[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script}; PRAGMA user_version={number}; COMMIT"
        )


def _remove(path: Path) -> None:
    for suffix in _SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
