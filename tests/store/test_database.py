"""What the journal has returned is on disk, and nothing of it happens on the loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import sqlite3
import threading
from typing import Any

import pytest

from custom_components.virtual_sms.store import database as journal_module
from custom_components.virtual_sms.store.database import Journal, JournalClosedError
from custom_components.virtual_sms.store.database_file import (
    JournalVersionError,
    StorageError,
)

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
    """Return where the journal's file is to be, in a folder yet to be made."""
    return tmp_path / "storage" / "virtual_sms.entry.db"


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Run blocking code in threads that end with the test."""
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool)


@pytest.fixture
async def journal(path: Path, workers: Workers) -> AsyncIterator[Journal]:
    """Open an empty journal."""
    journal = Journal(path, SCHEMA, workers)
    await journal.open()
    yield journal
    await journal.close()


def write(value: str) -> Callable[[sqlite3.Connection], None]:
    """Make an operation that adds a note."""

    def operation(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note VALUES (?)", (value,))

    return operation


def read(connection: sqlite3.Connection) -> list[str]:
    """List the notes."""
    return [value for (value,) in connection.execute("SELECT * FROM note")]


def read_file(path: Path) -> list[str]:
    """List the notes that another process sees."""
    connection = sqlite3.connect(path)
    try:
        return read(connection)
    finally:
        connection.close()


async def test_what_was_returned_is_on_disk(journal: Journal, path: Path) -> None:
    """Another process sees a note as soon as `run` returned, without any closing."""
    await journal.run(write("one"))

    assert read_file(path) == ["one"]


async def test_every_commit_reaches_the_disk(journal: Journal) -> None:
    """The file is in the mode that survives a power cut."""
    pragmas = ("journal_mode", "synchronous", "secure_delete")

    def operation(connection: sqlite3.Connection) -> list[object]:
        return [
            connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas
        ]

    assert await journal.run(operation) == ["wal", 2, 1]


async def test_notes_survive_a_new_start(
    journal: Journal, path: Path, workers: Workers
) -> None:
    """A closed journal opens again with all that was in it."""
    await journal.run(write("one"))
    await journal.close()
    again = Journal(path, SCHEMA, workers)
    await again.open()

    assert await again.run(read) == ["one"]
    await again.close()


async def test_a_burst_shares_few_commits(journal: Journal, workers: Workers) -> None:
    """A thousand operations at once cost no more than a few flushes of the disk."""
    before = workers.calls

    await asyncio.gather(*(journal.run(write(str(each))) for each in range(1000)))

    assert workers.calls - before <= 3
    assert await journal.run(read) == [str(each) for each in range(1000)]


async def test_what_comes_during_a_commit_waits_for_the_next(
    journal: Journal, workers: Workers
) -> None:
    """While the disk is busy the loop goes on, and collects the next batch."""
    go, before = threading.Event(), workers.calls

    def slow(connection: sqlite3.Connection) -> None:
        go.wait(5)

    first = asyncio.ensure_future(journal.run(slow))
    await asyncio.sleep(0.01)
    others = [
        asyncio.ensure_future(journal.run(write(str(each)))) for each in range(50)
    ]
    assert not first.done()
    go.set()
    await asyncio.gather(first, *others)

    assert workers.calls - before == 2
    assert await journal.run(read) == [str(each) for each in range(50)]


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
    journal = Journal(path, SCHEMA, workers)
    await journal.open()
    await journal.run(write("one"))
    with pytest.raises(sqlite3.IntegrityError):
        await journal.run(write("one"))
    await journal.erase()

    assert threads
    assert threading.get_ident() not in threads


async def test_a_failing_operation_is_undone_alone(journal: Journal) -> None:
    """Its neighbours in the same batch are written all the same."""

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note VALUES ('half')")
        raise LookupError("no such thing")

    results = await asyncio.gather(
        journal.run(write("before")),
        journal.run(fail),
        journal.run(write("before")),
        journal.run(write("after")),
        return_exceptions=True,
    )

    assert [type(each) for each in results] == [
        type(None),
        LookupError,
        sqlite3.IntegrityError,
        type(None),
    ]
    assert await journal.run(read) == ["before", "after"]


@pytest.mark.parametrize("statement", ["ROLLBACK", "RELEASE job"])
async def test_a_batch_that_cannot_be_committed_is_undone(
    journal: Journal, statement: str
) -> None:
    """All who wait hear of it, nothing is half written, and the next batch works."""

    def sabotage(connection: sqlite3.Connection) -> None:
        connection.execute(statement)

    results = await asyncio.gather(
        journal.run(write("lost")), journal.run(sabotage), return_exceptions=True
    )

    assert [type(each) for each in results] == [sqlite3.OperationalError] * 2
    await journal.run(write("kept"))
    assert await journal.run(read) == ["kept"]


@pytest.mark.parametrize(
    "trouble", [sqlite3.OperationalError("disk I/O error"), RuntimeError("shut down")]
)
async def test_a_failing_disk_reaches_all_who_wait(
    journal: Journal, workers: Workers, trouble: Exception
) -> None:
    """Nobody is left waiting, and once the disk works again so does the journal."""
    workers.trouble = trouble
    results = await asyncio.gather(
        *(journal.run(write(str(each))) for each in range(3)), return_exceptions=True
    )
    workers.trouble = None

    assert results == [trouble] * 3
    await journal.run(write("better"))
    assert await journal.run(read) == ["better"]


async def test_who_gives_up_waiting_harms_nobody(
    journal: Journal, workers: Workers
) -> None:
    """An operation whose caller is gone is written, and may fail, all the same."""
    tasks = [asyncio.create_task(journal.run(write(value))) for value in ("one", "one")]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await journal.run(read) == ["one"]

    workers.trouble = OSError()
    task = asyncio.create_task(journal.run(write("two")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    workers.trouble = None
    assert await journal.run(read) == ["one"]


async def test_a_closed_journal_takes_nothing(journal: Journal, path: Path) -> None:
    """What waits when it closes is written; what comes later is refused."""
    waiting = asyncio.ensure_future(journal.run(write("one")))
    await asyncio.sleep(0)
    await journal.close()

    assert waiting.done()
    assert read_file(path) == ["one"]
    with pytest.raises(JournalClosedError):
        await journal.run(write("two"))
    await journal.close()


async def test_only_the_owner_may_read_the_file(journal: Journal, path: Path) -> None:
    """Texts and numbers are nobody else's business."""
    await journal.run(write("secret"))
    files = list(path.parent.iterdir())

    assert {file.name for file in files} == {
        path.name,
        path.name + "-wal",
        path.name + "-shm",
    }
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_what_was_deleted_is_gone_once_it_is_quiet(
    journal: Journal,
    path: Path,
    workers: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No byte of it is left in any of the files, though the journal stays open.

    It costs one visit to the disk, and only after the last of a burst.
    """
    monkeypatch.setattr(journal_module, "QUIET", 0.05)
    before = workers.calls
    for number in range(20):
        await journal.run(write(f"secret {number} " * 20))
    await journal.run(forget)
    assert workers.calls == before + 21
    assert b"secret" in b"".join(each.read_bytes() for each in path.parent.iterdir())
    await asyncio.sleep(0.15)
    assert workers.calls == before + 22
    files = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert len(files) == 3
    assert not [name for name, content in files.items() if b"secret" in content]
    assert files[path.name + "-wal"] == b""
    await asyncio.sleep(0.15)
    assert workers.calls == before + 22


async def test_who_writes_while_it_is_tidied_waits_for_that_only(
    journal: Journal,
    path: Path,
    workers: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A write in that moment follows by itself; a disk that fails then harms nobody."""
    monkeypatch.setattr(journal_module, "QUIET", 0.01)
    go = threading.Event()
    truncate = journal_module._truncate

    def slow(connection: sqlite3.Connection) -> None:
        go.wait(5)
        truncate(connection)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(journal_module, "_truncate", slow)
    await journal.run(write("one"))
    await asyncio.sleep(0.05)
    waiting = journal.run(write("two"))
    task = asyncio.create_task(waiting)
    await asyncio.sleep(0.01)
    assert not task.done()
    go.set()
    await asyncio.wait_for(task, 5)
    assert await journal.run(read) == ["one", "two"]


def forget(connection: sqlite3.Connection) -> None:
    """Delete all texts."""
    connection.execute("UPDATE note SET value = NULL")


def limit(connection: sqlite3.Connection) -> int:
    """Fill the disk: the file may not grow by a page."""
    (size,) = connection.execute("PRAGMA page_count").fetchone()
    (most,) = connection.execute(f"PRAGMA max_page_count={size}").fetchone()
    return int(most)


async def test_a_disk_that_fills_and_empties(journal: Journal) -> None:
    """All who wait hear of it, what is there stays, and with space all goes on."""
    await journal.run(write("before"))
    assert journal._connection is not None
    limit(journal._connection)
    for _ in range(3):
        results = await asyncio.wait_for(
            asyncio.gather(
                *(journal.run(write(f"{each} " * 5000)) for each in range(5)),
                return_exceptions=True,
            ),
            5,
        )
        assert {type(each) for each in results} == {sqlite3.OperationalError}
    assert await journal.run(read) == ["before"]
    journal._connection.execute("PRAGMA max_page_count=100000")
    await journal.run(write("after " * 5000))
    assert await journal.run(read) == ["before", "after " * 5000]


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
    journal = Journal(path, SCHEMA, workers)
    await journal.open()
    broken = True
    with pytest.raises(sqlite3.OperationalError):
        await journal.run(write("lost"))
    broken = False
    await journal.run(write("kept"))
    assert await journal.run(read) == ["kept"]
    await journal.close()


async def test_a_worker_that_is_cancelled_leaves_nobody_waiting(
    journal: Journal, workers: Workers
) -> None:
    """Whatever ends the writing, those who wait hear that nothing is written."""
    go = threading.Event()
    running = asyncio.ensure_future(journal.run(lambda _: go.wait(5)))
    await asyncio.sleep(0.01)
    assert journal._writer is not None
    journal._writer.cancel()
    with pytest.raises(JournalClosedError):
        await asyncio.wait_for(running, 5)
    go.set()


async def test_damage_is_told_once(
    journal: Journal, path: Path, workers: Workers
) -> None:
    """The file is marked, and the next start saves what can be read of it."""
    told: list[str] = []
    journal.on_damage = lambda: told.append("damage")
    await journal.run(write("one"))
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def fail(_: sqlite3.Connection) -> None:
        raise error

    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            await journal.run(fail)
    assert told == ["damage"]
    await journal.close()
    again = Journal(path, SCHEMA, workers)
    await again.open()
    assert again.salvage is not None
    assert await again.run(read) == ["one"]
    await again.close()
    await again.open()
    assert again.salvage is None
    await again.close()


async def test_damage_that_cannot_be_marked_is_told(
    journal: Journal, path: Path, workers: Workers
) -> None:
    """A disk that takes no mark either is no reason to be silent."""
    told: list[str] = []
    journal.on_damage = lambda: told.append("damage")
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    workers.trouble = error
    with pytest.raises(sqlite3.DatabaseError):
        await journal.run(write("one"))
    workers.trouble = None
    assert told == ["damage"]
    assert not path.with_suffix(".suspect").exists()


async def test_what_was_deleted_is_gone_from_the_file(
    journal: Journal, path: Path
) -> None:
    """After the journal was closed no byte of a deleted text remains."""
    for number in range(200):
        await journal.run(write(f"secret {number} " * 20))
    await journal.run(
        lambda connection: connection.execute("UPDATE note SET value = NULL").rowcount
    )
    await journal.close()

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
    """Whatever the damage, it is found at once, and a working journal begun."""
    journal = Journal(path, SCHEMA, workers)
    await journal.open()
    notes = [f"{number} " * 30 for number in range(300)]
    for note in notes:
        await journal.run(write(note))
    await journal.close()
    damage(path)
    damaged = path.read_bytes()

    await journal.open()
    saved = await journal.run(read)
    assert set(saved) <= set(notes)
    assert bool(saved) is (damage is not damage_header)
    assert journal.salvage is not None
    await journal.run(write("one"))
    assert "set aside" in caplog.text
    aside = path.with_suffix(".damaged")
    assert aside.read_bytes() == damaged

    await journal.erase()
    assert list(path.parent.iterdir()) == []


async def test_a_file_that_cannot_be_opened_is_no_damage(
    path: Path, workers: Workers
) -> None:
    """What the disk refuses for now is not thrown away."""
    path.mkdir(parents=True)

    with pytest.raises(StorageError):
        await Journal(path, SCHEMA, workers).open()
    assert path.is_dir()


async def test_a_file_of_the_future_is_left_alone(
    journal: Journal, path: Path, workers: Workers
) -> None:
    """Who goes back a version keeps what the newer one wrote."""
    await journal.run(write("one"))
    await journal.run(
        lambda connection: connection.execute("PRAGMA user_version=2").rowcount
    )
    await journal.close()

    older = Journal(path, SCHEMA, workers)
    with pytest.raises(JournalVersionError):
        await older.open()
    assert read_file(path) == ["one"]
    with pytest.raises(JournalClosedError):
        await older.run(read)


async def test_each_migration_is_applied_once(
    journal: Journal, path: Path, workers: Workers
) -> None:
    """A new version brings the file up to it and keeps what is there."""
    await journal.run(write("one"))
    await journal.close()
    newer = (*SCHEMA, "CREATE TABLE tag (value TEXT); INSERT INTO tag VALUES ('new')")

    for _ in range(2):
        journal = Journal(path, newer, workers)
        await journal.open()
        notes = await journal.run(read)
        tags = await journal.run(
            lambda connection: connection.execute("SELECT * FROM tag").fetchall()
        )
        await journal.close()
        assert notes == ["one"]
        assert [tuple(tag) for tag in tags] == [("new",)]


async def test_a_failing_migration_changes_nothing(
    journal: Journal, path: Path, workers: Workers
) -> None:
    """The older version can still open the file."""
    await journal.run(write("one"))
    await journal.close()
    broken = (*SCHEMA, "DELETE FROM note; CREATE TABLE note (value TEXT)")

    with pytest.raises(StorageError):
        await Journal(path, broken, workers).open()
    again = Journal(path, SCHEMA, workers)
    await again.open()
    assert await again.run(read) == ["one"]
    await again.close()


async def test_erasing_leaves_nothing(journal: Journal, path: Path) -> None:
    """Neither the file nor what sqlite keeps beside it, also where there is none."""
    await journal.run(write("one"))
    await journal.erase()
    assert list(path.parent.iterdir()) == []
    await journal.erase()


async def test_a_batch_is_secured_as_a_whole(journal: Journal) -> None:
    """Only where one fails is each secured by itself: statements are what costs."""
    statements: list[str] = []
    assert journal._connection is not None
    journal._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(journal.run(write(str(number))) for number in range(3)))
    assert not [each for each in statements if "SAVEPOINT" in each]
    await asyncio.gather(
        journal.run(write("3")), journal.run(write("0")), return_exceptions=True
    )
    assert [each for each in statements if "SAVEPOINT" in each]
    journal._connection.set_trace_callback(None)


async def test_who_follows_hears_it_though_nobody_waits(journal: Journal) -> None:
    """What is on disk is told on, also when its caller has hung up."""
    heard: list[object] = []
    waiting = asyncio.create_task(journal.run(lambda _: "news", heard.append))
    await asyncio.sleep(0)
    waiting.cancel()
    await journal.run(lambda _: None)
    assert heard == ["news"]


async def test_who_waits_goes_first(journal: Journal) -> None:
    """A provider has its answer before the home reacts to what it brought."""
    order: list[str] = []

    async def wait() -> None:
        await journal.run(lambda _: None, lambda _: order.append("follows"))
        order.append("waits")

    await wait()
    await asyncio.sleep(0)
    assert order == ["waits", "follows"]


def join(
    connection: sqlite3.Connection, values: Sequence[str]
) -> list[tuple[str, int]]:
    """Write notes in one go, and return each with the number of its company."""
    connection.executemany("INSERT INTO note VALUES (?)", [(each,) for each in values])
    return [(each, len(values)) for each in values]


async def test_neighbours_of_one_kind_are_written_together(journal: Journal) -> None:
    """In their order, and each learns of its own result."""
    results = await asyncio.gather(
        journal.post(join, "a"),
        journal.post(join, "b"),
        journal.post(lambda _, values: [(each, 1) for each in values], "c"),
        journal.post(join, "d"),
    )
    assert results == [("a", 2), ("b", 2), ("c", 1), ("d", 1)]
    assert await journal.run(read) == ["a", "b", "d"]


async def test_one_that_fails_leaves_its_company_alone(journal: Journal) -> None:
    """What was to be written together is then written one by one."""
    results = await asyncio.gather(
        *(journal.post(join, each) for each in "aba"), return_exceptions=True
    )
    assert results[:2] == [("a", 1), ("b", 1)]
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert await journal.run(read) == ["a", "b"]


async def test_what_has_patience_is_written_with_the_next(
    journal: Journal, workers: Workers
) -> None:
    """It costs no flush of its own while there is company."""
    await journal.run(write("one"))
    before = workers.calls
    patient = journal.post(join, "two", patience=60)
    await asyncio.sleep(0.01)
    assert workers.calls == before
    await journal.run(write("three"))
    assert patient.done()
    assert workers.calls == before + 1


async def test_patience_ends(journal: Journal, workers: Workers) -> None:
    """Without company it is written by itself, with whatever is as patient."""
    before = workers.calls
    await asyncio.gather(
        journal.post(join, "one", patience=0.01),
        journal.post(join, "two", patience=60),
    )
    assert workers.calls == before + 1


async def test_what_has_patience_does_not_follow_at_once(
    journal: Journal, workers: Workers
) -> None:
    """While a batch is being written, too, it waits for company."""
    before = workers.calls
    first = journal.post(join, "one")
    await asyncio.sleep(0)
    patient = journal.post(join, "two", patience=60)
    await first
    await asyncio.sleep(0.01)
    assert not patient.done()
    assert workers.calls == before + 1
    await journal.close()
    assert patient.done()
