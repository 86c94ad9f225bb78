"""What an older version or a broken disk leaves is carried on, each message once."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
import random
import shutil
import sqlite3

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus, SentMessage
from custom_components.virtual_sms.core.gateway import Gateway, GatewayHooks
from custom_components.virtual_sms.store.changes import (
    Change,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.recovery import BEGUN_ANEW, mend
from custom_components.virtual_sms.store.salvage import Fragment, Salvage
from custom_components.virtual_sms.store.store import MIGRATIONS, Store, Tally
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

FIXTURE = Path(__file__).parents[1] / "fixtures" / "version_2.db"
PAGE = 4096
LATER = START + timedelta(hours=6)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store lives."""
    return tmp_path / "store.db"


async def test_a_file_of_version_2_is_carried_on(path: Path, clock: Clock) -> None:
    """Every message in it comes to its end exactly once, and the counts are right."""
    shutil.copy(FIXTURE, path)
    clock.advance(120)
    adapter = FakeAdapter(clock)
    # What was in doubt had been accepted, and the attempt under way had not.
    adapter.accepted.append(
        (START + timedelta(seconds=1), "P-doubtful", outbound("x", text="doubtful"))
    )
    adapter.record = [inbound("known", at=1), inbound("unheard", at=2)]
    adapter.record.append(inbound("missed", at=60))
    heard: list[Change] = []
    store = Store(Database(path, MIGRATIONS, run_inline), clock, clock.monotonic)
    hooks = GatewayHooks(
        publish=heard.append,
        wake=lambda: None,
        catch_up_soon=lambda: None,
    )
    gateway = Gateway(adapter.line(), store, hooks, make_dependencies(clock))
    await gateway.open()
    assert (await store.examine()).schema == len(MIGRATIONS)
    assert store.tally == Tally(sent=3, received=2, failed=1, pending=4)
    await gateway.inbox.begin()
    gateway.start()
    for _ in range(6):
        await gateway.outbox.work()
        clock.advance(60)
    await gateway.inbox.catch_up(late=True)
    ids = ["sent", "doubtful", "waiting", "under-way"]
    clock.advance(600)
    for provider_id in await store.outbound.open_deliveries(20):
        change = await store.outbound.receive(receipt(provider_id))
        gateway._publisher.publish([change] if change else [])
    await come_to_rest(store, gateway._publisher)

    sent = Counter(each.text for each in adapter.attempts)
    assert sent == {"waiting": 1, "under-way": 1}
    ends = Counter(
        (each.message_id, each.status)
        for each in heard
        if isinstance(each, StatusChanged) and each.status.is_final
    )
    expected = {(each, DeliveryStatus.DELIVERED): 1 for each in (*ids, "untold")}
    assert ends == expected
    received = [each for each in heard if isinstance(each, Received)]
    assert [each.message.message_id for each in received] == ["unheard", "missed"]
    assert store.tally == Tally(sent=6, received=3, failed=1, pending=0)
    await gateway.close()


async def fill(path: Path, clock: Clock, count: int) -> None:
    """Leave a file with many messages: some to be sent, some sent, some received."""
    store = await open_store(path, clock)
    await store.inbound.begin([], START)
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


@pytest.mark.parametrize("seed", range(6))
async def test_no_message_vanishes_from_a_damaged_file(
    path: Path, clock: Clock, seed: int
) -> None:
    """Whatever leaves of the tables break: each is carried on, or told as failed."""
    count = 60
    await fill(path, clock, count)
    pages = pages_of(path, ["outbound", "inbound"])
    roots = {root for (root,) in _query(path, "SELECT rootpage FROM sqlite_master")}
    leaves = [page for page in pages if page not in roots]
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
    tally = Tally(sent=count, received=count, failed=len(failed), pending=len(due) + 60)
    assert store.tally == tally
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
    connection.commit()
    connection.close()
    path.with_suffix(".suspect").touch()
    store = await open_store(path, clock)
    (failed,) = await store.outbound.unpublished()
    assert (failed.message_id, failed.status) == ("w0001", DeliveryStatus.FAILED)
    unpublished = await store.inbound.unpublished()
    assert [each.message.message_id for each in unpublished] == ["i0000"]
    await store.close()


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
                Fragment({"message_id": "open"}, {"outbound_open"}),
                Fragment({"message_id": "due"}, {"outbound_due", "outbound_age"}),
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
