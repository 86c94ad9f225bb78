"""What an older version left is carried on: each message comes to its end once."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import shutil
import sqlite3

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus
from custom_components.virtual_sms.core.inbox import Inbox
from custom_components.virtual_sms.core.outbox import Outbox
from custom_components.virtual_sms.core.publisher import Publisher
from custom_components.virtual_sms.store.changes import (
    Change,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.database_file import StorageForeignError
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store, Tally
from custom_components.virtual_sms.store.usage import Allowance, Limits, Month
from tests.fakes import (
    START,
    Clock,
    FakeAdapter,
    come_to_rest,
    inbound,
    make_dependencies,
    open_store,
    outbound,
    receipt,
    run_inline,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
SCHEMA = "SELECT name, sql FROM sqlite_master ORDER BY name"


class Home:
    """A line that goes on with a file of an older version."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.adapter = FakeAdapter(clock)
        self.published: list[Change] = []
        self.publisher = Publisher(store, self.published.append)
        line, dependencies = self.adapter.line(), make_dependencies(clock)
        publish = self.publisher.publish
        self.outbox = Outbox(line, store.outbound, publish, dependencies)
        self.inbox = Inbox(line, store, publish, dependencies, lambda: None)

    async def carry_on(self) -> None:
        """Do what is due, read the record, and have each delivery come to its end."""
        await self.publisher.load()
        await self.inbox.begin()
        self.publisher.start()
        for _ in range(6):
            await self.outbox.work()
            self.clock.advance(60)
        self.clock.advance(600)
        for provider_id in await self.store.outbound.open_deliveries(20):
            self.adapter.receipts[provider_id] = receipt(provider_id)
        self.clock.advance(600)
        await self.inbox.catch_up(late=True)
        await come_to_rest(self.store, self.publisher)

    @property
    def ends(self) -> Counter[tuple[str, DeliveryStatus]]:
        """Count how often each message was published as ended, and how."""
        return Counter(
            (each.message_id, each.status)
            for each in self.published
            if isinstance(each, StatusChanged) and each.status.is_final
        )

    @property
    def received(self) -> Sequence[str]:
        """List the ids that were published as received."""
        return [
            each.message.message_id
            for each in self.published
            if isinstance(each, Received)
        ]


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


async def open_fixture(path: Path, clock: Clock, version: int) -> Home:
    """Open a copy of a file of an older version, some time later."""
    shutil.copy(FIXTURES / f"version_{version}.db", path / "store.db")
    clock.advance(120)
    return Home(await open_store(path / "store.db", clock), clock)


async def test_a_file_of_version_2_is_carried_on(tmp_path: Path, clock: Clock) -> None:
    """Every message in it comes to its end exactly once, and the counts are right."""
    home = await open_fixture(tmp_path, clock, 2)
    assert (await home.store.examine()).schema == len(MIGRATIONS)
    assert replace(home.store.tally, segments=0) == Tally(
        sent=3, received=2, failed=1, pending=4
    )
    # What was unknown had been accepted, and the attempt under way had not.
    accepted = outbound("x", text="doubtful")
    home.adapter.accepted.append((START + timedelta(seconds=1), "P-doubtful", accepted))
    home.adapter.record = [inbound("known", at=1), inbound("unheard", at=2)]
    home.adapter.record.append(inbound("missed", at=60))
    await home.carry_on()

    sent = Counter(each.text for each in home.adapter.attempts)
    assert sent == {"waiting": 1, "under-way": 1}
    ids = ["sent", "doubtful", "waiting", "under-way", "untold"]
    assert home.ends == {(each, DeliveryStatus.DELIVERED): 1 for each in ids}
    assert home.received == ["unheard", "missed"]
    assert replace(home.store.tally, segments=0) == Tally(
        sent=6, received=3, failed=1, pending=0
    )
    await home.store.close()


async def test_a_file_of_version_3_is_carried_on(tmp_path: Path, clock: Clock) -> None:
    """Every message in it comes to its end exactly once, and the counts are right."""
    home = await open_fixture(tmp_path, clock, 3)
    assert (await home.store.examine()).schema == len(MIGRATIONS)
    assert replace(home.store.tally, segments=0) == Tally(
        sent=4, received=3, failed=1, pending=5
    )
    # What was unknown had been accepted, and the attempt under way had not.
    accepted = outbound("x", text="unknown")
    home.adapter.accepted.append((START + timedelta(seconds=1), "P-unknown", accepted))
    ids = ("forgotten", "history", "known", "unreadable", "unpublished", "missed")
    times = (-86_400 * 201, -60, 1, 1, 2, 60)
    home.adapter.record = [
        inbound(each, at=at) for each, at in zip(ids, times, strict=True)
    ]
    await home.carry_on()

    sent = Counter(each.text for each in home.adapter.attempts)
    assert sent == {"waiting": 1, "under-way": 1}
    open_ids = ["waiting", "under-way", "unknown", "sent", "unpublished", "overtaken"]
    assert home.ends == {(each, DeliveryStatus.DELIVERED): 1 for each in open_ids}
    assert sorted(home.received) == ["missed", "unpublished", "unreadable"]
    assert await home.store.inbound.list_waiting() == []
    assert await home.store.inbound.known(ids) == set(ids)
    assert replace(home.store.tally, segments=0) == Tally(
        sent=7, received=5, failed=1, pending=0
    )
    await home.store.close()


async def test_a_file_of_version_7_is_carried_on(tmp_path: Path, clock: Clock) -> None:
    """What was said is read as before, what was sent is known by its provider's id."""
    home = await open_fixture(tmp_path, clock, 7)
    assert (await home.store.examine()).schema == len(MIGRATIONS)
    assert replace(home.store.tally, segments=0) == Tally(sent=2, received=3, pending=2)
    (conversation,) = await home.store.conversations.list_newest()
    assert conversation.unread == 2
    page = await home.store.conversations.read("+33612345678", None, 10)
    ids = {"read", "unread", "unpublished", "waiting", "sent", "delivered"}
    assert {each.message_id for each in page.messages} == ids
    await home.carry_on()
    assert [each.text for each in home.adapter.attempts] == ["waiting"]
    assert home.ends == {
        (each, DeliveryStatus.DELIVERED): 1 for each in ("waiting", "sent")
    }
    assert home.received == ["unpublished"]
    await home.store.close()


@pytest.mark.parametrize(("version", "used"), [(2, 0), (3, 8), (7, 3)])
async def test_what_an_older_version_sent_of_late_counts(
    tmp_path: Path, clock: Clock, version: int, used: int
) -> None:
    """Segments were not noted before version 3, so what it sent takes up none."""
    home = await open_fixture(tmp_path, clock, version)
    month = Month("2026-11", START + timedelta(days=9))
    allowance = Allowance(limits=Limits(hour=used + 1), month=month)
    asked = [outbound(each, text=each) for each in ("one", "another")]
    assert list(home.store.outbound.foresee(asked, allowance)) == ["another"]
    await home.store.close()


async def test_who_wrote_is_kept_with_what_is_still_to_be_published(
    tmp_path: Path, clock: Clock
) -> None:
    """As far as a file of version 3 knows it, and of every message from then on."""
    home = await open_fixture(tmp_path, clock, 3)
    await home.store.inbound.admit([inbound("new", at=60)], late=False)
    await home.store.note_published(await home.store.inbound.unpublished())
    await home.store.close()
    assert query(
        tmp_path, "SELECT message_id, correspondent FROM inbound ORDER BY 1"
    ) == [
        ("history", None),
        ("known", None),
        ("new", "+33612345678"),
        ("unpublished", "+33612345678"),
    ]


@pytest.mark.parametrize(
    ("table", "where", "index"),
    [
        ("answer_sent", "correspondent = '' AND at > 0", "correspondent=? AND at>?"),
        ("code_attempt", "contact_id = '' AND at > 0", "contact_id=? AND at>?"),
    ],
)
async def test_messages_are_counted_in_an_index(
    tmp_path: Path, clock: Clock, table: str, where: str, index: str
) -> None:
    """By time and correspondent: no count walks through a table."""
    store = await open_store(tmp_path / "store.db", clock)
    await store.close()
    count = f"EXPLAIN QUERY PLAN SELECT count(*) FROM {table} WHERE {where}"  # our own
    ((*_, plan),) = query(tmp_path, count)
    assert str(plan).startswith("SEARCH")
    assert index in str(plan)


@pytest.mark.parametrize("version", [2, 3, 7])
def test_what_was_applied_never_changes(tmp_path: Path, version: int) -> None:
    """A new file goes through what the files of today went through."""
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        for script in MIGRATIONS[:version]:
            connection.executescript(script)
    (tmp_path / "old").mkdir()
    shutil.copy(FIXTURES / f"version_{version}.db", tmp_path / "old" / "store.db")
    assert query(tmp_path, SCHEMA) == query(tmp_path / "old", SCHEMA)


async def test_an_index_may_have_its_new_name_already(
    tmp_path: Path, clock: Clock
) -> None:
    """Some files of version 3 were made when it had been renamed for a while."""
    path = tmp_path / "store.db"
    shutil.copy(FIXTURES / "version_3.db", path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP INDEX inbound_untold; CREATE INDEX inbound_unpublished"
            " ON inbound (received_at) WHERE content IS NOT NULL"
        )
    store = await open_store(path, clock)
    assert [each.message.message_id for each in await store.inbound.unpublished()] == [
        "unpublished"
    ]
    await store.close()


async def test_a_damaged_file_of_version_3_is_carried_on(
    tmp_path: Path, clock: Clock
) -> None:
    """What can be read of it is what the new file holds, and nothing is sent twice."""
    path = tmp_path / "store.db"
    shutil.copy(FIXTURES / "version_3.db", path)
    path.with_suffix(".suspect").touch()
    clock.advance(120)
    home = Home(await open_store(path, clock), clock)
    assert home.store.salvage is not None
    assert home.store.salvage.lost == 0
    assert replace(home.store.tally, segments=0) == Tally(
        sent=4, received=3, failed=1, pending=5
    )
    accepted = outbound("x", text="unknown")
    home.adapter.accepted.append((START + timedelta(seconds=1), "P-unknown", accepted))
    await home.carry_on()
    sent = Counter(each.text for each in home.adapter.attempts)
    assert sent == {"waiting": 1, "under-way": 1}
    open_ids = ["waiting", "under-way", "unknown", "sent", "unpublished", "overtaken"]
    assert home.ends == {(each, DeliveryStatus.DELIVERED): 1 for each in open_ids}
    assert home.received == ["unpublished"]
    await home.store.close()


async def test_what_spans_numbers_has_a_file_of_its_own(
    tmp_path: Path, clock: Clock
) -> None:
    """With its own tables, beside those of the numbers, and neither opens the other."""
    store = await open_store(tmp_path / "store.db", clock)
    migrations = ("CREATE TABLE question (id TEXT PRIMARY KEY)",)
    database = Database(tmp_path / "home.db", migrations, run_inline)
    await database.open()
    question = "INSERT INTO question VALUES ('q')"
    await database.run(lambda connection: connection.execute(question).rowcount)
    await database.close()
    await store.close()
    with pytest.raises(StorageForeignError):
        await open_store(tmp_path / "home.db", clock)
    with pytest.raises(StorageForeignError):
        await Database(tmp_path / "store.db", migrations, run_inline).open()


@pytest.mark.parametrize("version", [2, 3, 7])
async def test_an_older_file_gets_the_schema_of_a_new_one(
    tmp_path: Path, clock: Clock, version: int
) -> None:
    """Whatever a file went through: the same tables, columns, indexes and triggers."""
    (tmp_path / "new").mkdir()
    await (await open_store(tmp_path / "new" / "store.db", clock)).close()
    await (await open_fixture(tmp_path, clock, version)).store.close()
    assert query(tmp_path, SCHEMA) == query(tmp_path / "new", SCHEMA)


def query(folder: Path, statement: str) -> list[tuple[object, ...]]:
    """Ask the file something when nobody writes into it."""
    with closing(sqlite3.connect(folder / "store.db")) as connection:
        return connection.execute(statement).fetchall()
