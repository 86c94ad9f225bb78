"""What the database has returned is on disk, and nothing of it happens on the loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
import errno
from pathlib import Path
import sqlite3
import threading
import time
from typing import Any

import pytest

from custom_components.virtual_sms.store import (
    database as database_module,
    database_file,
)
from custom_components.virtual_sms.store.database import Database, DatabaseClosedError
from custom_components.virtual_sms.store.database_file import (
    DatabaseFile,
    DatabaseVersionError,
    StorageError,
)
from custom_components.virtual_sms.store.transaction import Batch

SCHEMA = ("CREATE TABLE note (value TEXT UNIQUE)",)


class Workers:
    """A thread for blocking code, which counts and can be made to fail."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.calls = 0
        self.trouble: Exception | None = None

    async def __call__[T](self, target: Callable[..., T], /, *args: Any) -> T:
        """Run something in the thread."""
        self.calls += 1
        if self.trouble:
            raise self.trouble
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, target, *args)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database's file is to be, in a folder yet to be made."""
    return tmp_path / "storage" / "virtual_sms.entry.db"


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Run blocking code in threads that end with the test."""
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool)


@pytest.fixture
async def database(path: Path, workers: Workers) -> AsyncIterator[Database]:
    """Open an empty database."""
    database = Database(path, SCHEMA, workers)
    await database.open()
    yield database
    await database.close()


def write(value: str) -> Callable[[sqlite3.Connection], None]:
    """Make an operation that adds a note."""

    def operation(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note VALUES (?)", (value,))

    return operation


def read(connection: sqlite3.Connection) -> list[str]:
    """List the notes."""
    return [value for (value,) in connection.execute("SELECT * FROM note")]


class Hold:
    """Something in a thread that has begun, and goes on when it may."""

    def __init__(self) -> None:
        self.begun, self._go = threading.Event(), threading.Event()
        self.release = self._go.set

    def __call__(self, *_: object) -> None:
        """Wait in the thread."""
        self.begun.set()
        self._go.wait(5)

    async def wait(self) -> None:
        """Wait on the loop until the thread is there."""
        async with asyncio.timeout(5):
            while not self.begun.is_set():
                await asyncio.sleep(0.001)


def read_file(path: Path) -> list[str]:
    """List the notes that another process sees."""
    connection = sqlite3.connect(path)
    try:
        return read(connection)
    finally:
        connection.close()


async def until_tidy(path: Path, left: int = 2048) -> None:
    """Wait until all is in the file itself, and no more bytes than that beside it."""
    async with asyncio.timeout(10):
        while path.with_name(f"{path.name}-wal").stat().st_size > left:
            await asyncio.sleep(0.01)


async def test_what_was_returned_is_on_disk(database: Database, path: Path) -> None:
    """Another process sees a note as soon as `run` returned, without any closing."""
    await database.run(write("one"))

    assert read_file(path) == ["one"]


async def test_every_commit_is_flushed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only reads, or may be forgotten, waits for no disk."""
    flushed: list[DatabaseFile] = []

    def note(file: DatabaseFile) -> None:
        flushed.append(file)

    monkeypatch.setattr(DatabaseFile, "sync", note)
    await database.run(write("one"))
    assert len(flushed) == 1
    await database.read(lambda connection: connection.execute("SELECT 1").fetchone())
    await database.note(write("two"))
    assert len(flushed) == 1


async def test_a_disk_that_cannot_be_flushed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits learns that it is not safe."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(database_file, "_sync", fail)
        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            await database.run(write("one"))
    await database.run(write("two"))


async def test_the_mode_of_the_file(database: Database) -> None:
    """What is committed survives a crash of ours by itself, and is flushed by us."""
    pragmas = ("journal_mode", "synchronous", "secure_delete")

    def operation(connection: sqlite3.Connection) -> list[object]:
        return [
            connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas
        ]

    assert await database.run(operation) == ["wal", 1, 1]


async def test_notes_survive_a_new_start(
    database: Database, path: Path, workers: Workers
) -> None:
    """A closed database opens again with all that was in it."""
    await database.run(write("one"))
    await database.close()
    again = Database(path, SCHEMA, workers)
    await again.open()

    assert await again.run(read) == ["one"]
    await again.close()


async def test_a_burst_shares_few_commits(database: Database, workers: Workers) -> None:
    """A thousand operations at once cost no more than a few flushes of the disk."""
    before = workers.calls

    await asyncio.gather(*(database.run(write(str(each))) for each in range(1000)))

    assert workers.calls - before <= 3
    assert await database.run(read) == [str(each) for each in range(1000)]


async def test_what_comes_during_a_commit_waits_for_the_next(
    database: Database, workers: Workers
) -> None:
    """While the disk is busy the loop goes on, and collects the next batch."""
    go, before = threading.Event(), workers.calls

    def slow(connection: sqlite3.Connection) -> None:
        go.wait(5)

    first = asyncio.ensure_future(database.run(slow))
    await asyncio.sleep(0.01)
    others = [
        asyncio.ensure_future(database.run(write(str(each)))) for each in range(50)
    ]
    assert not first.done()
    go.set()
    await asyncio.gather(first, *others)

    assert workers.calls - before == 2
    assert await database.run(read) == [str(each) for each in range(50)]


async def test_nothing_touches_sqlite_on_the_loop(
    path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening, writing and closing all happen in worker threads."""
    threads: set[int] = set()

    class Watched(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            threads.add(threading.get_ident())
            return super().execute(*args)

        def close(self) -> None:
            threads.add(threading.get_ident())
            super().close()

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda *args, **options: connect(*args, factory=Watched, **options),
    )
    database = Database(path, SCHEMA, workers)
    await database.open()
    await database.run(write("one"))
    with pytest.raises(sqlite3.IntegrityError):
        await database.run(write("one"))
    await database.erase()

    assert threads
    assert threading.get_ident() not in threads


async def test_a_failing_operation_is_undone_alone(database: Database) -> None:
    """Its neighbours in the same batch are written all the same."""

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note VALUES ('half')")
        raise LookupError("no such thing")

    results = await asyncio.gather(
        database.run(write("before")),
        database.run(fail),
        database.run(write("before")),
        database.run(write("after")),
        return_exceptions=True,
    )

    assert [type(each) for each in results] == [
        type(None),
        LookupError,
        sqlite3.IntegrityError,
        type(None),
    ]
    assert await database.run(read) == ["before", "after"]


@pytest.mark.parametrize("statement", ["ROLLBACK", "RELEASE job"])
async def test_a_batch_that_cannot_be_committed_is_undone(
    database: Database, statement: str
) -> None:
    """All who wait hear of it, nothing is half written, and the next batch works."""

    def sabotage(connection: sqlite3.Connection) -> None:
        connection.execute(statement)

    results = await asyncio.gather(
        database.run(write("lost")), database.run(sabotage), return_exceptions=True
    )

    assert [type(each) for each in results] == [sqlite3.OperationalError] * 2
    await database.run(write("kept"))
    assert await database.run(read) == ["kept"]


@pytest.mark.parametrize(
    "trouble", [sqlite3.OperationalError("disk I/O error"), RuntimeError("shut down")]
)
async def test_a_failing_disk_reaches_all_who_wait(
    database: Database, workers: Workers, trouble: Exception
) -> None:
    """Nobody is left waiting, and once the disk works again so does the database."""
    workers.trouble = trouble
    results = await asyncio.gather(
        *(database.run(write(str(each))) for each in range(3)), return_exceptions=True
    )
    workers.trouble = None

    assert results == [trouble] * 3
    await database.run(write("better"))
    assert await database.run(read) == ["better"]


async def test_who_gives_up_waiting_harms_nobody(
    database: Database, workers: Workers
) -> None:
    """An operation whose caller is gone is written, and may fail, all the same."""
    tasks = [
        asyncio.create_task(database.run(write(value))) for value in ("one", "one")
    ]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await database.run(read) == ["one"]

    workers.trouble = OSError()
    task = asyncio.create_task(database.run(write("two")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    workers.trouble = None
    assert await database.run(read) == ["one"]


async def test_a_closed_database_takes_nothing(database: Database, path: Path) -> None:
    """What waits when it closes is written; what comes later is refused."""
    waiting = asyncio.ensure_future(database.run(write("one")))
    await asyncio.sleep(0)
    await database.close()

    assert waiting.done()
    assert read_file(path) == ["one"]
    with pytest.raises(DatabaseClosedError):
        await database.run(write("two"))
    await database.close()


async def test_only_the_owner_may_read_the_file(database: Database, path: Path) -> None:
    """Texts and numbers are nobody else's business."""
    await database.run(write("secret"))
    files = list(path.parent.iterdir())

    assert {file.name for file in files} == {
        path.name,
        path.name + "-wal",
        path.name + "-shm",
    }
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_what_was_deleted_is_gone_once_it_is_quiet(
    database: Database,
    path: Path,
    workers: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No byte of it is left in any of the files, though the database stays open.

    It costs one visit to the disk, and only after the last of a burst.
    """
    monkeypatch.setattr(database_module, "QUIET", 0.05)
    before = workers.calls
    for number in range(20):
        await database.run(write(f"secret {number} " * 20))
    await database.run(forget)
    assert workers.calls == before + 21
    assert b"secret" in b"".join(each.read_bytes() for each in path.parent.iterdir())
    await until_tidy(path)
    assert workers.calls == before + 22
    files = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert len(files) == 3
    assert not [name for name, content in files.items() if b"secret" in content]
    # It is begun anew already, with a page that holds no row.
    assert len(files[path.name + "-wal"]) < 2048
    await asyncio.sleep(0.15)
    assert workers.calls == before + 22


async def test_what_is_being_written_is_not_disturbed(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that leaps makes it tidy at once; it does so when nothing is written."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    await database.run(write("secret"))
    begun, go_on = threading.Event(), threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        begun.set()
        assert go_on.wait(5)
        forget(connection)

    writing = asyncio.create_task(database.run(hold))
    await asyncio.to_thread(begun.wait, 5)
    writer = database._writer
    assert database._connection is not None
    database._tidy(database._connection)
    assert database._writer is writer
    go_on.set()
    await writing
    await until_tidy(path)
    assert b"secret" not in path.with_name(path.name + "-wal").read_bytes()
    assert b"secret" not in path.read_bytes()


async def test_who_writes_while_it_is_tidied_waits_for_that_only(
    database: Database,
    path: Path,
    workers: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A write in that moment follows by itself; a disk that fails then harms nobody."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    go = threading.Event()
    truncate = database_module._truncate

    def slow(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
        go.wait(5)
        truncate(connection, statements)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(database_module, "_truncate", slow)
    await database.run(write("one"))
    await asyncio.sleep(0.05)
    waiting = database.run(write("two"))
    task = asyncio.create_task(waiting)
    await asyncio.sleep(0.01)
    assert not task.done()
    go.set()
    await asyncio.wait_for(task, 5)
    assert await database.run(read) == ["one", "two"]


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_file_that_is_compacted_leaves_nothing_of_what_was_deleted(
    database: Database,
    path: Path,
    workers: Workers,
    monkeypatch: pytest.MonkeyPatch,
    is_open: bool,
) -> None:
    """In the next quiet moment, once, or when the database is closed before."""
    monkeypatch.setattr(database_module, "QUIET", 0.05)
    for number in range(200):
        await database.run(write(f"secret {number} " * 20))
    await database.run(forget)
    database.compact()
    before = workers.calls
    if is_open:
        await database.run(write("one"))
        await until_tidy(path)
        assert workers.calls == before + 2
    await database.close()
    assert path.stat().st_size < 20_000
    assert b"secret" not in path.read_bytes()


async def test_a_file_that_cannot_be_compacted_is_tidied_all_the_same(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk without room for a second copy keeps no text beside the file for that."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    await database.run(write("secret"))
    await database.run(keep_from_compacting)
    await database.run(forget)
    database.compact()
    await until_tidy(path, left=0)
    assert b"secret" not in path.read_bytes()


async def test_a_file_that_is_held_stays_as_it_is(
    database: Database, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies of the file, and later of what is beside it, are one whole together."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    await database.run(write("before"))
    await database.hold()
    held, copy = path.read_bytes(), tmp_path / "copy.db"
    copy.write_bytes(held)
    # More than what sqlite brings into the file by itself.
    for number in range(30):
        await database.run(write(f"{number} " + "much " * 10_000))
    await asyncio.sleep(0.1)
    assert path.read_bytes() == held
    copy.with_name("copy.db-wal").write_bytes(
        path.with_name(f"{path.name}-wal").read_bytes()
    )
    assert len(read_file(copy)) == 31
    await database.release()
    await until_tidy(path)


async def test_a_file_that_is_held_before_it_is_opened(
    path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays as it is from its opening to its end, and loses nothing."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    first = Database(path, SCHEMA, workers)
    await first.open()
    await first.run(write("one"))
    await first.close()
    held = path.read_bytes()
    database = Database(path, SCHEMA, workers, is_held=True)
    await database.release()
    await database.hold()
    await database.open()
    for number in range(30):
        await database.run(write(f"{number} " + "much " * 10_000))
    await asyncio.sleep(0.1)
    await database.close()
    assert path.read_bytes() == held
    await database.open()
    assert len(await database.run(read)) == 31
    assert path.read_bytes() == held
    await database.release()
    await database.close()
    assert len(read_file(path)) == 31
    assert path.read_bytes() != held


def keep_from_compacting(connection: sqlite3.Connection) -> None:
    """Let there be no second file, in which sqlite would build the new one."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def forget(connection: sqlite3.Connection) -> None:
    """Delete all texts."""
    connection.execute("UPDATE note SET value = NULL")


def limit(connection: sqlite3.Connection) -> int:
    """Fill the disk: the file may not grow by a page."""
    (size,) = connection.execute("PRAGMA page_count").fetchone()
    (most,) = connection.execute(f"PRAGMA max_page_count={size}").fetchone()
    return int(most)


async def test_a_disk_that_fills_and_empties(database: Database) -> None:
    """All who wait hear of it, what is there stays, and with space all goes on."""
    await database.run(write("before"))
    assert database._connection is not None
    limit(database._connection)
    for _ in range(3):
        results = await asyncio.wait_for(
            asyncio.gather(
                *(database.run(write(f"{each} " * 5000)) for each in range(5)),
                return_exceptions=True,
            ),
            5,
        )
        assert {type(each) for each in results} == {sqlite3.OperationalError}
    assert await database.run(read) == ["before"]
    database._connection.execute("PRAGMA max_page_count=100000")
    await database.run(write("after " * 5000))
    assert await database.run(read) == ["before", "after " * 5000]


async def test_a_disk_that_fails_while_it_undoes(
    path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that could not even be undone does not block the next one."""
    broken = False

    class Failing(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            if broken and args[0] in {"COMMIT", "ROLLBACK"}:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(*args)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda *args, **options: connect(*args, factory=Failing, **options),
    )
    database = Database(path, SCHEMA, workers)
    await database.open()
    broken = True
    with pytest.raises(sqlite3.OperationalError):
        await database.run(write("lost"))
    broken = False
    await database.run(write("kept"))
    assert await database.run(read) == ["kept"]
    await database.close()


@pytest.mark.parametrize("times", [1, 2])
async def test_a_cancelled_writer_tells_what_happened(
    database: Database, path: Path, times: int
) -> None:
    """A thread cannot be stopped: what it commits is written, and is not denied."""
    hold = Hold()

    def slow(connection: sqlite3.Connection) -> str:
        hold()
        write("one")(connection)
        return "written"

    running = asyncio.ensure_future(database.run(slow))
    await hold.wait()
    waiting = asyncio.ensure_future(database.run(write("two")))
    failing = asyncio.ensure_future(database.run(write("two")))
    for _ in range(times):
        assert database._writer is not None
        database._writer.cancel()
        await asyncio.sleep(0.01)
    assert not running.done()
    hold.release()
    assert await asyncio.wait_for(running, 5) == "written"
    assert await asyncio.wait_for(waiting, 5) is None
    with pytest.raises(sqlite3.IntegrityError):
        await asyncio.wait_for(failing, 5)
    assert read_file(path) == ["one", "two"]


async def test_a_failing_disk_is_told_though_the_writer_was_cancelled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the disk's word that nothing is written."""
    hold, trouble = Hold(), sqlite3.OperationalError("disk I/O error")

    def fail(*_: Any) -> None:
        hold()
        raise trouble

    monkeypatch.setattr(Batch, "commit", fail)
    running = asyncio.ensure_future(database.run(write("one")))
    await hold.wait()
    assert database._writer is not None
    database._writer.cancel()
    await asyncio.sleep(0.01)
    hold.release()
    with pytest.raises(sqlite3.OperationalError):
        await asyncio.wait_for(running, 5)


async def test_a_writer_that_is_cancelled_before_it_begins(
    database: Database, workers: Workers, path: Path
) -> None:
    """Then nothing is written, now or later; what waits after it is."""
    go = threading.Event()
    threads = [asyncio.ensure_future(workers(go.wait, 5)) for _ in range(2)]
    await asyncio.sleep(0.01)
    running = asyncio.ensure_future(database.run(write("never")))
    await asyncio.sleep(0.01)
    assert database._writer is not None
    waiting = asyncio.ensure_future(database.run(write("one")))
    await asyncio.sleep(0)
    database._writer.cancel()
    with pytest.raises(DatabaseClosedError):
        await asyncio.wait_for(running, 5)
    go.set()
    await asyncio.wait_for(waiting, 5)
    await asyncio.gather(*threads)
    assert read_file(path) == ["one"]


async def test_a_writer_that_is_cancelled_before_its_first_step(
    database: Database, path: Path
) -> None:
    """Another one takes its place, for nobody may wait for ever."""
    running = asyncio.ensure_future(database.run(write("one")))
    while database._writer is None:
        await asyncio.sleep(0)
    database._writer.cancel()
    await asyncio.wait_for(running, 5)
    assert read_file(path) == ["one"]


async def test_who_closes_while_it_is_tidied_waits_for_all(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for that moment to pass is written before the file closes."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    order: list[str] = []
    hold = Hold()

    def write_slowly(connection: sqlite3.Connection) -> None:
        time.sleep(0.05)
        write("two")(connection)
        order.append("written")

    def close(connection: sqlite3.Connection, *_: object) -> None:
        order.append("closed")
        connection.close()

    monkeypatch.setattr(database_module, "_truncate", hold)
    monkeypatch.setattr(database_module, "_close", close)
    await database.run(write("one"))
    await hold.wait()
    waiting = asyncio.ensure_future(database.run(write_slowly))
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0.01)
    hold.release()
    await asyncio.wait_for(closing, 5)
    await waiting
    assert order == ["written", "closed"]
    assert read_file(path) == ["one", "two"]


async def test_a_cancelled_tidying_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread goes on, and nobody else may use the connection meanwhile."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)
    order: list[str] = []
    hold = Hold()

    def slow(*_: object) -> None:
        hold()
        order.append("tidied")

    monkeypatch.setattr(database_module, "_truncate", slow)
    await database.run(write("one"))
    await hold.wait()
    assert database._writer is not None
    database._writer.cancel()
    waiting = asyncio.ensure_future(database.run(lambda _: order.append("written")))
    await asyncio.sleep(0.02)
    hold.release()
    await asyncio.wait_for(waiting, 5)
    assert order == ["tidied", "written"]


async def test_damage_is_told_once(
    database: Database, path: Path, workers: Workers
) -> None:
    """The file is marked, and the next start saves what can be read of it."""
    told: list[str] = []
    database.on_damage = lambda: told.append("damage")
    await database.run(write("one"))
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def fail(_: sqlite3.Connection) -> None:
        raise error

    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            await database.run(fail)
    assert told == ["damage"]
    await database.close()
    again = Database(path, SCHEMA, workers)
    await again.open()
    assert again.salvage is not None
    assert await again.run(read) == ["one"]
    await again.close()
    await again.open()
    assert again.salvage is None
    await again.close()


async def test_damage_that_cannot_be_marked_is_told(
    database: Database, path: Path, workers: Workers
) -> None:
    """A disk that takes no mark either is no reason to be silent."""
    told: list[str] = []
    database.on_damage = lambda: told.append("damage")
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    workers.trouble = error
    with pytest.raises(sqlite3.DatabaseError):
        await database.run(write("one"))
    workers.trouble = None
    assert told == ["damage"]
    assert not path.with_suffix(".suspect").exists()


async def test_what_was_deleted_is_gone_from_the_file(
    database: Database, path: Path
) -> None:
    """After the database was closed no byte of a deleted text remains."""
    for number in range(200):
        await database.run(write(f"secret {number} " * 20))
    await database.run(
        lambda connection: connection.execute("UPDATE note SET value = NULL").rowcount
    )
    await database.close()

    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert b"secret" not in path.read_bytes()


def damage_header(path: Path) -> None:
    """Overwrite a file with what is no database."""
    path.write_bytes(b"no database at all " * 100)


def damage_tail(path: Path) -> None:
    """Cut a file in two."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)


def damage_middle(path: Path) -> None:
    """Overwrite pages in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 3)


@pytest.mark.parametrize("damage", [damage_header, damage_tail, damage_middle])
async def test_a_damaged_file_is_set_aside(
    path: Path,
    workers: Workers,
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever the damage, it is found at once, and a working database begun."""
    database = Database(path, SCHEMA, workers)
    await database.open()
    notes = [f"{number} " * 30 for number in range(300)]
    for note in notes:
        await database.run(write(note))
    await database.close()
    damage(path)
    damaged = path.read_bytes()

    await database.open()
    saved = await database.run(read)
    assert set(saved) <= set(notes)
    assert bool(saved) is (damage is not damage_header)
    assert database.salvage is not None
    await database.run(write("one"))
    assert "set aside" in caplog.text
    aside = path.with_suffix(".damaged")
    assert aside.read_bytes() == damaged

    await database.erase()
    assert list(path.parent.iterdir()) == []


async def test_a_file_that_cannot_be_opened_is_no_damage(
    path: Path, workers: Workers
) -> None:
    """What the disk refuses for now is not thrown away."""
    path.mkdir(parents=True)

    with pytest.raises(StorageError):
        await Database(path, SCHEMA, workers).open()
    assert path.is_dir()


async def test_a_file_of_the_future_is_left_alone(
    database: Database, path: Path, workers: Workers
) -> None:
    """Who goes back a version keeps what the newer one wrote."""
    await database.run(write("one"))
    await database.run(
        lambda connection: connection.execute("PRAGMA user_version=2").rowcount
    )
    await database.close()

    older = Database(path, SCHEMA, workers)
    with pytest.raises(DatabaseVersionError):
        await older.open()
    assert read_file(path) == ["one"]
    with pytest.raises(DatabaseClosedError):
        await older.run(read)


async def test_each_migration_is_applied_once(
    database: Database, path: Path, workers: Workers
) -> None:
    """A new version brings the file up to it and keeps what is there."""
    await database.run(write("one"))
    await database.close()
    newer = (*SCHEMA, "CREATE TABLE tag (value TEXT); INSERT INTO tag VALUES ('new')")

    for _ in range(2):
        database = Database(path, newer, workers)
        await database.open()
        notes = await database.run(read)
        tags = await database.run(
            lambda connection: connection.execute("SELECT * FROM tag").fetchall()
        )
        await database.close()
        assert notes == ["one"]
        assert [tuple(tag) for tag in tags] == [("new",)]


async def test_a_failing_migration_changes_nothing(
    database: Database, path: Path, workers: Workers
) -> None:
    """The older version can still open the file."""
    await database.run(write("one"))
    await database.close()
    broken = (*SCHEMA, "DELETE FROM note; CREATE TABLE note (value TEXT)")

    with pytest.raises(StorageError):
        await Database(path, broken, workers).open()
    again = Database(path, SCHEMA, workers)
    await again.open()
    assert await again.run(read) == ["one"]
    await again.close()


async def test_erasing_leaves_nothing(database: Database, path: Path) -> None:
    """Neither the file nor what sqlite keeps beside it, also where there is none."""
    await database.run(write("one"))
    await database.erase()
    assert list(path.parent.iterdir()) == []
    await database.erase()


async def test_a_batch_is_secured_as_a_whole(database: Database) -> None:
    """Only where one fails is each secured by itself: statements are what costs."""
    statements: list[str] = []
    assert database._connection is not None
    database._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(database.run(write(str(number))) for number in range(3)))
    assert not [each for each in statements if "SAVEPOINT" in each]
    await asyncio.gather(
        database.run(write("3")), database.run(write("0")), return_exceptions=True
    )
    assert [each for each in statements if "SAVEPOINT" in each]
    database._connection.set_trace_callback(None)


async def test_who_follows_hears_it_though_nobody_waits(database: Database) -> None:
    """What is on disk is told on, also when its caller has hung up."""
    heard: list[object] = []
    waiting = asyncio.create_task(database.run(lambda _: "news", heard.append))
    await asyncio.sleep(0)
    waiting.cancel()
    await database.run(lambda _: None)
    assert heard == ["news"]


async def test_who_waits_goes_first(database: Database) -> None:
    """A provider has its answer before the home reacts to what it brought."""
    order: list[str] = []

    async def wait() -> None:
        await database.run(lambda _: None, lambda _: order.append("follows"))
        order.append("waits")

    await wait()
    await asyncio.sleep(0)
    assert order == ["waits", "follows"]


async def test_what_may_be_delayed_is_written_with_the_next(
    database: Database, workers: Workers
) -> None:
    """It costs no flush of its own while there is company."""
    await database.run(write("one"))
    before = workers.calls
    delayed = database.note(write("two"), delay=60)
    await asyncio.sleep(0.01)
    assert workers.calls == before
    await database.run(write("three"))
    assert delayed.done()
    assert workers.calls == before + 1


async def test_a_delay_ends(database: Database, workers: Workers) -> None:
    """Without company it is written by itself, with whatever is delayed as well."""
    before = workers.calls
    await asyncio.gather(
        database.note(write("one"), delay=0.01),
        database.note(write("two"), delay=60),
    )
    assert workers.calls == before + 1


async def test_what_may_be_delayed_does_not_follow_at_once(
    database: Database, workers: Workers
) -> None:
    """While a batch is being written, too, it waits for company."""
    before = workers.calls
    first = database.post(write("one"))
    await asyncio.sleep(0)
    delayed = database.note(write("two"), delay=60)
    await first
    await asyncio.sleep(0.01)
    assert not delayed.done()
    assert workers.calls == before + 1
    await database.close()
    assert delayed.done()


async def test_what_cannot_be_read_where_nothing_can_be_written(
    database: Database,
) -> None:
    """Who reads is told what was wrong with that, not what keeps others from writing."""

    def fail(_: sqlite3.Connection) -> None:
        raise LookupError

    await database.run(lambda connection: connection.execute("PRAGMA query_only=ON"))
    writing = database.post(write("more"))
    with pytest.raises(LookupError):
        await database.read(fail)
    with pytest.raises(sqlite3.OperationalError):
        await writing
    assert await database.read(lambda connection: connection.in_transaction) is False
