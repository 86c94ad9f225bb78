"""What a broken disk leaves is carried on, each message once."""

import asyncio
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
import random
import shutil
import sqlite3

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus, SentMessage
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.recovery import BEGUN_ANEW, mend
from custom_components.virtual_sms.store.salvage import Fragment, Salvage
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store, Tally
from tests.fakes import (
    START,
    Clock,
    inbound,
    open_store,
    outbound,
    run_inline,
)

PAGE = 1024
LARGE = 300
LATER = START + timedelta(hours=6)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store lives."""
    return tmp_path / "store.db"


async def fill(path: Path, clock: Clock, count: int, days: int = 0) -> None:
    """Leave a file with many messages: some to be sent, some sent, some received.

    Conversations are kept for some days, or not at all.
    """
    store = await open_store(path, clock)
    await store.inbound.begin([], START)
    await store.conversations.keep(days, START)
    for number in range(count):
        name = f"{number:04}"
        text = f"Text {name} " * 12
        queued = await store.outbound.add([outbound(f"w{name}", text=text)], LATER)
        queued += await store.outbound.add([outbound(f"s{name}")], LATER)
        await store.note_published(queued)
        await store.outbound.clear(f"w{name}", START + timedelta(seconds=30))
        sent = SentMessage(provider_id=f"P{name}")
        await store.note_published(await store.outbound.accept(f"s{name}", sent))
        message = inbound(f"i{name}", at=number, text=text)
        admitted = await store.inbound.admit([message], late=False)
        if number % 2:
            await store.note_published(admitted)
    await store.inbound.advance(START + timedelta(seconds=count))
    await store.close()


def pages_of(path: Path, names: Iterable[str]) -> list[int]:
    """List the pages, but for the first of all, that hold a table or an index."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT pageno FROM dbstat WHERE name IN"
            f" ({', '.join('?' * len(list(names)))}) AND pageno > 1",
            list(names),
        ).fetchall()
    except sqlite3.OperationalError:
        pytest.skip("this sqlite knows no dbstat")
    finally:
        connection.close()
    return [page for (page,) in rows]


def break_pages(path: Path, pages: Iterable[int]) -> None:
    """Overwrite pages as a worn-out card does."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(b"\xff" * PAGE)


def leaves_of(path: Path, names: Iterable[str]) -> list[int]:
    """List the pages of tables or indexes, but for those that they begin with."""
    roots = {root for (root,) in _query(path, "SELECT rootpage FROM sqlite_master")}
    return [page for page in pages_of(path, names) if page not in roots]


@pytest.mark.parametrize("days", [0, 30])
@pytest.mark.parametrize("seed", range(6))
async def test_no_message_vanishes_from_a_damaged_file(
    path: Path, clock: Clock, seed: int, days: int
) -> None:
    """Whatever leaves of the tables break: each is carried on, or told as failed."""
    count = 60
    await fill(path, clock, count, days)
    leaves = leaves_of(path, ["outbound", "inbound"])
    break_pages(path, random.Random(seed).sample(leaves, 3))  # no secret

    store = Store(Database(path, MIGRATIONS, run_inline), clock, clock.monotonic)
    await store.open()
    assert store.salvage is not None
    clock.advance(60)
    due = {each.message.message_id for each in await store.outbound.due()}
    failed = {
        each.message_id
        for each in await store.outbound.unpublished()
        if each.status is DeliveryStatus.FAILED
    }
    assert len(failed) == store.salvage.lost
    assert due | failed == {f"w{number:04}" for number in range(count)}
    assert not due & failed
    deliveries = set(await store.outbound.open_deliveries(1000))
    assert deliveries == {f"P{number:04}" for number in range(count)}
    ids = [f"i{number:04}" for number in range(count)]
    assert await store.inbound.known(ids) == set(ids)
    assert await store.inbound.progress() == START + timedelta(seconds=count)
    assert await store.inbound.horizon() == START
    tally = Tally(
        sent=count,
        received=count,
        failed=len(failed),
        pending=len(due) + 60,
        segments=count,
    )
    assert store.tally == tally
    await store.close()


@pytest.mark.parametrize("forgotten", [False, True])
async def test_what_was_received_is_known_also_where_its_page_breaks(
    path: Path, clock: Clock, *, forgotten: bool
) -> None:
    """By its message as long as that is kept, and from then on by an index."""
    count = 60
    await fill(path, clock, count, days=30)
    if forgotten:
        store = await open_store(path, clock)
        await store.conversations.forget([inbound("any").sender])
        await store.close()
    break_pages(path, leaves_of(path, ["inbound"]))
    store = await open_store(path, clock)
    ids = {f"i{number:04}" for number in range(count)}
    assert await store.inbound.known([*ids]) == ids
    await store.close()
    break_pages(path, leaves_of(path, ["inbound"]))
    store = await open_store(path, clock)
    assert await store.inbound.known([*ids]) == ids
    await store.close()


async def test_a_damaged_file_of_an_older_version_loses_no_message(
    path: Path, clock: Clock
) -> None:
    """What the indexes name that it has itself is found by them."""
    numbers = [f"{number:04}" for number in range(60)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size={PAGE}")
        for script in MIGRATIONS[:8]:
            connection.executescript(script)
        connection.execute("PRAGMA user_version=8")
        connection.executemany(
            "INSERT INTO inbound (message_id, received_at, late) VALUES (?, ?, 0)",
            [(f"i{each}", START.timestamp()) for each in numbers],
        )
        connection.executemany(
            "INSERT INTO outbound (message_id, provider_id, recipient, status, told, at,"
            " created_at, deadline, open) VALUES"
            " (?, ?, '', 'queued', 'queued', ?3, ?3, ?3, 1)",
            [
                (f"{kind}{each}", provider_id and provider_id + each, START.timestamp())
                for each in numbers
                for kind, provider_id in (("s", "P"), ("w", None))
            ],
        )
        connection.commit()
    leaves = leaves_of(path, ["inbound", "outbound"])
    break_pages(path, leaves[1::2])
    store = await open_store(path, clock)
    ids = {f"i{each}" for each in numbers}
    assert await store.inbound.known([*ids]) == ids
    assert set(await store.outbound.open_deliveries(99)) == {f"P{n}" for n in numbers}
    # They have no text that could be read.
    assert store.tally == Tally(failed=60, pending=60)
    await store.close()


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file so large that its tables have pages between root and leaves."""
    path = tmp_path_factory.mktemp("large") / "store.db"

    async def fill() -> None:
        store = await open_store(path, Clock())
        await store.inbound.begin([], START)
        names = [f"{number:04}" for number in range(LARGE)]
        waiting = [outbound(f"w{each}", text=f"Text {each} " * 40) for each in names]
        await store.note_published(await store.outbound.add(waiting, LATER))
        sent = await store.outbound.add([outbound(f"s{each}") for each in names], LATER)
        await store.note_published(sent)
        soon = START + timedelta(seconds=30)
        await asyncio.gather(
            *(store.outbound.clear(f"w{each}", soon) for each in names),
            *(
                store.outbound.accept(f"s{each}", SentMessage(provider_id=f"P{each}"))
                for each in names
            ),
        )
        received = [
            inbound(f"i{each}", at=int(each), text=f"Text {each} " * 40)
            for each in names
        ]
        await store.inbound.admit(received, late=False)
        await store.close()

    asyncio.run(fill())
    return path


def inner_pages(path: Path, name: str) -> list[int]:
    """List the pages of a table between its root and its leaves."""
    return [
        int(str(page))
        for (page,) in _query(
            path,
            "SELECT pageno FROM dbstat"
            f" WHERE name = '{name}' AND pagetype = 'internal'"
            " AND pageno NOT IN (SELECT rootpage FROM sqlite_master)",
        )
    ]


def readable(path: Path, table: str, names: Iterable[str]) -> set[str]:
    """List those of some rows that sqlite can read when it is asked for each."""
    found = set()
    with closing(sqlite3.connect(path)) as connection:
        for name in names:
            with suppress(sqlite3.DatabaseError):
                found |= {
                    each
                    for (each, _) in connection.execute(
                        f"SELECT message_id, content FROM {table}"  # our own
                        " WHERE message_id = ?",
                        (name,),
                    )
                }
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("table", ["outbound", "inbound"])
async def test_an_inner_page_takes_only_what_lies_below_it(
    path: Path, clock: Clock, large_file: Path, table: str, seed: int
) -> None:
    """Every message that can be read at all is saved whole, and none vanishes."""
    shutil.copy(large_file, path)
    inner = inner_pages(path, table)
    break_pages(path, [random.Random(seed).choice(inner)])  # no secret
    waiting = {f"w{number:04}" for number in range(LARGE)}
    received = {f"i{number:04}" for number in range(LARGE)}
    expected = readable(path, "outbound", waiting), readable(path, "inbound", received)
    sent = {f"s{number:04}" for number in range(LARGE)}
    assert all(expected)
    assert (*expected, readable(path, "outbound", sent)) != (waiting, received, sent)

    store = await open_store(path, clock)
    assert store.salvage is not None
    clock.advance(60)
    due = {each.message.message_id: each.message for each in await store.outbound.due()}
    assert due.keys() >= expected[0]
    assert all(each.text == f"Text {key[1:]} " * 40 for key, each in due.items())
    failed = {
        each.message_id
        for each in await store.outbound.unpublished()
        if each.status is DeliveryStatus.FAILED
    }
    assert due.keys() | failed == waiting
    assert not due.keys() & failed
    unpublished = await store.inbound.unpublished()
    assert {each.message.message_id for each in unpublished} >= expected[1]
    assert await store.inbound.known(list(received)) == received
    deliveries = set(await store.outbound.open_deliveries(LARGE))
    assert deliveries == {f"P{number:04}" for number in range(LARGE)}
    await store.close()


async def test_an_index_that_broke_as_well_is_read_from_both_its_ends(
    path: Path, clock: Clock, large_file: Path
) -> None:
    """Of what a table has lost, each index still names what lies before and behind."""
    shutil.copy(large_file, path)
    inner = inner_pages(path, "outbound")[:1]
    leaves = pages_of(path, ["outbound_open"])
    break_pages(path, [*inner, leaves[len(leaves) // 2]])
    store = await open_store(path, clock)
    assert store.salvage is not None
    assert "outbound" in store.salvage.incomplete
    assert store.salvage.lost > 0
    deliveries = set(await store.outbound.open_deliveries(LARGE))
    assert deliveries == {f"P{number:04}" for number in range(LARGE)}
    await store.close()


@pytest.mark.parametrize("names", [["fact"], ["fact", "inbound"], ["inbound"]])
async def test_what_came_meanwhile_is_no_history(
    path: Path, clock: Clock, names: list[str]
) -> None:
    """Without its cursor the store goes on from the newest message that it knows."""
    await fill(path, clock, 60)
    break_pages(path, pages_of(path, names))
    clock.advance(120)
    store = await open_store(path, clock)
    progress = await store.inbound.progress()
    assert progress is not None
    assert progress >= START + timedelta(seconds=59)
    assert await store.inbound.horizon() == START
    assert _query(path, f"SELECT value FROM fact WHERE name = '{BEGUN_ANEW}'") == [
        (clock().timestamp(),)
    ]
    await store.close()


async def test_a_file_without_anything_left_is_begun_anew(
    path: Path, clock: Clock
) -> None:
    """It is known from when on, so that what is unknown can be asked for."""
    path.write_bytes(b"no database at all" * 500)
    store = await open_store(path, clock)
    assert store.salvage
    assert "outbound" in store.salvage.unread
    assert await store.inbound.progress() is None
    assert store.tally == Tally()
    names = {name for (name,) in _query(path, "SELECT name FROM fact")}
    assert names == {"pending", BEGUN_ANEW}
    await store.close()


async def test_content_that_is_nonsense_is_told_as_failed(
    path: Path, clock: Clock
) -> None:
    """A text that cannot be read any more does not keep the others from being sent."""
    await fill(path, clock, 3)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE outbound SET content = '[' WHERE message_id = 'w0001'")
    connection.execute("UPDATE inbound SET content = 'x' WHERE message_id = 'i0002'")
    connection.execute("UPDATE outbound SET status = '??' WHERE message_id = 's0002'")
    connection.execute("UPDATE outbound SET contact = '[' WHERE message_id = 'w0000'")
    connection.execute("UPDATE outbound SET contact = '[]' WHERE message_id = 'w0002'")
    connection.commit()
    connection.close()
    path.with_suffix(".suspect").touch()
    store = await open_store(path, clock)
    (failed,) = await store.outbound.unpublished()
    assert (failed.message_id, failed.status) == ("w0001", DeliveryStatus.FAILED)
    clock.advance(60)
    waiting = [each.message for each in await store.outbound.due()]
    contacts = {each.message_id: each.contact for each in waiting}
    assert contacts == {"w0000": None, "w0002": "[]"}
    unpublished = await store.inbound.unpublished()
    assert [each.message.message_id for each in unpublished] == ["i0000"]
    await store.close()


@pytest.mark.parametrize(
    ("table", "odd", "sound"),
    [
        ("answer_sent", ("a", "?"), ("b", 1.0)),
        ("code_attempt", ("a", "?"), ("b", 1.0)),
        ("code_lock", ("a", "?"), ("b", 1.0)),
        ("code_used", ("a", "?"), ("b", 1)),
        ("cost_month", ("a", "EUR", "?"), ("b", "EUR", 1)),
    ],
)
async def test_a_number_that_is_none_is_dropped(
    path: Path, clock: Clock, table: str, odd: object, sound: object
) -> None:
    """Of each small table the rows are kept that can be counted with."""
    await fill_and_suspect(path, clock, table, [odd, sound])
    await (await open_store(path, clock)).close()
    assert _query(path, f"SELECT * FROM {table}") == [sound]  # our own


async def test_who_wants_no_messages_is_remembered_whatever_else_is_lost(
    path: Path, clock: Clock
) -> None:
    """Where only the time is odd, the wish stays, and anything said since goes first."""
    rows = [("a", "?", "stop"), ("b", 1.0, "start")]
    await fill_and_suspect(path, clock, "consent", rows)
    await (await open_store(path, clock)).close()
    kept = _query(path, "SELECT * FROM consent")
    assert kept == [("a", 0.0, "stop"), ("b", 1.0, "start")]


async def fill_and_suspect(
    path: Path, clock: Clock, table: str, rows: Iterable[object]
) -> None:
    """Leave a file with some rows in which damage was met."""
    await (await open_store(path, clock)).close()
    with closing(sqlite3.connect(path)) as connection:
        for row in rows:
            assert isinstance(row, tuple)
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # our own
        connection.commit()
    path.with_suffix(".suspect").touch()


async def test_only_what_is_open_is_told_as_failed(path: Path, clock: Clock) -> None:
    """Of a row that only an index names: a received id is known, what is over is over."""
    store = await open_store(path, clock)
    at = START.timestamp()
    saved = Salvage(
        incomplete={"inbound", "outbound"},
        fragments={
            "inbound": [
                Fragment({"message_id": "seen", "received_at": at}, {"inbound_age"}),
                Fragment({"message_id": "odd", "received_at": "x"}, {"inbound_age"}),
            ],
            "outbound": [
                Fragment({"message_id": "over", "created_at": at}, {"outbound_age"}),
                Fragment({"message_id": "ended", "open": 0}, {"outbound_open"}),
                Fragment({"message_id": "open", "open": 1}, {"outbound_open"}),
                Fragment({"message_id": "due"}, {"outbound_open", "outbound_age"}),
                Fragment(
                    {"message_id": "sent", "provider_id": "P"}, {"outbound_provider"}
                ),
            ],
        },
    )
    await store._database.run(lambda connection: mend(connection, saved, START))
    assert saved.lost == 2
    failed = {
        (each.message_id, each.status) for each in await store.outbound.unpublished()
    }
    assert failed == {
        ("open", DeliveryStatus.FAILED),
        ("due", DeliveryStatus.FAILED),
    }
    assert await store.inbound.known(["seen", "odd"]) == {"seen"}
    assert await store.outbound.open_deliveries(9) == ["P"]
    assert store.tally == Tally(failed=2, pending=1)
    await store.close()


@pytest.mark.parametrize("moment", ["built", "moved"])
async def test_a_power_cut_while_a_file_is_renewed(
    path: Path, clock: Clock, moment: str
) -> None:
    """The new file counts once it is whole; until then the damaged one is read again."""
    await fill(path, clock, 3)
    renewed = path.with_suffix(".renewed")
    if moment == "built":
        renewed.write_bytes(b"half a file")
    else:
        shutil.copy(path, renewed)
        path.replace(path.with_suffix(".damaged"))
    store = await open_store(path, clock)
    assert len(await store.inbound.unpublished()) == 2
    assert store.tally.received == 3
    assert not renewed.exists()
    await store.close()


def _query(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
